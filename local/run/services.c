/* Requests about services and their revisions. */
#include "common/crypto/random.h"
#include "local/run/internal.h"
#include "local/run/message.h"
#include "local/run/reserved.h"
#include "local/run/resource.h"

#include <string.h>

enum { MASK_LIMIT = 64 };

/* What only the server says; kept when the rest is replaced. */
static const char *const server_fields[] = {"name",
                                            "uid",
                                            "generation",
                                            "createTime",
                                            "updateTime",
                                            "creator",
                                            "lastModifier",
                                            "urls",
                                            "uri",
                                            "observedGeneration",
                                            "conditions",
                                            "terminalCondition",
                                            "etag",
                                            "latestReadyRevision",
                                            "latestCreatedRevision",
                                            "trafficStatuses",
                                            "reconciling"};

/* ---- reading ---- */

static void list_services(const struct run *run, const struct run_path *path, const struct request *request,
                          struct reply *reply) {
    struct json *answer = json_new_object(), *all = json_new_array();
    for (size_t i = 0; i < run->service_count; i++) {
        const struct service *service = run->services[i];
        if (!service->deleted && (text_equal(path->region, "-") || text_equal(path->region, service->region)))
            json_append(all, reserved_hide(service->document));
    }
    resource_list_page(answer, "services", all, request);
    reply_json(reply, 200, answer);
}

/* ---- writing ---- */

struct change {
    struct json *body;     /* normalised */
    struct text_list mask; /* canonical paths; empty: everything that is set */
    bool validate_only, force;
};

static void change_release(struct change *change) {
    json_release(&change->body);
    text_list_release(&change->mask);
}

static int read_mask(const struct request *request, struct change *change, struct error *error) {
    const char *text = request_query(request, "updateMask");
    AUTO_LIST struct text_list parts = {0};
    if (text_is_empty(text) || text_equal(text, "*"))
        return 0;
    text_list_split(&parts, text, ',');
    for (size_t i = 0; i < parts.count; i++) {
        AUTO_BUFFER struct buffer canonical = BUFFER(512);
        if (i >= MASK_LIMIT || !message_has_path(&service_message, parts.items[i], &canonical))
            return error_set(error, ERROR_DATA, "Invalid field mask provided: \"%.100s\"", parts.items[i]);
        text_list_add(&change->mask, buffer_text(&canonical));
    }
    return 0;
}

static int read_change(const struct request *request, struct change *change, struct error *error) {
    change->body = json_parse(buffer_text(&request->body), request->body.length, "the request", error);
    if (!change->body)
        return -1;
    if (!json_is_object(change->body))
        return error_set(error, ERROR_DATA, "Invalid JSON payload received. Root element must be a message.");
    change->validate_only = text_equal(request_query(request, "validateOnly"), "true");
    change->force = text_equal(request_query(request, "forceNewRevision"), "true");
    if (read_mask(request, change, error) < 0 ||
        message_normalise(&service_message, change->body, "service", error) < 0)
        return -1;
    return reserved_refuse(change->body, error);
}

/* Sets one path of `to` from `from`; what is absent there is removed. */
static void copy_path(struct json *to, const struct json *from, const char *path) {
    const char *dot = strchr(path, '.');
    AUTO_FREE char *key = text_copy_length(path, dot ? (size_t)(dot - path) : strlen(path));
    const struct json *value = json_get(from, key);
    if (dot)
        copy_path(json_need_object(to, key), value, dot + 1);
    else if (value)
        json_set(to, key, json_copy_deep(value));
    else
        json_remove(to, key);
}

static bool is_server_field(const char *key) {
    for (size_t i = 0; i < ARRAY_LENGTH(server_fields); i++)
        if (text_equal(server_fields[i], key))
            return true;
    return false;
}

/* What the service would be: `before` (NULL: none) with the change. */
static struct json *apply(const struct json *before, const struct change *change) {
    struct json *after = before ? json_copy_deep(before) : json_new_object();
    for (size_t i = 0; i < change->mask.count; i++)
        if (!is_server_field(change->mask.items[i]))
            copy_path(after, change->body, change->mask.items[i]);
    for (void *i = json_first(change->body); change->mask.count == 0 && i; i = json_next(change->body, i))
        if (!is_server_field(json_key(i)))
            json_set(after, json_key(i), json_copy_deep(json_value(i)));
    reserved_keep(before, after);
    return after;
}

