/* What there is: jobs, executions, one job in full; and deleting one. */
#include "gcp/run/execution.h"
#include "gcp/run/job.h"
#include "gcp/run/plan.h"
#include "tools/pl-run-job/actions.h"

#include <string.h>

enum { TEXT_LIMIT = 4 << 20 };

/* "2026-11-24T06:00:00.123456Z" → "2026-11-24 06:00:00" */
static void add_time(struct buffer *out, const char *time) {
    if (time && strlen(time) >= 19)
        buffer_append_format(out, "%.10s %.8s", time, time + 11);
    else
        buffer_append_format(out, "%-19s", "-");
}

/* "EXECUTION_SUCCEEDED" → "succeeded" */
static void add_status(struct buffer *out, const char *status) {
    const char *prefix = "EXECUTION_";
    status = status && text_starts_with(status, prefix) ? status + strlen(prefix) : "-";
    AUTO_FREE char *lower = text_copy(status);
    for (char *at = lower; *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    buffer_append_format(out, "%-10s", lower);
}

static int show_list(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *jobs = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    if (cloud_open(&cloud, &arguments->credentials, context->progress, arguments->project, arguments->region, error) <
            0 ||
        run_resource_list(&cloud, &run_job_kind, &jobs, error) < 0)
        return -1;
    if (json_count(jobs) == 0)
        progress_note(context->progress, "no jobs in %s", cloud.region);
    for (size_t i = 0; i < json_count(jobs); i++) {
        const struct json *job = json_at(jobs, i), *latest = json_get(job, "latestCreatedExecution");
        buffer_append_format(&out, "%-24s %-28s ", run_short_name(json_get_text(job, "name", "")),
                             latest ? run_short_name(json_get_text(latest, "name", "")) : "never executed");
        add_status(&out, json_get_text(latest, "completionStatus", NULL));
        buffer_append_byte(&out, ' ');
        add_time(&out, json_get_text(latest, "createTime", NULL));
        buffer_append_byte(&out, '\n');
    }
    return command_print_scrubbed(context, &out, "the list", error);
}

/* ---- executions ---- */

static void add_execution(struct buffer *out, const struct json *execution) {
    long long tasks = json_get_integer(execution, "taskCount", 1);
    long long succeeded = json_get_integer(execution, "succeededCount", 0);
    buffer_append_format(out, "%-28s %-10s %4lld/%-4lld  ", run_short_name(json_get_text(execution, "name", "")),
                         run_execution_state_name(run_execution_state(execution)), succeeded, tasks);
    add_time(out, json_get_text(execution, "createTime", NULL));
    buffer_append_text(out, "  ");
    add_time(out, json_get_text(execution, "completionTime", NULL));
    buffer_append_format(out, "  %s\n", json_get_text(execution, "creator", "-"));
}

static int show_executions(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *job = NULL, *executions = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_job_path(&cloud, name) : NULL;
    if (!name || run_resource_find(&cloud, &run_job_kind, path, &job, error) < 0 ||
        run_execution_list(&cloud, path, &executions, error) < 0)
        return -1;
    buffer_append_format(&out, "%-28s %-10s %9s  %-19s  %-19s  %s\n", "EXECUTION", "STATE", "TASKS    ", "BEGAN",
                         "ENDED", "BY");
    for (size_t i = 0; i < json_count(executions); i++)
        add_execution(&out, json_at(executions, i));
    return command_print_scrubbed(context, &out, "the list", error);
}

/* ---- one job ---- */

/* The variables by name: a value may be secret. */
static void add_container(struct buffer *out, const struct json *container) {
    const struct json *environment = json_get(container, "env"), *limits = json_get_path(container, "resources.limits");
    buffer_append_format(out, "image     %s\n", json_get_text(container, "image", ""));
    for (void *i = json_first(limits); i; i = json_next(limits, i))
        buffer_append_format(out, "%-9s %s\n", json_key(i), json_text(json_value(i)) ? json_text(json_value(i)) : "");
    for (size_t i = 0; i < json_count(environment); i++)
        buffer_append_format(out, "%s %s\n", i == 0 ? "env      " : "         ",
                             json_get_text(json_at(environment, i), "name", ""));
}

static void add_job(struct buffer *out, const struct json *job) {
    const struct json *template = json_get(job, "template"), *task = json_get(template, "template");
    const struct json *latest = json_get(job, "latestCreatedExecution"), *containers = json_get(task, "containers");
    long long parallelism = json_get_integer(template, "parallelism", 0);
    buffer_append_format(out, "tasks     %lld, ", (long long)json_get_integer(template, "taskCount", 1));
    if (parallelism > 0)
        buffer_append_format(out, "%lld at once\n", parallelism);
    else
        buffer_append_text(out, "as many at once as possible\n");
    buffer_append_format(out, "attempts  %lld of %s at most\n", (long long)json_get_integer(task, "maxRetries", 3) + 1,
                         json_get_text(task, "timeout", "600s"));
    for (size_t i = 0; i < json_count(containers); i++)
        add_container(out, json_at(containers, i));
    buffer_append_format(out, "executed  %lld times", (long long)json_get_integer(job, "executionCount", 0));
    if (latest) {
        buffer_append_format(out, "; last %s ", run_short_name(json_get_text(latest, "name", "")));
        add_status(out, json_get_text(latest, "completionStatus", NULL));
    }
    buffer_append_text(out, "\nchanged   ");
    add_time(out, json_get_text(job, "updateTime", NULL));
    buffer_append_format(out, " by %s\n", json_get_text(job, "lastModifier", "-"));
}

static int show_job(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *job = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_job_path(&cloud, name) : NULL;
    if (!name || run_resource_find(&cloud, &run_job_kind, path, &job, error) < 0)
        return -1;
    const struct json *condition = json_get(job, "terminalCondition");
    const char *message = json_get_text(condition, "message", NULL);
    buffer_append_format(&out, "job       %s in %s (%s)\n", name, cloud.region,
                         text_equal(json_get_text(condition, "state", NULL), "CONDITION_FAILED") ? "not ready"
                                                                                                 : "ready");
    if (message)
        buffer_append_format(&out, "          %s\n", message);
    add_job(&out, job);
    return command_print_scrubbed(context, &out, "the list", error);
}

/* Every byte as it is: the text is for a file. */
static int export_job(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *job = NULL;
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_job_path(&cloud, name) : NULL;
    if (!name || run_resource_find(&cloud, &run_job_kind, path, &job, error) < 0)
        return -1;
    AUTO_JSON struct json *writable = run_job_writable(job);
    AUTO_FREE char *text = json_format(writable, JSON_PRETTY);
    return command_print(context, text, error);
}

int action_show(struct command_context *context, struct arguments *arguments, struct error *error) {
    if (arguments->list + arguments->executions + arguments->describe + arguments->export > 1)
        return error_set(error, ERROR_USAGE, "--list, --executions, --describe and --export exclude each other");
    if (arguments->list && action_job(context, arguments))
        return error_set(error, ERROR_USAGE, "--list takes no job");
    return arguments->list         ? show_list(context, arguments, error)
           : arguments->executions ? show_executions(context, arguments, error)
           : arguments->export     ? export_job(context, arguments, error)
                                   : show_job(context, arguments, error);
}

/* ---- deleting ---- */

int action_delete(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    bool existed = false;
    const char *job = action_job(context, arguments);
    if (job && !text_equal(arguments->confirm, job)) {
        error_set(error, ERROR_USAGE, "deleting job %s takes its executions away for good, and ends those that run",
                  job);
        return error_next(error, "if that is meant: --delete --confirm %s", job);
    }
    if (!action_open(context, arguments, &cloud, error))
        return -1;
    AUTO_FREE char *path = run_job_path(&cloud, job);
    int step = progress_begin(context->progress, "delete job %s in %s", job, cloud.region);
    int result = run_resource_delete(&cloud, &run_job_kind, path, &existed, error);
    progress_end(context->progress, step, result < 0 ? PROGRESS_FAILED : PROGRESS_MADE);
    if (result == 0)
        command_summary(context, "job %s in %s %s", job, cloud.region, existed ? "is deleted" : "did not exist");
    return result;
}
