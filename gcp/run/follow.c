/* Following an execution to its end. */
#include "gcp/logging.h"
#include "gcp/run/execution.h"
#include "gcp/run/job.h"
#include "gcp/run/operation.h"

#include <string.h>

enum {
    POLL_MILLISECONDS = 1000,
    POLL_MAXIMUM = 5000,
    LOCAL_MILLISECONDS = 100,
    DRAIN_TRIES = 5, /* log lines appear in Cloud Logging some seconds after they were printed */
    DRAIN_MILLISECONDS = 2000,
    LAST_LINES = 3, /* of the task that failed, in the message */
    LINE_SHOWN = 200,
    LOG_MOST = 1000,
    SLACK_SECONDS = 900, /* beside the times of the tasks: for images, machines, and the way */
};

struct following {
    struct cloud *cloud;
    const struct run_follow *follow;
    char *path;
    struct log_tail tail;
    bool many;            /* tasks: each line says whose it is */
    struct json *entries; /* the last LOG_MOST that were told, oldest first */
};

static void following_release(struct following *following) {
    free(following->path);
    log_tail_release(&following->tail);
    json_release(&following->entries);
}

/* ---- what it prints ---- */

static const char *task_index(const struct json *entry) {
    const char *index = logging_entry_label(entry, "run.googleapis.com/task_index");
    return index ? index : "0";
}

static void tell_entry(const struct following *following, const struct json *entry) {
    const char *text = logging_entry_text(entry);
    AUTO_LIST struct text_list lines = {0};
    if (text_is_empty(text))
        return;
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!*lines.items[i] && i + 1 == lines.count)
            continue;
        AUTO_FREE char *line = following->many ? text_format("task %s: %s\n", task_index(entry), lines.items[i])
                                               : text_format("%s\n", lines.items[i]);
        progress_output(following->cloud->progress, following->follow->step, line, strlen(line));
    }
}

/* Tells what is new. A log that cannot be read ends nothing: the execution tells how it ended. */
static size_t tell_news(struct following *following) {
    const struct logging_query query = {
        .job = following->follow->job, .execution = following->follow->execution, .most = 0};
    AUTO_JSON struct json *news = NULL;
    if (log_tail_read(following->cloud, &query, &following->tail, &news, NULL) < 0)
        return 0;
    for (size_t i = 0; i < json_count(news); i++) {
        tell_entry(following, json_at(news, i));
        json_append(following->entries, json_share(json_at(news, i)));
    }
    while (json_count(following->entries) > LOG_MOST)
        json_remove_at(following->entries, 0);
    return json_count(news);
}

static void drain(struct following *following) {
    bool local = endpoints_are_local();
    tell_news(following);
    for (int i = 0; !local && i < DRAIN_TRIES && !progress_cancelled(following->cloud->progress); i++) {
        run_pause(DRAIN_MILLISECONDS);
        cloud_renew(following->cloud);
        if (tell_news(following) == 0 && i > 0)
            break;
    }
}

/* ---- how it ended ---- */

static const struct json *failed_task(const struct json *tasks) {
    for (size_t i = 0; i < json_count(tasks); i++) {
        const struct json *conditions = json_get(json_at(tasks, i), "conditions");
        for (size_t j = 0; j < json_count(conditions); j++) {
            const struct json *condition = json_at(conditions, j);
            if (text_equal(json_get_text(condition, "type", NULL), "Completed") &&
                text_equal(json_get_text(condition, "state", NULL), "CONDITION_FAILED") &&
                !text_equal(json_get_text(condition, "executionReason", NULL), "CANCELLED"))
                return json_at(tasks, i);
        }
    }
    return NULL;
}

/* Whether an entry is of this attempt of a task; entries that do not say it count. */
static bool is_of(const struct json *entry, const char *index, const char *attempt) {
    const char *said = logging_entry_label(entry, "run.googleapis.com/task_attempt");
    return text_equal(task_index(entry), index) && (!said || text_equal(said, attempt));
}