static struct service *service_new(struct run *run, const struct run_path *path, const char *name,
                                   struct error *error) {
    struct service *service = memory_allocate(1, sizeof(*service));
    char uid[33];
    random_hex(uid, sizeof(uid));
    service->project = text_copy(run->cloud->project);
    service->region = text_copy(path->region);
    service->name = text_copy(name);
    service->policy = json_new_object();
    json_set_text(service->policy, "etag", "ACAB");
    service->operations = json_new_array();
    service->document = json_new_object();
    AUTO_FREE char *full = text_format("projects/%s/locations/%s/services/%s", service->project, service->region, name);
    AUTO_FREE char *id = text_format("%.8s-%.4s-%.4s-%.4s-%.12s", uid, uid + 8, uid + 12, uid + 16, uid + 20);
    json_set_text(service->document, "name", full);
    json_set_text(service->document, "uid", id);
    service->ingress = ingress_open(run, service, error);
    if (service->ingress)
        return service;
    service_free(service);
    return NULL;
}

static void set_urls(struct service *service) {
    struct json *urls = json_new_array();
    AUTO_FREE char *url = text_format("http://127.0.0.1:%u", service->port);
    json_append_text(urls, url);
    json_set(service->document, "urls", urls);
    json_set_text(service->document, "uri", url);
}

/* The template without the name that it may ask for. */
static bool same_template(const struct json *before, const struct json *after) {
    struct json *left = json_copy_deep(json_get(before, "template"));
    struct json *right = json_copy_deep(json_get(after, "template"));
    const char *old = json_get_text(left, "revision", NULL), *wanted = json_get_text(right, "revision", NULL);
    bool same = !wanted || text_equal(old, wanted);
    if (left && right) {
        json_remove(left, "revision");
        json_remove(right, "revision");
    }
    same = same && left && right && json_same(left, right);
    json_release(&left);
    json_release(&right);
    return same;
}

/* Makes `after` (taken) the service, and a revision of it when the template has changed. The operation is the newest.
 */
static void take_change(struct run *run, struct service *service, struct json *after, bool is_new,
                        const struct service_write *write) {
    bool rolls = is_new || write->force || !same_template(service->document, after);
    json_release(&service->document);
    service->document = after;
    resource_touch(after, write->request->principal, is_new);
    set_urls(service);
    const char *operation = operation_new(service->operations, service->document);
    if (rolls) {
        rollout_begin(run, service, operation);
    } else {
        traffic_settle(service);
        service_conclude(service);
        scaling_look(run);
        operation_finish(run, operation, service->document, NULL);
    }
    state_save(run, service);
}

static int check_write(const struct run *run, const struct service *service, const struct service_write *write,
                       const struct json *after, struct error *error) {
    const struct deploying deploying = {.account = json_get_text(json_get(after, "template"), "serviceAccount", NULL),
                                        .create = service ? NULL : "run.services.create"};
    if (!resource_is_name(write->name, 49))
        return error_set(
            error, ERROR_DATA,
            "The service name \"%.80s\" is invalid: only lower-case letters, digits and hyphens; "
            "it must begin with a letter, may not end with a hyphen and must have fewer than 50 characters.",
            write->name);
    if (service_validate(service, after, error) < 0 ||
        resource_check_deployer(run, write->path, &deploying, write->request, error) < 0)
        return -1;
    if (!service && run->service_count >= SERVICES_LIMIT)
        return error_set(error, ERROR_TEMPORARY, "The local cloud has no room for more than %d services.",
                         SERVICES_LIMIT);
    return 0;
}

static void copy_server_fields(const struct json *from, struct json *to) {
    for (size_t i = 0; i < ARRAY_LENGTH(server_fields); i++)
        if (json_get(from, server_fields[i]))
            json_set(to, server_fields[i], json_copy_deep(json_get(from, server_fields[i])));
}

int service_put(struct run *run, const struct service_write *write, struct json *after, struct service **service,
                struct error *error) {
    struct service *found = run_find(run, run->cloud->project, write->path->region, write->name);
    bool is_new = !found;
    service_fill(run, after);
    if (check_write(run, found, write, after, error) < 0 ||
        (is_new && !write->validate_only && !(found = service_new(run, write->path, write->name, error)))) {
        json_release(&after);
        return -1;
    }
    *service = found;
    if (write->validate_only) {
        *write->validated = after;
        return 0;
    }
    copy_server_fields(found->document, after);
    if (is_new)
        run_add(run, found);
    take_change(run, found, after, is_new, write);
    return 0;
}

