/* Long-running operations: kept with their service, the last OPERATIONS_KEPT of them. */
#include "common/crypto/random.h"
#include "local/run/internal.h"

#include <string.h>
#include <time.h>

enum { OPERATIONS_KEPT = 20 };

/* The service as a google.protobuf.Any. */
static struct json *any_of(const struct service *service) {
    struct json *metadata = json_copy_deep(service->document);
    json_set_text(metadata, "@type", "type.googleapis.com/google.cloud.run.v2.Service");
    return metadata;
}

const char *operation_new(struct service *service) {
    struct json *operation = json_new_object();
    char hex[33];
    random_hex(hex, sizeof(hex));
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/operations/%.8s-%.4s-%.4s-%.4s-%.12s",
                                       service->project, service->region, hex, hex + 8, hex + 12, hex + 16, hex + 20);
    json_set_text(operation, "name", name);
    json_set(operation, "metadata", any_of(service));
    while (json_count(service->operations) >= OPERATIONS_KEPT)
        json_remove_at(service->operations, 0);
    json_append(service->operations, operation);
    return json_get_text(operation, "name", NULL);
}

void operation_finish(struct run *run, struct service *service, const char *name, struct json *failure) {
    struct json *operation = operation_find(run, name, NULL);
    if (operation) {
        json_set(operation, "metadata", any_of(service));
        json_set_bool(operation, "done", true);
        if (failure)
            json_set(operation, "error", json_share(failure));
        else
            json_set(operation, "response", any_of(service));
    }
    json_release(&failure);
    pthread_cond_broadcast(&run->changed);
}

struct json *operation_find(const struct run *run, const char *name, struct service **service) {
    for (size_t i = 0; i < run->service_count; i++) {
        const struct json *list = run->services[i]->operations;
        for (size_t j = json_count(list); j-- > 0;) {
            if (!text_equal(json_get_text(json_at(list, j), "name", NULL), name))
                continue;
            if (service)
                *service = run->services[i];
            return json_at(list, j);
        }
    }
    return NULL;
}

/* ---- requests ---- */

static void wait_for(struct run *run, const char *name, const struct request *request) {
    enum { WAIT_DEFAULT = 30, WAIT_MOST = 60 };
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    AUTO_FREE char *timeout = text_copy(json_get_text(body, "timeout", ""));
    uint64_t seconds = WAIT_DEFAULT;
    timeout[strcspn(timeout, ".s")] = '\0';
    if (!text_to_u64(timeout, INT32_MAX, &seconds))
        seconds = WAIT_DEFAULT;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(seconds < WAIT_MOST ? seconds : WAIT_MOST);
    while (!atomic_load(&run->stopping)) {
        const struct json *operation = operation_find(run, name, NULL);
        if (!operation || json_get_bool(operation, "done", false) ||
            pthread_cond_timedwait(&run->changed, &run->lock, &end) != 0)
            return;
    }
}

static void list_operations(const struct run *run, const struct run_path *path, struct reply *reply) {
    struct json *answer = json_new_object(), *all = json_new_array();
    for (size_t i = 0; i < run->service_count; i++)
        for (size_t j = json_count(run->services[i]->operations); j-- > 0;)
            if (text_equal(path->region, "-") || text_equal(path->region, run->services[i]->region))
                json_append(all, json_copy_deep(json_at(run->services[i]->operations, j)));
    json_set(answer, "operations", all);
    reply_json(reply, 200, answer);
}

static void delete_operation(struct service *service, const char *name) {
    for (size_t i = json_count(service->operations); i-- > 0;)
        if (text_equal(json_get_text(json_at(service->operations, i), "name", NULL), name))
            json_remove_at(service->operations, i);
}

void operations_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/operations/%s", run->cloud->project, path->region,
                                       path->name ? path->name : "");
    pthread_mutex_lock(&run->lock);
    struct service *service = NULL;
    if (!path->name) {
        list_operations(run, path, reply);
    } else if (!operation_find(run, name, &service)) {
        reply_google_error(reply, 404, "Operation '%s' not found.", path->name);
    } else if (text_equal(path->verb, "wait") && request_is(request, "POST")) {
        wait_for(run, name, request);
        struct json *operation = operation_find(run, name, NULL);
        if (operation)
            reply_json(reply, 200, json_copy_deep(operation));
        else
            reply_google_error(reply, 404, "Operation '%s' not found.", path->name);
    } else if (!path->verb && request_is(request, "GET")) {
        reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
    } else if (!path->verb && request_is(request, "DELETE")) {
        delete_operation(service, name);
        reply_json(reply, 200, json_new_object());
    }
    pthread_mutex_unlock(&run->lock);
}