/* "; it printed last: …" of the task's last attempt; "" when it printed nothing. */
static char *last_words(const struct following *following, const struct json *task) {
    const char *reason = json_get_text(json_get_path(task, "lastAttemptResult.status"), "message", NULL);
    AUTO_FREE char *index = text_format("%lld", (long long)json_get_integer(task, "index", 0));
    AUTO_FREE char *attempt = text_format("%lld", (long long)json_get_integer(task, "retried", 0));
    AUTO_BUFFER struct buffer words = BUFFER(4096);
    const char *lines[LAST_LINES];
    size_t count = 0;
    for (size_t i = json_count(following->entries); i-- > 0 && count < LAST_LINES;) {
        const struct json *entry = json_at(following->entries, i);
        const char *text = logging_entry_text(entry);
        /* What Cloud Run says itself is told in our own words. */
        bool of_cloud =
            text &&
            (text_starts_with(text, "Container called exit") || text_starts_with(text, "Container terminated") ||
             text_starts_with(text, "Terminating task") || text_starts_with(text, "The container exited with"));
        if (!text_is_empty(text) && !of_cloud && !text_equal(text, reason) && is_of(entry, index, attempt))
            lines[count++] = text;
    }
    for (size_t i = count; i-- > 0;)
        buffer_append_format(&words, "%s%.*s", i + 1 == count ? "; it printed last: " : " / ", LINE_SHOWN, lines[i]);
    return buffer_take(&words);
}

static int set_failure(const struct following *following, const struct json *task, const struct json *execution,
                       struct error *error) {
    const struct run_follow *follow = following->follow;
    const char *region = following->cloud->region;
    const struct json *result = json_get(task, "lastAttemptResult"), *status = json_get(result, "status");
    AUTO_FREE char *message = text_copy(json_get_text(status, "message", ""));
    long long index = json_get_integer(task, "index", 0), tries = json_get_integer(task, "retried", 0) + 1;
    int64_t code = json_get_integer(result, "exitCode", 0), signal = json_get_integer(result, "termSignal", 0);
    AUTO_FREE char *attempts = tries > 1 ? text_format(" after %lld attempts", tries) : text_copy("");
    AUTO_FREE char *head = text_format("job %s: task %lld of execution %s", follow->job, index, follow->execution);
    AUTO_FREE char *words = last_words(following, task);
    if (text_ends_with(message, "."))
        message[strlen(message) - 1] = '\0';
    if (strcasestr(message, "timeout") || json_get_integer(status, "code", 0) == 4) {
        error_set(error, ERROR_TIMEOUT, "%s reached its time limit of %s%s%s", head,
                  json_get_text(json_get(execution, "template"), "timeout", "600s"), attempts, words);
        return error_next(error, "give it more: --task-timeout 1h, or --with-timeout 1h for one execution");
    }
    if (strcasestr(message, "memory limit") || strcasestr(message, "out of memory")) {
        error_set(error, ERROR_STEP, "%s needs more memory than it has%s: %s%s", head, attempts, message, words);
        return error_next(error, "give it more: --memory 1Gi");
    }
    if (code > 0)
        error_set(error, ERROR_STEP, "%s ended with exit code %lld%s%s", head, (long long)code, attempts, words);
    else if (signal > 0)
        error_set(error, ERROR_STEP, "%s was ended by signal %lld%s%s", head, (long long)signal, attempts, words);
    else
        error_set(error, ERROR_STEP, "%s failed%s: %s%s", head, attempts, *message ? message : "no reason was given",
                  words);
    return error_next(error, "its log: pl-run-job %s --logs --execution %s --region %s", follow->job, follow->execution,
                      region);
}

/* What Cloud Run says of an execution that did not succeed, or NULL. */
static const char *failed_message(const struct json *execution) {
    const struct json *conditions = json_get(execution, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "state", NULL), "CONDITION_FAILED"))
            return json_get_text(json_at(conditions, i), "message", NULL);
    return NULL;
}

