/* Executions of jobs: their documents, their end, and the requests about them. */
#include "common/crypto/random.h"
#include "local/run/jobs.h"
#include "local/run/resource.h"

#include <string.h>

enum { SUFFIX_LENGTH = 5 };

struct execution *execution_find(const struct job *job, const char *name) {
    for (size_t i = 0; i < job->execution_count; i++)
        if (!job->executions[i]->deleted && text_equal(job->executions[i]->name, name))
            return job->executions[i];
    return NULL;
}

void execution_free(struct execution *execution) {
    json_release(&execution->document);
    json_release(&execution->tasks);
    free(execution->operation);
    free(execution->name);
    free(execution);
}

/* ---- what became of its tasks ---- */

struct counts {
    int64_t running, succeeded, failed, cancelled, retried;
    const struct json *first_failed;
};

static const struct json *completed(const struct json *document) {
    const struct json *conditions = json_get(document, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Completed"))
            return json_at(conditions, i);
    return NULL;
}

static struct counts count_tasks(const struct execution *execution) {
    struct counts counts = {0};
    for (size_t i = 0; i < json_count(execution->tasks); i++) {
        const struct json *task = json_at(execution->tasks, i), *condition = completed(task);
        const char *state = json_get_text(condition, "state", "");
        bool cancelled = text_equal(json_get_text(condition, "executionReason", NULL), "CANCELLED");
        counts.retried += json_get_integer(task, "retried", 0) > 0;
        counts.running += text_equal(state, "CONDITION_RECONCILING");
        counts.succeeded += text_equal(state, "CONDITION_SUCCEEDED");
        if (!text_equal(state, "CONDITION_FAILED"))
            continue;
        counts.cancelled += cancelled;
        counts.failed += !cancelled;
        if (!counts.first_failed && !cancelled)
            counts.first_failed = task;
    }
    return counts;
}

static void set_count(struct json *document, const char *key, int64_t count) {
    if (count > 0)
        json_set_integer(document, key, count);
    else
        json_remove(document, key);
}

static const char stopped[] = "The local cloud was stopped while the execution ran.";

static void set_outcome(struct execution *execution, const struct counts *counts) {
    const char *cancelled = atomic_load(&execution->cancelled) ? "The execution was cancelled." : stopped;
    if (counts->first_failed) {
        AUTO_FREE char *message =
            text_format("Task %s failed with message: %s", json_get_text(counts->first_failed, "name", ""),
                        json_get_text(completed(counts->first_failed), "message", ""));
        condition_put(execution->document,
                      condition_new("Completed", "FAILED", "executionReason", "NON_ZERO_EXIT_CODE", message));
    } else if (counts->cancelled > 0) {
        condition_put(execution->document,
                      condition_new("Completed", "FAILED", "executionReason", "CANCELLED", cancelled));
    } else {
        condition_put(execution->document,
                      condition_new("Completed", "SUCCEEDED", NULL, NULL, "Execution completed successfully."));
    }
}

/* What the job says of the execution that was made last. */
static void note_latest(struct job *job, const struct execution *execution) {
    static const char *const times[] = {"createTime", "completionTime"};
    const char *state = json_get_text(completed(execution->document), "state", "");
    const char *reason = json_get_text(completed(execution->document), "executionReason", NULL);
    const char *status = text_equal(state, "CONDITION_SUCCEEDED") ? "EXECUTION_SUCCEEDED"
                         : text_equal(reason, "CANCELLED")        ? "EXECUTION_CANCELLED"
                         : text_equal(state, "CONDITION_FAILED")  ? "EXECUTION_FAILED"
                                                                  : "EXECUTION_RUNNING";
    struct json *latest = json_new_object();
    if (job->execution_count == 0 || job->executions[job->execution_count - 1] != execution) {
        json_release(&latest);
        return;
    }
    json_set_text(latest, "name", execution->name);
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        json_set_text(latest, times[i], json_get_text(execution->document, times[i], NULL));
    json_set_text(latest, "completionStatus", status);
    json_set(job->document, "latestCreatedExecution", latest);
}

static void conclude(struct run *run, struct job *job, struct execution *execution, const struct counts *counts) {
    char now[40];
    run_time_now(now, sizeof(now));
    json_set_text(execution->document, "completionTime", now);
    json_remove(execution->document, "reconciling");
    set_outcome(execution, counts);
    note_latest(job, execution);
    if (execution->operation)
        operation_finish(run, execution->operation, execution->document, NULL);
    free(take_pointer(&execution->operation));
    if (!job->deleted)
        job_state_save(run, job);
    pthread_cond_broadcast(&run->changed);
}

void execution_count_tasks(struct run *run, struct job *job, struct execution *execution) {
    struct json *document = execution->document;
    char now[40];
    if (json_get(document, "completionTime"))
        return;
    if (execution->workers == 0 && atomic_load(&execution->cancelled))
        tasks_end(execution, "CANCELLED", "The task was cancelled before it began.");
    else if (execution->workers == 0 && atomic_load(&run->stopping))
        tasks_end(execution, "CANCELLED", stopped);
    struct counts counts = count_tasks(execution);
    run_time_now(now, sizeof(now));
    json_set_text(document, "updateTime", now);
    set_count(document, "runningCount", counts.running);
    set_count(document, "succeededCount", counts.succeeded);
    set_count(document, "failedCount", counts.failed);
    set_count(document, "cancelledCount", counts.cancelled);
    set_count(document, "retriedCount", counts.retried);
    if (counts.running > 0 && !json_get(document, "startTime")) {
        json_set_text(document, "startTime", now);
        condition_put(document, condition_new("Started", "SUCCEEDED", NULL, NULL, NULL));
    }
    if ((size_t)(counts.succeeded + counts.failed + counts.cancelled) == json_count(execution->tasks))
        conclude(run, job, execution, &counts);
}

/* ---- a new one ---- */

/* Five letters and digits, without those that look or read like others. */
static char *choose_name(const struct job *job) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    for (;;) {
        unsigned char bytes[SUFFIX_LENGTH];
        char suffix[SUFFIX_LENGTH + 1] = "";
        random_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < SUFFIX_LENGTH; i++)
            suffix[i] = letters[bytes[i] % (sizeof(letters) - 1)];
        char *name = text_format("%s-%s", job->name, suffix);
        if (!execution_find(job, name))
            return name;
        free(name);
    }
}

