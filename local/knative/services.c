/* Requests about services, their routes and configurations. */
#include "local/knative/internal.h"
#include "local/knative/metadata.h"
#include "local/knative/schema.h"

#include <string.h>

bool service_is_here(const struct knative_call *call, const struct service *service) {
    return !service->deleted &&
           (text_equal(call->path->region, "-") || text_equal(call->path->region, service->region));
}

struct service *find_service(const struct knative_call *call, const char *name) {
    for (size_t i = 0; i < call->run->service_count; i++) {
        struct service *service = call->run->services[i];
        if (service_is_here(call, service) && text_equal(service->name, name))
            return service;
    }
    return NULL;
}

struct place service_place(const struct knative_call *call, const struct service *service) {
    size_t count = json_count(service->operations);
    const char *name = json_get_text(count ? json_at(service->operations, count - 1) : NULL, "name", NULL);
    const char *slash = name ? strrchr(name, '/') : NULL;
    return (struct place){service->region, call->run->cloud->number, slash ? slash + 1 : NULL};
}

/* ---- reading ---- */

typedef struct json *to_knative(const struct json *document, const struct place *place);

static void read_all(struct knative_call *call, const char *kind, to_knative *make) {
    struct json *all = json_new_array();
    for (size_t i = 0; i < call->run->service_count; i++) {
        const struct service *service = call->run->services[i];
        struct place place = service_place(call, service);
        if (service_is_here(call, service))
            json_append(all, make(service->document, &place));
    }
    AUTO_FREE char *list = text_format("%sList", kind);
    reply_list(call, list, all);
}

static void read_one(struct knative_call *call, const char *kind, to_knative *make) {
    const struct service *service = find_service(call, call->path->name);
    if (!service) {
        reply_nothing(call, kind);
        return;
    }
    struct place place = service_place(call, service);
    reply_json(call->reply, 200, make(service->document, &place));
}

/* ---- writing ---- */

/* The body, normalised, and about the service that the path names. */
static struct json *read_body(const struct knative_call *call, struct error *error) {
    const struct request *request = call->request;
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", error);
    const struct json *metadata = json_get(body, "metadata");
    const char *space = json_get_text(metadata, "namespace", call->path->project);
    if (!body)
        return NULL;
    if (!json_is_object(body))
        error_set(error, ERROR_DATA, "Invalid JSON payload received. Root element must be a message.");
    else if (message_normalise(&knative_service_message, body, "service", error) < 0)
        return NULL;
    else if (!text_equal(space, call->run->cloud->project) && !text_equal(space, call->run->cloud->number))
        error_set(error, ERROR_DATA, "metadata.namespace: must be '%s'", call->path->project);
    else if (call->path->name && !text_equal(json_get_text(metadata, "name", call->path->name), call->path->name))
        error_set(error, ERROR_DATA, "metadata.name: must be '%s'", call->path->name);
    else
        return json_share(body);
    return NULL;
}

/* What the service would be: with what v1 has no word for, as it was. */
static struct json *apply(const struct knative_call *call, const struct service *service, const struct json *body,
                          struct error *error) {
    AUTO_JSON struct json *mine = service_to_run(body, error);
    if (!mine || !service)
        return mine ? json_share(mine) : NULL;
    struct place place = service_place(call, service);
    AUTO_JSON struct json *shown = service_to_knative(service->document, &place);
    AUTO_JSON struct json *base =
        message_normalise(&knative_service_message, shown, "service", error) == 0 ? service_to_run(shown, error) : NULL;
    return base ? json_merge_change(base, service->document, mine) : NULL;
}

static bool is_stale(const struct service *service, const struct json *body) {
    const char *asked = json_get_text(json_get(body, "metadata"), "resourceVersion", NULL);
    AUTO_FREE char *current = etag_plain(json_get_text(service->document, "etag", NULL));
    return asked && !text_equal(asked, current);
}

static void reply_written(struct knative_call *call, const struct service *service) {
    struct place place = service_place(call, service);
    reply_json(call->reply, 200, service_to_knative(service->document, &place));
}

