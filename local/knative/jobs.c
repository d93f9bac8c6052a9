/* Requests about jobs. */
#include "common/file/file.h"
#include "local/knative/internal.h"
#include "local/knative/metadata.h"
#include "local/knative/schema.h"

#include <string.h>

bool job_is_here(const struct knative_call *call, const struct job *job) {
    return !job->deleted && (text_equal(call->path->region, "-") || text_equal(call->path->region, job->region));
}

static struct job *find_job(const struct knative_call *call, const char *name) {
    for (size_t i = 0; i < call->run->job_count; i++)
        if (job_is_here(call, call->run->jobs[i]) && text_equal(call->run->jobs[i]->name, name))
            return call->run->jobs[i];
    return NULL;
}

struct place job_place(const struct knative_call *call, const struct job *job) {
    size_t count = json_count(job->operations);
    const char *name = json_get_text(count ? json_at(job->operations, count - 1) : NULL, "name", NULL);
    const char *slash = name ? strrchr(name, '/') : NULL;
    return (struct place){job->region, call->run->cloud->number, slash ? slash + 1 : NULL};
}

static void list_jobs(struct knative_call *call) {
    struct json *all = json_new_array();
    for (size_t i = 0; i < call->run->job_count; i++) {
        const struct job *job = call->run->jobs[i];
        struct place place = job_place(call, job);
        if (job_is_here(call, job))
            json_append(all, job_to_knative(job->document, &place));
    }
    reply_list(call, "JobList", all);
}

static void reply_job(struct knative_call *call, const struct job *job) {
    struct place place = job_place(call, job);
    reply_json(call->reply, 200, job_to_knative(job->document, &place));
}

/* ---- writing ---- */

/* The body, normalised, and about the job that the path names. */
static struct json *read_body(const struct knative_call *call, struct error *error) {
    const struct request *request = call->request;
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", error);
    const char *name = call->path->name;
    if (!body)
        return NULL;
    if (!json_is_object(body))
        error_set(error, ERROR_DATA, "Invalid JSON payload received. Root element must be a message.");
    else if (message_normalise(&knative_job_message, body, "job", error) < 0)
        return NULL;
    else if (name && !text_equal(json_get_text(json_get(body, "metadata"), "name", name), name))
        error_set(error, ERROR_DATA, "metadata.name: must be '%s'", name);
    else
        return json_share(body);
    return NULL;
}

static bool is_stale(const struct job *job, const struct json *body) {
    const char *asked = json_get_text(json_get(body, "metadata"), "resourceVersion", NULL);
    AUTO_FREE char *current = etag_plain(json_get_text(job->document, "etag", NULL));
    return asked && !text_equal(asked, current);
}

/* What v1 has no word for stays as it was: the job as v1 shows it, and what the client made of that, side by side. */
static struct json *apply(const struct knative_call *call, const struct job *job, const struct json *body,
                          struct error *error) {
    AUTO_JSON struct json *mine = job_to_run(body, error);
    if (!mine || !job)
        return mine ? json_share(mine) : NULL;
    struct place place = job_place(call, job);
    AUTO_JSON struct json *shown = job_to_knative(job->document, &place);
    AUTO_JSON struct json *base =
        message_normalise(&knative_job_message, shown, "job", error) == 0 ? job_to_run(shown, error) : NULL;
    return base ? json_merge_change(base, job->document, mine) : NULL;
}

static void put(struct knative_call *call, const char *name, struct job *job, const struct json *body) {
    struct error error = {0};
    struct json *validated = NULL, *after = apply(call, job, body, &error);
    const struct service_write write = {.path = call->path,
                                        .name = name,
                                        .request = call->request,
                                        .validate_only = text_equal(request_query(call->request, "dryRun"), "all"),
                                        .validated = &validated};
    if (!after || job_put(call->run, &write, after, &job, &error) < 0) {
        reply_refusal(call->reply, &error);
    } else if (validated) {
        struct place place = {call->path->region, call->run->cloud->number, NULL};
        reply_json(call->reply, 200, job_to_knative(validated, &place));
        json_release(&validated);
    } else {
        reply_job(call, job);
    }
    error_clear(&error);
}

