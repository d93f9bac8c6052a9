/* Tasks: each one an attempt, and another, until it ends well or has had all its retries. */
#include "local/run/jobs.h"
#include "local/run/resource.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { GRACE_SECONDS = 10, LOOK_LEAST = 2, LOOK_MOST = 50 /* milliseconds */, TIMEOUT_DEFAULT = 600 };
/* google.rpc.Code */
enum { CODE_OK, CODE_CANCELLED, CODE_UNKNOWN, CODE_DEADLINE_EXCEEDED = 4, CODE_FAILED_PRECONDITION = 9 };

struct json *tasks_new(const char *execution, int64_t count) {
    struct json *tasks = json_new_array();
    char now[40];
    run_time_now(now, sizeof(now));
    for (int64_t i = 0; i < count; i++) {
        struct json *task = json_new_object();
        AUTO_FREE char *name = text_format("%s-task%lld", execution, (long long)i);
        json_set_text(task, "name", name);
        if (i > 0)
            json_set_integer(task, "index", i);
        json_set_text(task, "createTime", now);
        json_set_text(task, "updateTime", now);
        json_set_bool(task, "reconciling", true);
        condition_put(task, condition_new("Completed", "PENDING", NULL, NULL, "Waiting for execution to start."));
        json_append(tasks, task);
    }
    return tasks;
}

/* ---- one attempt ---- */

static const char exited_badly[] = "The container exited with an error.";

struct work {
    struct run *run;
    struct job *job;
    struct execution *execution;
};