static struct json *document_new(const struct job *job, const struct json *template, const char *name,
                                 const char *principal) {
    static const char *const copied[] = {"labels", "annotations", "client", "clientVersion"};
    struct json *document = json_new_object();
    char uid[33], etag[17], now[40];
    random_hex(uid, sizeof(uid));
    random_hex(etag, sizeof(etag));
    run_time_now(now, sizeof(now));
    AUTO_FREE char *full = text_format("%s/executions/%s", json_get_text(job->document, "name", ""), name);
    AUTO_FREE char *id = text_format("%.8s-%.4s-%.4s-%.4s-%.12s", uid, uid + 8, uid + 12, uid + 16, uid + 20);
    AUTO_FREE char *quoted = text_format("\"%s\"", etag);
    int64_t count = json_get_integer(template, "taskCount", 1),
            parallelism = json_get_integer(template, "parallelism", 0);
    json_set_text(document, "name", full);
    json_set_text(document, "uid", id);
    json_set_text(document, "creator", principal);
    json_set_text(document, "generation", "1");
    for (size_t i = 0; i < ARRAY_LENGTH(copied); i++)
        if (json_get(template, copied[i]))
            json_set(document, copied[i], json_copy_deep(json_get(template, copied[i])));
    json_set_text(document, "createTime", now);
    json_set_text(document, "updateTime", now);
    json_set_text(document, "launchStage", json_get_text(job->document, "launchStage", "GA"));
    json_set_text(document, "job", job->name);
    json_set_integer(document, "taskCount", count);
    json_set_integer(document, "parallelism", parallelism > 0 && parallelism < count ? parallelism : count);
    json_set(document, "template", json_copy_deep(json_get(template, "template")));
    json_set_bool(document, "reconciling", true);
    condition_put(document, condition_new("Completed", "RECONCILING", NULL, NULL, "Running."));
    condition_put(document, condition_new("ContainerReady", "SUCCEEDED", NULL, NULL, NULL));
    condition_put(document,
                  condition_new("ResourcesAvailable", "SUCCEEDED", NULL, NULL, "Provisioned imported containers."));
    json_set_text(document, "observedGeneration", "1");
    json_set_text(document, "etag", quoted);
    return document;
}

/* The oldest that have ended, when there are too many executions or tasks. */
static void drop_oldest(struct job *job) {
    size_t kept = 0, executions = job->execution_count, tasks = 0;
    for (size_t i = 0; i < job->execution_count; i++)
        tasks += json_count(job->executions[i]->tasks);
    for (size_t i = 0; i < job->execution_count; i++) {
        struct execution *execution = job->executions[i];
        bool ended = json_get(execution->document, "completionTime") && execution->workers + execution->waiting == 0;
        if (ended && (executions > EXECUTIONS_KEPT || tasks > TASKS_KEPT)) {
            executions--;
            tasks -= json_count(execution->tasks);
            execution_free(execution);
        } else {
            job->executions[kept++] = execution;
        }
    }
    job->execution_count = kept;
}

