/* Requests about jobs. */
#include "local/run/jobs.h"

#include "common/crypto/random.h"
#include "local/iam/policy.h"
#include "local/run/message.h"
#include "local/run/resource.h"

#include <string.h>

enum { NAME_MOST = 57 /* an execution's name has six characters more */ };

struct job *job_find(const struct run *run, const char *project, const char *region, const char *name) {
    for (size_t i = 0; i < run->job_count; i++) {
        struct job *job = run->jobs[i];
        if (!job->deleted && text_equal(job->name, name) && text_equal(job->region, region) &&
            text_equal(job->project, project))
            return job;
    }
    return NULL;
}

static void list_jobs(const struct run *run, const struct run_path *path, const struct request *request,
                      struct reply *reply) {
    struct json *answer = json_new_object(), *all = json_new_array();
    for (size_t i = 0; i < run->job_count; i++) {
        const struct job *job = run->jobs[i];
        if (!job->deleted && (text_equal(path->region, "-") || text_equal(path->region, job->region)))
            json_append(all, json_share(job->document));
    }
    resource_list_page(answer, "jobs", all, request);
    reply_json(reply, 200, answer);
}

/* ---- writing ---- */

static struct job *job_new(struct run *run, const struct run_path *path, const char *name) {
    struct job *job = memory_allocate(1, sizeof(*job));
    char uid[33];
    random_hex(uid, sizeof(uid));
    job->project = text_copy(run->cloud->project);
    job->region = text_copy(path->region);
    job->name = text_copy(name);
    job->policy = json_new_object();
    json_set_text(job->policy, "etag", "ACAB");
    job->operations = json_new_array();
    job->document = json_new_object();
    AUTO_FREE char *full = text_format("projects/%s/locations/%s/jobs/%s", job->project, job->region, name);
    AUTO_FREE char *id = text_format("%.8s-%.4s-%.4s-%.4s-%.12s", uid, uid + 8, uid + 12, uid + 16, uid + 20);
    json_set_text(job->document, "name", full);
    json_set_text(job->document, "uid", id);
    run->jobs = memory_resize(run->jobs, run->job_count + 1, sizeof(struct job *));
    run->jobs[run->job_count++] = job;
    return job;
}

/* Ready when its image is there; else the google.rpc.Status of the operation. */
static struct json *conclude(const struct run *run, struct json *document) {
    enum { FAILED_PRECONDITION = 9 };
    const struct json *container = json_at(json_get_path(document, "template.template.containers"), 0);
    const char *reference = json_get_text(container, "image", "");
    AUTO_IMAGE struct image image = {0};
    struct error error = {0};
    json_set_text(document, "observedGeneration", json_get_text(document, "generation", NULL));
    if (registry_find_image(run->cloud, reference, &image, &error) == 0) {
        json_set(document, "terminalCondition", condition_new("Ready", "SUCCEEDED", NULL, NULL, NULL));
        return NULL;
    }
    AUTO_FREE char *message =
        error.kind == ERROR_DATA
            ? text_format("The container image is for the architecture %.60s; Cloud Run supports linux/amd64.",
                          error.text)
            : text_format("Image '%.300s' not found.", reference);
    struct json *status = json_new_object();
    json_set(document, "terminalCondition", condition_new("Ready", "FAILED", "reason", "CONTAINER_MISSING", message));
    json_set_integer(status, "code", FAILED_PRECONDITION);
    json_set_text(status, "message", message);
    error_clear(&error);
    return status;
}

/* What only the server says stays as it was. */
static void keep_server_fields(const struct json *before, struct json *after) {
    static const char *const kept[] = {
        "name", "uid", "generation", "createTime", "creator", "executionCount", "latestCreatedExecution"};
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        if (json_get(before, kept[i]))
            json_set(after, kept[i], json_copy_deep(json_get(before, kept[i])));
}

static void take_change(struct run *run, struct job *job, struct json *after, const char *principal) {
    bool is_new = !json_get(job->document, "createTime");
    keep_server_fields(job->document, after);
    json_release(&job->document);
    job->document = after;
    resource_touch(after, principal, is_new);
    AUTO_FREE char *operation = text_copy(operation_new(job->operations, after));
    operation_finish(run, operation, after, conclude(run, after));
    job_state_save(run, job);
}