struct attempt {
    struct launch *launch;
    double timeout; /* seconds */
    const char *memory;
    int code;   /* of google.rpc.Code */
    int status; /* -1: it never ran */
    char text[1024];
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_milliseconds(long milliseconds) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

/* A line of the cloud's own, after those of the container. */
static void note(const struct work *work, const struct attempt *attempt, const char *format, ...) PRINTF_LIKE(3, 4);
static void note(const struct work *work, const struct attempt *attempt, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct launch *launch = attempt->launch;
    AUTO_FREE char *path = run_log_path(work->run->cloud->state, launch->project, launch->region, launch->service);
    run_log_append(path, &(struct run_log_origin){launch->revision, "", NULL}, text, strlen(text));
}

static void judge(struct attempt *attempt, int status, bool out_of_memory) {
    attempt->status = status;
    attempt->code = status == 0 ? CODE_OK : CODE_UNKNOWN;
    if (out_of_memory)
        snprintf(attempt->text, sizeof(attempt->text), "Memory limit of %s exceeded.", attempt->memory);
    else if (status != 0)
        snprintf(attempt->text, sizeof(attempt->text), "%s", exited_badly);
}

/* Until it ends, its time is over, or somebody wants it to end. */
static void await(const struct work *work, struct attempt *attempt, struct instance *instance) {
    double end = seconds_now() + attempt->timeout;
    int status;
    bool out_of_memory;
    for (long pause = LOOK_LEAST;; pause = pause * 2 < LOOK_MOST ? pause * 2 : LOOK_MOST) {
        if (instance_ended(instance, &status, &out_of_memory)) {
            judge(attempt, status, out_of_memory);
            return;
        }
        if (seconds_now() >= end) {
            attempt->code = CODE_DEADLINE_EXCEEDED;
            snprintf(attempt->text, sizeof(attempt->text), "The configured timeout was reached.");
            return;
        }
        bool cancelled = atomic_load(&work->execution->cancelled);
        if (cancelled || atomic_load(&work->run->stopping)) {
            attempt->code = CODE_CANCELLED;
            snprintf(attempt->text, sizeof(attempt->text), "%s",
                     cancelled ? "The task was cancelled." : "The local cloud was stopped while the task ran.");
            return;
        }
        pause_milliseconds(pause);
    }
}

static void run_attempt(const struct work *work, struct attempt *attempt) {
    struct failure failure = {0};
    struct instance *instance = instance_begin(work->run, attempt->launch, &failure);
    attempt->status = -1;
    if (!instance) {
        attempt->code = CODE_FAILED_PRECONDITION;
        snprintf(attempt->text, sizeof(attempt->text), "%s", failure.text);
        failure_release(&failure);
        return;
    }
    await(work, attempt, instance);
    instance_stop(&instance, atomic_load(&work->run->stopping) ? 0 : GRACE_SECONDS);
    if (attempt->status >= 0)
        note(work, attempt,
             attempt->status > 128 ? "Container terminated on signal %d."
                                   : "Container called exit"
                                     "(%d).",
             attempt->status > 128 ? attempt->status - 128 : attempt->status);
    if (attempt->code == CODE_DEADLINE_EXCEEDED)
        note(work, attempt,
             "Terminating task because it has reached the maximum timeout of %.0f seconds. To change this limit, see "
             "https://cloud.google.com/run/docs/configuring/task-timeout",
             attempt->timeout);
    else if (attempt->code != CODE_OK && !text_equal(attempt->text, exited_badly))
        note(work, attempt, "%s", attempt->text);
}

/* ---- one task ---- */

/* With the lock held. */
static void attempt_open(const struct work *work, size_t index, int64_t number, struct attempt *attempt) {
    const struct json *template = json_get(work->execution->document, "template");
    struct launch *launch = memory_allocate(1, sizeof(*launch));
    launch->project = text_copy(work->job->project);
    launch->region = text_copy(work->job->region);
    launch->service = text_format("jobs/%s", work->job->name);
    launch->revision = text_format("%s/%zu/%lld", work->execution->name, index, (long long)number);
    launch->document = json_copy_deep(template);
    text_list_add_format(&launch->task, "CLOUD_RUN_JOB=%s", work->job->name);
    text_list_add_format(&launch->task, "CLOUD_RUN_EXECUTION=%s", work->execution->name);
    text_list_add_format(&launch->task, "CLOUD_RUN_TASK_INDEX=%zu", index);
    text_list_add_format(&launch->task, "CLOUD_RUN_TASK_ATTEMPT=%lld", (long long)number);
    text_list_add_format(&launch->task, "CLOUD_RUN_TASK_COUNT=%zu", json_count(work->execution->tasks));
    *attempt = (struct attempt){.launch = launch, .timeout = strtod(json_get_text(template, "timeout", ""), NULL)};
    if (attempt->timeout <= 0)
        attempt->timeout = TIMEOUT_DEFAULT;
    attempt->memory = json_get_text(
        json_get_path(json_at(json_get(launch->document, "containers"), 0), "resources.limits"), "memory", "512Mi");
}

static void set_result(struct json *task, const struct attempt *attempt) {
    struct json *result = json_new_object(), *status = json_new_object();
    if (attempt->code != CODE_OK) {
        json_set_integer(status, "code", attempt->code);
        json_set_text(status, "message", attempt->text);
    }
    json_set(result, "status", status);
    if (attempt->status > 128)
        json_set_integer(result, "termSignal", attempt->status - 128);
    else if (attempt->status > 0)
        json_set_integer(result, "exitCode", attempt->status);
    json_set(task, "lastAttemptResult", result);
}

static void set_end(struct json *task, const char *state, const char *reason, const char *message) {
    char now[40];
    run_time_now(now, sizeof(now));
    json_set_text(task, "completionTime", now);
    json_set_text(task, "updateTime", now);
    json_remove(task, "reconciling");
    condition_put(task, condition_new("Completed", state, reason ? "executionReason" : NULL, reason, message));
}

static void set_begin(struct json *task) {
    char now[40];
    run_time_now(now, sizeof(now));
    if (json_get(task, "startTime"))
        return;
    json_set_text(task, "scheduledTime", now);
    json_set_text(task, "startTime", now);
    json_set_text(task, "updateTime", now);
    condition_put(task, condition_new("Completed", "RECONCILING", NULL, NULL, "Running."));
    condition_put(task, condition_new("Started", "SUCCEEDED", NULL, NULL, NULL));
}

/* With the lock held, which is given back while the container runs. False: it is to be tried once more. */
static bool try_task(const struct work *work, size_t index, int64_t number) {
    struct json *task = json_at(work->execution->tasks, index);
    const struct json *template = json_get(work->execution->document, "template");
    struct attempt attempt;
    attempt_open(work, index, number, &attempt);
    set_begin(task);
    execution_count_tasks(work->run, work->job, work->execution);
    pthread_mutex_unlock(&work->run->lock);
    run_attempt(work, &attempt);
    pthread_mutex_lock(&work->run->lock);
    bool cancelled = attempt.code == CODE_CANCELLED || atomic_load(&work->execution->cancelled);
    bool again =
        attempt.code != CODE_OK && !cancelled && number < json_get_integer(template, "maxRetries", RETRIES_DEFAULT);
    set_result(task, &attempt);
    if (again)
        json_set_integer(task, "retried", number + 1);
    else if (attempt.code == CODE_OK)
        set_end(task, "SUCCEEDED", NULL, NULL);
    else
        set_end(task, "FAILED", cancelled ? "CANCELLED" : "NON_ZERO_EXIT_CODE", attempt.text);
    execution_count_tasks(work->run, work->job, work->execution);
    launch_release(&attempt.launch);
    return !again;
}

static void *run_tasks(void *context) {
    struct work *work = context;
    struct execution *execution = work->execution;
    struct run *run = work->run;
    pthread_mutex_lock(&run->lock);
    while (execution->next_task < json_count(execution->tasks) && !atomic_load(&execution->cancelled) &&
           !atomic_load(&run->stopping)) {
        size_t index = execution->next_task++;
        for (int64_t number = 0; !try_task(work, index, number) && !atomic_load(&run->stopping);)
            number++;
    }
    execution->workers--;
    execution_count_tasks(run, work->job, execution);
    pthread_mutex_unlock(&run->lock);
    free(work);
    run_work_done(run);
    return NULL;
}

void tasks_begin(struct run *run, struct job *job, struct execution *execution) {
    int64_t parallelism = json_get_integer(execution->document, "parallelism", 0);
    size_t count = json_count(execution->tasks), most = parallelism > 0 ? (size_t)parallelism : count, begun = 0;
    most = most < count ? most : count;
    most = most < TASKS_AT_ONCE ? most : TASKS_AT_ONCE;
    execution->workers = (unsigned)most;
    pthread_mutex_unlock(&run->lock);
    for (size_t i = 0; i < most; i++) {
        struct work *work = memory_allocate(1, sizeof(*work));
        *work = (struct work){run, job, execution};
        if (run_work(run, run_tasks, work))
            begun++;
        else
            free(work);
    }
    pthread_mutex_lock(&run->lock);
    execution->workers -= (unsigned)(most - begun);
    if (begun == 0)
        tasks_end(execution, "NON_ZERO_EXIT_CODE", "The local cloud has no room for one more container.");
    execution_count_tasks(run, job, execution);
}

void tasks_end(struct execution *execution, const char *reason, const char *message) {
    for (size_t i = 0; i < json_count(execution->tasks); i++)
        if (!json_get(json_at(execution->tasks, i), "completionTime"))
            set_end(json_at(execution->tasks, i), "FAILED", reason, message);
    execution->next_task = json_count(execution->tasks);
}

/* ---- requests ---- */

struct json *task_shown(const struct execution *execution, const struct json *record) {
    static const char *const common[] = {"labels", "job", "generation", "observedGeneration", "logUri", "etag"};
    static const char *const of_template[] = {"containers",    "volumes",        "maxRetries",
                                              "timeout",       "serviceAccount", "executionEnvironment",
                                              "encryptionKey", "vpcAccess",      "nodeSelector"};
    const struct json *template = json_get(execution->document, "template");
    struct json *task = json_copy_deep(record);
    AUTO_FREE char *name =
        text_format("%s/tasks/%s", json_get_text(execution->document, "name", ""), json_get_text(record, "name", ""));
    /* A task has no random id of its own: the execution's, with the index in place of its beginning. */
    AUTO_FREE char *id = text_format("%08llx%s", (unsigned long long)json_get_integer(record, "index", 0),
                                     json_get_text(execution->document, "uid", "--------") + 8);
    json_set_text(task, "name", name);
    json_set_text(task, "uid", id);
    json_set_text(task, "execution", execution->name);
    for (size_t i = 0; i < ARRAY_LENGTH(common); i++)
        if (json_get(execution->document, common[i]))
            json_set(task, common[i], json_share(json_get(execution->document, common[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(of_template); i++)
        if (json_get(template, of_template[i]))
            json_set(task, of_template[i], json_share(json_get(template, of_template[i])));
    return task;
}

void tasks_handle(const struct execution *execution, const struct run_path *path, const struct request *request,
                  struct reply *reply) {
    if (path->verb || !request_is(request, "GET"))
        return;
    struct json *all = json_new_array();
    for (size_t i = 0; i < json_count(execution->tasks); i++) {
        const struct json *record = json_at(execution->tasks, i);
        bool wanted = !path->grandchild_name || text_equal(json_get_text(record, "name", NULL), path->grandchild_name);
        if (wanted)
            json_append(all, task_shown(execution, record));
    }
    if (!path->grandchild_name) {
        struct json *answer = json_new_object();
        resource_list_page(answer, "tasks", all, request);
        reply_json(reply, 200, answer);
        return;
    }
    if (json_count(all) > 0)
        reply_json(reply, 200, json_share(json_at(all, 0)));
    else
        reply_missing(reply, path, "TASK", path->grandchild_name);
    json_release(&all);
}