static int judge(struct following *following, const struct json *execution, struct error *error) {
    const struct run_follow *follow = following->follow;
    const char *message = failed_message(execution);
    AUTO_JSON struct json *tasks = NULL;
    switch (run_execution_state(execution)) {
    case RUN_EXECUTION_SUCCEEDED:
        return 0;
    case RUN_EXECUTION_CANCELLED:
        error_set(error, ERROR_ANSWER_NO, "job %s: execution %s was cancelled%s%s", follow->job, follow->execution,
                  message ? ": " : "", message ? message : "");
        return error_next(error, "to execute it again: pl-run-job %s --execute --region %s", follow->job,
                          following->cloud->region);
    case RUN_EXECUTION_FAILED:
    case RUN_EXECUTION_RUNS:
        break;
    }
    if (run_task_list(following->cloud, following->path, &tasks, NULL) < 0)
        tasks = NULL;
    const struct json *task = failed_task(tasks);
    if (task)
        return set_failure(following, task, execution, error);
    return error_set(error, ERROR_STEP, "job %s: execution %s failed: %s", follow->job, follow->execution,
                     message ? message : "no reason was given");
}

/* ---- waiting ---- */

static int64_t most_seconds(const struct json *execution) {
    const struct json *template = json_get(execution, "template");
    int64_t each = strtoll(json_get_text(template, "timeout", "600s"), NULL, 10);
    int64_t tries = json_get_integer(template, "maxRetries", 3) + 1;
    int64_t tasks = json_get_integer(execution, "taskCount", 1);
    int64_t at_once = json_get_integer(execution, "parallelism", 0);
    int64_t rounds = at_once > 0 && at_once < tasks ? (tasks + at_once - 1) / at_once : 1;
    bool sane = each > 0 && each <= 8 * 86400 && tries > 0 && tries <= 100 && rounds > 0 && rounds <= 100000;
    return sane ? each * tries * rounds + SLACK_SECONDS : 8 * 86400;
}

static int set_next(const struct following *following, struct error *error) {
    const struct run_follow *follow = following->follow;
    return error_next(error,
                      "execution %s goes on; to follow it: pl-run-job %s --attach %s --region %s; to end it: "
                      "pl-run-job %s --cancel %s --region %s",
                      follow->execution, follow->job, follow->execution, following->cloud->region, follow->job,
                      follow->execution, following->cloud->region);
}

static int stopped(const struct following *following, struct error *error) {
    error_set(error, ERROR_CANCELLED, "stopped while execution %s goes on", following->follow->execution);
    return set_next(following, error);
}

static int await(struct following *following, struct json **execution, struct error *error) {
    int64_t begin = run_seconds_now(), most = following->follow->seconds;
    long pause = endpoints_are_local() ? LOCAL_MILLISECONDS : POLL_MILLISECONDS;
    for (;;) {
        json_release(execution);
        if (progress_cancelled(following->cloud->progress))
            return stopped(following, error);
        cloud_renew(following->cloud);
        if (run_execution_find(following->cloud, following->path, execution, error) < 0)
            return progress_cancelled(following->cloud->progress) ? stopped(following, error) : -1;
        following->many = json_get_integer(*execution, "taskCount", 1) > 1;
        if (run_execution_state(*execution) != RUN_EXECUTION_RUNS)
            return 0;
        tell_news(following);
        most = most > 0 ? most : most_seconds(*execution);
        if (run_seconds_now() - begin >= most) {
            error_set(error, ERROR_TIMEOUT, "job %s: execution %s did not end within %lld s", following->follow->job,
                      following->follow->execution, (long long)most);
            return set_next(following, error);
        }
        if (progress_cancelled(following->cloud->progress))
            return stopped(following, error);
        run_pause(pause);
        if (!endpoints_are_local() && pause < POLL_MAXIMUM)
            pause += POLL_MILLISECONDS / 2;
    }
}

int run_execution_follow(struct cloud *cloud, const struct run_follow *follow, struct json **execution,
                         struct error *error) {
    AUTO_FREE char *job_path = run_job_path(cloud, follow->job);
    AUTO(following_release)
    struct following following = {.cloud = cloud,
                                  .follow = follow,
                                  .path = run_execution_path(job_path, follow->execution),
                                  .entries = json_new_array()};
    AUTO_JSON struct json *last = NULL;
    if (await(&following, &last, error) < 0)
        return -1;
    drain(&following);
    int result = judge(&following, last, error);
    if (execution)
        *execution = take_pointer(&last);
    return result;
}
