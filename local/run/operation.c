/* Long-running operations: kept with their service or job, the last OPERATIONS_KEPT of them that are done. */
#include "common/crypto/random.h"
#include "local/run/internal.h"
#include "local/run/jobs.h"
#include "local/run/reserved.h"

#include <string.h>
#include <time.h>

enum { OPERATIONS_KEPT = 20 };

/* A resource as a google.protobuf.Any. */
static struct json *any_of(const struct json *resource) {
    const char *name = json_get_text(resource, "name", "");
    const char *type = strstr(name, "/executions/") ? "Execution" : strstr(name, "/jobs/") ? "Job" : "Service";
    AUTO_FREE char *full = text_format("type.googleapis.com/google.cloud.run.v2.%s", type);
    struct json *any = reserved_hide(resource);
    json_set_text(any, "@type", full);
    return any;
}

static void drop_oldest(struct json *operations) {
    for (size_t i = 0; i < json_count(operations) && json_count(operations) >= OPERATIONS_KEPT; i++)
        if (json_get_bool(json_at(operations, i), "done", false))
            json_remove_at(operations, i--);
}

const char *operation_new(struct json *operations, const struct json *subject) {
    struct json *operation = json_new_object();
    char hex[33];
    random_hex(hex, sizeof(hex));
    /* "projects/P/locations/R" */
    const char *resource = json_get_text(subject, "name", ""), *end = resource;
    for (int slashes = 0; *end && (*end != '/' || ++slashes < 4);)
        end++;
    AUTO_FREE char *name = text_format("%.*s/operations/%.8s-%.4s-%.4s-%.4s-%.12s", (int)(end - resource), resource,
                                       hex, hex + 8, hex + 12, hex + 16, hex + 20);
    json_set_text(operation, "name", name);
    json_set(operation, "metadata", any_of(subject));
    drop_oldest(operations);
    json_append(operations, operation);
    return json_get_text(operation, "name", NULL);
}

void operation_finish(struct run *run, const char *name, const struct json *subject, struct json *failure) {
    struct json *operation = operation_find(run, name, NULL);
    if (operation) {
        json_set(operation, "metadata", any_of(subject));
        json_set_bool(operation, "done", true);
        if (failure)
            json_set(operation, "error", json_share(failure));
        else
            json_set(operation, "response", any_of(subject));
    }
    json_release(&failure);
    pthread_cond_broadcast(&run->changed);
}

void operations_abandon(struct json *operations) {
    enum { ABORTED = 10 };
    for (size_t i = 0; i < json_count(operations); i++) {
        if (json_get_bool(json_at(operations, i), "done", false))
            continue;
        struct json *status = json_new_object();
        json_set_integer(status, "code", ABORTED);
        json_set_text(status, "message", "The local cloud was stopped while the operation went on.");
        json_set_bool(json_at(operations, i), "done", true);
        json_set(json_at(operations, i), "error", status);
    }
}

static struct json *find_in(struct json *list, const char *name) {
    for (size_t i = json_count(list); i-- > 0;)
        if (text_equal(json_get_text(json_at(list, i), "name", NULL), name))
            return json_at(list, i);
    return NULL;
}

/* The operations of the service or job number `index`, services first. NULL: there is no such one. */
static struct json *operations_of(const struct run *run, size_t index, const char **region) {
    bool service = index < run->service_count;
    if (!service && index - run->service_count >= run->job_count)
        return NULL;
    const struct job *job = service ? NULL : run->jobs[index - run->service_count];
    *region = service ? run->services[index]->region : job->region;
    return service ? run->services[index]->operations : job->operations;
}

struct json *operation_find(const struct run *run, const char *name, struct json **operations) {
    const char *region;
    struct json *list, *found = NULL;
    for (size_t i = 0; !found && (list = operations_of(run, i, &region)); i++) {
        found = find_in(list, name);
        if (found && operations)
            *operations = list;
    }
    return found;
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
    struct json *answer = json_new_object(), *all = json_new_array(), *list;
    const char *region;
    for (size_t i = 0; (list = operations_of(run, i, &region)); i++)
        for (size_t j = json_count(list); j-- > 0;)
            if (text_equal(path->region, "-") || text_equal(path->region, region))
                json_append(all, json_copy_deep(json_at(list, j)));
    json_set(answer, "operations", all);
    reply_json(reply, 200, answer);
}

void operation_forget(struct json *operations, const char *name) {
    for (size_t i = json_count(operations); i-- > 0;)
        if (text_equal(json_get_text(json_at(operations, i), "name", NULL), name))
            json_remove_at(operations, i);
}

void operations_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/operations/%s", run->cloud->project, path->region,
                                       path->name ? path->name : "");
    pthread_mutex_lock(&run->lock);
    struct json *operations = NULL;
    if (!path->name) {
        list_operations(run, path, reply);
    } else if (!operation_find(run, name, &operations)) {
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
        operation_forget(operations, name);
        reply_json(reply, 200, json_new_object());
    }
    pthread_mutex_unlock(&run->lock);
}