static int check_write(const struct run *run, const struct job *job, const struct service_write *write,
                       const struct json *after, struct error *error) {
    const struct deploying deploying = {
        .account = json_get_text(json_get_path(after, "template.template"), "serviceAccount", NULL),
        .create = job ? NULL : "run.jobs.create"};
    if (!resource_is_name(write->name, NAME_MOST))
        return error_set(error, ERROR_DATA,
                         "The job name \"%.80s\" is invalid: only lower-case letters, digits and hyphens; it must "
                         "begin with a letter, may not end with a hyphen and must have at most %d characters.",
                         write->name, NAME_MOST);
    if (!job && run->job_count >= JOBS_LIMIT)
        return error_set(error, ERROR_TEMPORARY, "The local cloud has no room for more than %d jobs.", JOBS_LIMIT);
    if (job_validate(after, error) < 0)
        return -1;
    return resource_check_deployer(run, write->path, &deploying, write->request, error);
}

int job_put(struct run *run, const struct service_write *write, struct json *after, struct job **job,
            struct error *error) {
    struct job *found = job_find(run, run->cloud->project, write->path->region, write->name);
    job_fill(run, after);
    if (check_write(run, found, write, after, error) < 0) {
        json_release(&after);
        return -1;
    }
    *job = found;
    if (write->validate_only) {
        keep_server_fields(found ? found->document : NULL, after);
        *write->validated = after;
        return 0;
    }
    *job = found ? found : job_new(run, write->path, write->name);
    take_change(run, *job, after, write->request->principal);
    return 0;
}

static struct json *read_body(const struct request *request, const struct message *message, const char *name,
                              struct error *error) {
    AUTO_JSON struct json *body =
        request->body.length ? json_parse(buffer_text(&request->body), request->body.length, "the request", error)
                             : json_new_object();
    if (body && !json_is_object(body))
        error_set(error, ERROR_DATA, "Invalid JSON payload received. Root element must be a message.");
    else if (body && message_normalise(message, body, name, error) == 0)
        return take_pointer(&body);
    return NULL;
}

static void put(struct run *run, const struct run_path *path, const char *name, struct json *body,
                const struct request *request, struct reply *reply) {
    struct error error = {0};
    struct json *validated = NULL;
    struct job *job = NULL;
    const struct service_write write = {.path = path,
                                        .name = name,
                                        .request = request,
                                        .validate_only = text_equal(request_query(request, "validateOnly"), "true"),
                                        .validated = &validated};
    json_remove(body, "name");
    json_remove(body, "etag");
    if (job_put(run, &write, body, &job, &error) < 0)
        resource_refuse(reply, &error);
    else if (validated)
        resource_reply_validated(path, "Job", validated, reply);
    else
        reply_json(reply, 200, json_copy_deep(json_at(job->operations, json_count(job->operations) - 1)));
    error_clear(&error);
}

/* PATCH, or POST of a new one: what the client sends replaces all that was there. */
static void write_job(struct run *run, const struct run_path *path, const char *name, bool create,
                      const struct request *request, struct reply *reply) {
    const struct job *job = job_find(run, run->cloud->project, path->region, name);
    struct error error = {0};
    bool allow_missing = create || text_equal(request_query(request, "allowMissing"), "true");
    AUTO_JSON struct json *body = NULL;
    if (!job && !allow_missing)
        reply_missing(reply, path, "JOB", path->name);
    else if (job && create)
        reply_google_error(reply, 409, "Resource '%s' already exists.", name);
    else if (!(body = read_body(request, &job_message, "job", &error)))
        resource_refuse(reply, &error);
    else if (job && resource_etag_differs(job->document, json_get_text(body, "etag", NULL)))
        resource_reply_conflict(job->name, reply);
    else
        put(run, path, name, json_share(body), request, reply);
    error_clear(&error);
}