/* POST of a new one, PUT of one that there is. */
static void write_job(struct knative_call *call, bool create) {
    struct error error = {0};
    AUTO_JSON struct json *body = read_body(call, &error);
    const struct json *metadata = json_get(body, "metadata");
    const char *name = call->path->name ? call->path->name : json_get_text(metadata, "name", "");
    const char *region = json_get_text(json_get(metadata, "labels"), "cloud.googleapis.com/location", NULL);
    struct job *job = body ? find_job(call, name) : NULL;
    if (!body) {
        reply_refusal(call->reply, &error);
    } else if (create && job) {
        reply_google_error(call->reply, 409, "Resource '%s' already exists.", name);
    } else if (!create && !job) {
        reply_nothing(call, "JOB");
    } else if (job && is_stale(job, body)) {
        reply_google_status(call->reply, 409, "ABORTED", NULL,
                            "Conflict for resource '%s': version '%s' was specified but it has been changed since.",
                            name, json_get_text(metadata, "resourceVersion", ""));
    } else if (text_equal(call->path->region, "-") && !job && !region) {
        reply_google_error(call->reply, 400,
                           "Say in which region: ask http://REGION-run.googleapis.localhost:%u, or set the label "
                           "cloud.googleapis.com/location",
                           call->run->cloud->port);
    } else {
        if (text_equal(call->path->region, "-")) {
            free(call->path->region);
            call->path->region = text_copy(job ? job->region : region);
        }
        put(call, name, job, body);
    }
    error_clear(&error);
}

static void delete_job(struct knative_call *call, struct job *job) {
    if (!text_equal(request_query(call->request, "dryRun"), "all"))
        job_delete(call->run, job);
    reply_success(call->reply);
}

/* ---- executing ---- */

/* The answer is the execution, as it is when it has begun. */
static void run_job(struct knative_call *call, struct job *job) {
    const struct request *request = call->request;
    struct error error = {0};
    AUTO_FREE char *operation = NULL;
    AUTO_JSON struct json *body =
        request->body.length ? json_parse(buffer_text(&request->body), request->body.length, "the request", &error)
                             : json_new_object();
    bool good = body && message_normalise(&knative_run_message, body, "run_job_request", &error) == 0;
    AUTO_JSON struct json *overrides = good ? overrides_to_run(json_get(body, "overrides")) : NULL;
    const struct service_write write = {.path = call->path, .request = request};
    if (!good || job_run(call->run, job, &write, overrides, &operation, &error) < 0) {
        reply_refusal(call->reply, &error);
        error_clear(&error);
        return;
    }
    struct place place = job_place(call, job);
    const struct json *begun = json_get(operation_find(call->run, operation, NULL), "metadata");
    const struct execution *execution = execution_find(job, path_base(json_get_text(begun, "name", "")));
    reply_json(call->reply, 200, execution_to_knative(execution ? execution->document : begun, &place));
}

static void one_job(struct knative_call *call) {
    struct job *job = find_job(call, call->path->name);
    const char *verb = call->path->verb;
    if (request_is(call->request, "PUT") && !verb)
        write_job(call, false);
    else if (!job)
        reply_nothing(call, "JOB");
    else if (text_equal(verb, "run") && request_is(call->request, "POST"))
        run_job(call, job);
    else if (!verb && request_is(call->request, "GET"))
        reply_job(call, job);
    else if (!verb && request_is(call->request, "DELETE"))
        delete_job(call, job);
}

void knative_jobs(struct knative_call *call) {
    pthread_mutex_lock(&call->run->lock);
    if (call->path->name)
        one_job(call);
    else if (request_is(call->request, "GET"))
        list_jobs(call);
    else if (request_is(call->request, "POST"))
        write_job(call, true);
    pthread_mutex_unlock(&call->run->lock);
}