char *execution_begin(struct run *run, struct job *job, const struct json *template, const char *principal) {
    struct execution *execution = memory_allocate(1, sizeof(*execution));
    execution->name = choose_name(job);
    execution->document = document_new(job, template, execution->name, principal);
    execution->tasks = tasks_new(execution->name, json_get_integer(template, "taskCount", 1));
    char *operation = text_copy(operation_new(job->operations, execution->document));
    execution->operation = text_copy(operation);
    execution->workers = 1; /* until those that run it have been started, it is not dropped */
    job->executions = memory_resize(job->executions, job->execution_count + 1, sizeof(struct execution *));
    job->executions[job->execution_count++] = execution;
    drop_oldest(job);
    json_set_integer(job->document, "executionCount", json_get_integer(job->document, "executionCount", 0) + 1);
    note_latest(job, execution);
    job_state_save(run, job);
    tasks_begin(run, job, execution);
    return operation;
}

void execution_abandon(struct run *run, struct job *job, struct execution *execution) {
    if (json_get(execution->document, "completionTime"))
        return;
    tasks_end(execution, "CANCELLED", stopped);
    execution_count_tasks(run, job, execution);
}

void execution_cancel(struct run *run, struct job *job, struct execution *execution) {
    if (json_get(execution->document, "completionTime"))
        return;
    atomic_store(&execution->cancelled, true);
    execution_count_tasks(run, job, execution);
}

/* ---- requests ---- */

static void list_executions(const struct run *run, const struct job *job, const struct run_path *path,
                            const struct request *request, struct reply *reply) {
    struct json *answer = json_new_object(), *all = json_new_array();
    for (size_t i = 0; i < run->job_count; i++) {
        const struct job *one = run->jobs[i];
        if (one->deleted || (job ? one != job : !text_equal(one->region, path->region)))
            continue;
        for (size_t j = one->execution_count; j-- > 0;)
            if (!one->executions[j]->deleted)
                json_append(all, json_share(one->executions[j]->document));
    }
    resource_list_page(answer, "executions", all, request);
    reply_json(reply, 200, answer);
}

int execution_end(struct run *run, struct job *job, struct execution *execution, struct error *error) {
    if (json_get(execution->document, "completionTime"))
        return error_set(error, ERROR_DATA, "Execution '%s' has completed already and cannot be cancelled.",
                         execution->name);
    if (!atomic_load(&execution->cancelled))
        condition_put(execution->document, condition_new("Completed", "RECONCILING", "executionReason", "CANCELLING",
                                                         "The execution is being cancelled."));
    execution_cancel(run, job, execution);
    execution->waiting++;
    while (!json_get(execution->document, "completionTime") && !atomic_load(&run->stopping))
        pthread_cond_wait(&run->changed, &run->lock);
    execution->waiting--;
    return 0;
}

static void cancel(struct run *run, struct job *job, struct execution *execution, const struct request *request,
                   struct reply *reply) {
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    struct error error = {0};
    if (resource_etag_differs(execution->document, json_get_text(body, "etag", NULL))) {
        resource_reply_conflict(execution->name, reply);
        return;
    }
    AUTO_FREE char *name = text_copy(operation_new(job->operations, execution->document));
    if (!json_get_bool(body, "validateOnly", false) && execution_end(run, job, execution, &error) < 0) {
        resource_refuse(reply, &error);
        operation_finish(run, name, execution->document, NULL);
        return;
    }
    operation_finish(run, name, execution->document, NULL);
    reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
}

void execution_delete(struct run *run, struct job *job, struct execution *execution) {
    char now[40];
    run_time_now(now, sizeof(now));
    execution->deleted = true;
    execution_cancel(run, job, execution);
    json_set_text(execution->document, "deleteTime", now);
    job_state_save(run, job);
}

static void delete (struct run *run, struct job *job, struct execution *execution, const struct request *request,
                    struct reply *reply) {
    if (resource_etag_differs(execution->document, request_query(request, "etag"))) {
        resource_reply_conflict(execution->name, reply);
        return;
    }
    AUTO_FREE char *name = text_copy(operation_new(job->operations, execution->document));
    if (!text_equal(request_query(request, "validateOnly"), "true"))
        execution_delete(run, job, execution);
    operation_finish(run, name, execution->document, NULL);
    reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
}

void executions_handle(struct run *run, struct job *job, const struct run_path *path, const struct request *request,
                       struct reply *reply) {
    struct execution *execution = job && path->child_name ? execution_find(job, path->child_name) : NULL;
    if (!path->child_name) {
        if (request_is(request, "GET") && !path->verb)
            list_executions(run, job, path, request, reply);
    } else if (!execution) {
        reply_missing(reply, path, "EXECUTION", path->child_name);
    } else if (text_equal(path->grandchild, "tasks")) {
        tasks_handle(execution, path, request, reply);
    } else if (text_equal(path->verb, "cancel") && request_is(request, "POST")) {
        cancel(run, job, execution, request, reply);
    } else if (!path->verb && !path->grandchild && request_is(request, "GET")) {
        reply_json(reply, 200, json_share(execution->document));
    } else if (!path->verb && !path->grandchild && request_is(request, "DELETE")) {
        delete (run, job, execution, request, reply);
    }
}