void job_delete(struct run *run, struct job *job) {
    char now[40];
    run_time_now(now, sizeof(now));
    job->deleted = true;
    job_state_remove(run, job);
    json_set_text(job->document, "deleteTime", now);
    for (size_t i = 0; i < job->execution_count; i++)
        execution_cancel(run, job, job->executions[i]);
}

static void delete_job(struct run *run, struct job *job, const struct request *request, struct reply *reply) {
    if (resource_etag_differs(job->document, request_query(request, "etag"))) {
        resource_reply_conflict(job->name, reply);
        return;
    }
    AUTO_FREE char *name = text_copy(operation_new(job->operations, job->document));
    if (!text_equal(request_query(request, "validateOnly"), "true"))
        job_delete(run, job);
    operation_finish(run, name, job->document, NULL);
    reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
}

/* ---- executing ---- */

static int check_overrides(const struct run *run, const struct job *job, const struct request *request,
                           struct error *error) {
    static const char permission[] = "run.jobs.runWithOverrides";
    if (policy_permits(job->policy, &request->members, permission) || request_may(run->cloud, request, permission))
        return 0;
    return error_set(error, ERROR_PERMISSION, "Permission '%s' denied on resource '%s' (or resource may not exist).",
                     permission, json_get_text(job->document, "name", ""));
}

int job_run(struct run *run, struct job *job, const struct service_write *write, const struct json *overrides,
            char **operation, struct error *error) {
    AUTO_JSON struct json *template = json_copy_deep(json_get(job->document, "template"));
    *operation = NULL;
    if (overrides &&
        (check_overrides(run, job, write->request, error) < 0 || job_override(template, overrides, error) < 0))
        return -1;
    if (!write->validate_only)
        *operation = execution_begin(run, job, template, write->request->principal);
    return 0;
}

static void run_job(struct run *run, struct job *job, const struct run_path *path, const struct request *request,
                    struct reply *reply) {
    struct error error = {0};
    AUTO_JSON struct json *body = read_body(request, &run_job_message, "run_job_request", &error);
    const struct service_write write = {
        .path = path, .request = request, .validate_only = json_get_bool(body, "validateOnly", false)};
    AUTO_FREE char *operation = NULL;
    if (body && resource_etag_differs(job->document, json_get_text(body, "etag", NULL)))
        resource_reply_conflict(job->name, reply);
    else if (!body || job_run(run, job, &write, json_get(body, "overrides"), &operation, &error) < 0)
        resource_refuse(reply, &error);
    else if (!operation)
        resource_reply_validated(path, "Execution", json_new_object(), reply);
    else
        reply_json(reply, 200, json_copy_deep(operation_find(run, operation, NULL)));
    error_clear(&error);
}

/* ---- requests ---- */

static void one_job(struct run *run, const struct run_path *path, const struct request *request, struct reply *reply) {
    struct job *job = job_find(run, run->cloud->project, path->region, path->name);
    bool any = text_equal(path->name, "-") && path->child;
    if (!path->child && !path->verb && request_is(request, "PATCH"))
        write_job(run, path, path->name, false, request, reply);
    else if (!job && !any)
        reply_missing(reply, path, "JOB", path->name);
    else if (text_equal(path->child, "executions"))
        executions_handle(run, job, path, request, reply);
    else if (path->child)
        return;
    else if (text_equal(path->verb, "run") && request_is(request, "POST"))
        run_job(run, job, path, request, reply);
    else if (!path->verb && request_is(request, "GET"))
        reply_json(reply, 200, json_share(job->document));
    else if (!path->verb && request_is(request, "DELETE"))
        delete_job(run, job, request, reply);
}

void jobs_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    pthread_mutex_lock(&run->lock);
    if (path->name) {
        one_job(run, path, request, reply);
    } else if (request_is(request, "GET") && !path->verb) {
        list_jobs(run, path, request, reply);
    } else if (request_is(request, "POST") && !path->verb) {
        const char *id = request_query(request, "jobId");
        write_job(run, path, id ? id : "", true, request, reply);
    }
    pthread_mutex_unlock(&run->lock);
}