/* PATCH, or POST of a new one. */
static void write_service(struct run *run, const struct run_path *path, const char *name, bool create,
                          const struct request *request, struct reply *reply) {
    AUTO(change_release) struct change change = {0};
    struct error error = {0};
    struct service *service = run_find(run, run->cloud->project, path->region, name);
    bool allow_missing = create || text_equal(request_query(request, "allowMissing"), "true");
    if (!service && !allow_missing) {
        reply_no_service(reply, path);
        return;
    }
    if (service && create) {
        reply_google_error(reply, 409, "Resource '%s' already exists.", name);
        return;
    }
    if (read_change(request, &change, &error) < 0) {
        resource_refuse(reply, &error);
        return;
    }
    if (service && resource_etag_differs(service->document, json_get_text(change.body, "etag", NULL))) {
        resource_reply_conflict(service->name, reply);
        return;
    }
    struct json *after = apply(service ? service->document : NULL, &change), *validated = NULL;
    struct service_write write = {.path = path,
                                  .name = name,
                                  .request = request,
                                  .force = change.force,
                                  .validate_only = change.validate_only,
                                  .validated = &validated};
    if (service_put(run, &write, after, &service, &error) < 0) {
        resource_refuse(reply, &error);
    } else if (validated) {
        resource_reply_validated(path, "Service", reserved_hide(validated), reply);
        json_release(&validated);
    } else {
        reply_json(reply, 200, json_copy_deep(json_at(service->operations, json_count(service->operations) - 1)));
    }
}

struct ending {
    struct run *run;
    struct service *service;
};

/* Its port and its containers; the requests under way see the end of their connections. */
static void *stop_service(void *context) {
    struct ending *ending = context;
    struct run *run = ending->run;
    struct service *service = ending->service;
    ingress_close(&service->ingress);
    pthread_mutex_lock(&run->lock);
    scaling_end(run, service);
    pthread_mutex_unlock(&run->lock);
    free(ending);
    run_work_done(run);
    return NULL;
}

void service_delete(struct run *run, struct service *service) {
    char now[40];
    run_time_now(now, sizeof(now));
    service->deleted = true;
    state_remove(run, service);
    json_set_text(service->document, "deleteTime", now);
    struct ending *ending = memory_allocate(1, sizeof(*ending));
    *ending = (struct ending){run, service};
    pthread_mutex_unlock(&run->lock);
    if (!run_work(run, stop_service, ending))
        free(ending);
    pthread_mutex_lock(&run->lock);
}

static void delete_service(struct run *run, struct service *service, const struct request *request,
                           struct reply *reply) {
    if (resource_etag_differs(service->document, request_query(request, "etag"))) {
        resource_reply_conflict(service->name, reply);
        return;
    }
    const char *name = operation_new(service->operations, service->document);
    if (!text_equal(request_query(request, "validateOnly"), "true"))
        service_delete(run, service);
    operation_finish(run, name, service->document, NULL);
    reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
}

static void one_service(struct run *run, const struct run_path *path, const struct request *request,
                        struct reply *reply) {
    struct service *service = run_find(run, run->cloud->project, path->region, path->name);
    if (request_is(request, "PATCH") && !path->child)
        write_service(run, path, path->name, false, request, reply);
    else if (!service)
        reply_no_service(reply, path);
    else if (text_equal(path->child, "revisions"))
        revisions_handle(run, service, path, request, reply);
    else if (!path->child && request_is(request, "GET"))
        reply_json(reply, 200, reserved_hide(service->document));
    else if (!path->child && request_is(request, "DELETE"))
        delete_service(run, service, request, reply);
}

void services_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    pthread_mutex_lock(&run->lock);
    if (path->verb)
        reply->status = 0;
    else if (path->name)
        one_service(run, path, request, reply);
    else if (request_is(request, "GET"))
        list_services(run, path, request, reply);
    else if (request_is(request, "POST")) {
        const char *id = request_query(request, "serviceId");
        write_service(run, path, id ? id : "", true, request, reply);
    }
    pthread_mutex_unlock(&run->lock);
}