static void reply_dry(struct knative_call *call, struct json *validated) {
    struct place place = {call->path->region, call->run->cloud->number, NULL};
    reply_json(call->reply, 200, service_to_knative(validated, &place));
    json_release(&validated);
}

static void put(struct knative_call *call, const char *name, struct service *service, const struct json *body) {
    struct error error = {0};
    struct json *validated = NULL, *after = apply(call, service, body, &error);
    struct service_write write = {.path = call->path,
                                  .name = name,
                                  .request = call->request,
                                  .validate_only = text_equal(request_query(call->request, "dryRun"), "all"),
                                  .validated = &validated};
    if (!after || service_put(call->run, &write, after, &service, &error) < 0)
        reply_refusal(call->reply, &error);
    else if (validated)
        reply_dry(call, validated);
    else
        reply_written(call, service);
}

/* POST of a new one, PUT of one that there is. */
static void write_service(struct knative_call *call, bool create) {
    struct error error = {0};
    AUTO_JSON struct json *body = read_body(call, &error);
    const struct json *metadata = json_get(body, "metadata");
    const char *name = call->path->name ? call->path->name : json_get_text(metadata, "name", "");
    const char *region = json_get_text(json_get(metadata, "labels"), "cloud.googleapis.com/location", NULL);
    struct service *service = body ? find_service(call, name) : NULL;
    if (!body)
        reply_refusal(call->reply, &error);
    else if (create && service)
        reply_google_error(call->reply, 409, "Resource '%s' already exists.", name);
    else if (!create && !service)
        reply_nothing(call, "SERVICE");
    else if (service && is_stale(service, body))
        reply_google_status(call->reply, 409, "ABORTED", NULL,
                            "Conflict for resource '%s': version '%s' was specified but it has been changed since.",
                            name, json_get_text(metadata, "resourceVersion", ""));
    else if (text_equal(call->path->region, "-") && !service && !region)
        reply_google_error(call->reply, 400,
                           "Say in which region: ask http://REGION-run.googleapis.localhost:%u, or set the label "
                           "cloud.googleapis.com/location",
                           call->run->cloud->port);
    else {
        if (text_equal(call->path->region, "-")) {
            free(call->path->region);
            call->path->region = text_copy(service ? service->region : region);
        }
        put(call, name, service, body);
    }
}

static void delete_service(struct knative_call *call) {
    struct service *service = find_service(call, call->path->name);
    if (!service) {
        reply_nothing(call, "SERVICE");
        return;
    }
    if (!text_equal(request_query(call->request, "dryRun"), "all"))
        service_delete(call->run, service);
    reply_success(call->reply);
}

void knative_services(struct knative_call *call) {
    pthread_mutex_lock(&call->run->lock);
    if (request_is(call->request, "GET") && call->path->name)
        read_one(call, "SERVICE", service_to_knative);
    else if (request_is(call->request, "GET"))
        read_all(call, "Service", service_to_knative);
    else if (request_is(call->request, "POST") && !call->path->name)
        write_service(call, true);
    else if (request_is(call->request, "PUT") && call->path->name)
        write_service(call, false);
    else if (request_is(call->request, "DELETE") && call->path->name)
        delete_service(call);
    pthread_mutex_unlock(&call->run->lock);
}

static void read_only(struct knative_call *call, const char *kind, const char *shouted, to_knative *make) {
    pthread_mutex_lock(&call->run->lock);
    if (request_is(call->request, "GET") && call->path->name)
        read_one(call, shouted, make);
    else if (request_is(call->request, "GET"))
        read_all(call, kind, make);
    pthread_mutex_unlock(&call->run->lock);
}

void knative_routes(struct knative_call *call) {
    read_only(call, "Route", "ROUTE", route_to_knative);
}

void knative_configurations(struct knative_call *call) {
    read_only(call, "Configuration", "CONFIGURATION", configuration_to_knative);
}
