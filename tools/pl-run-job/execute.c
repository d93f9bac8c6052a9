/* Executing a job, following an execution, ending one. */
#include "gcp/run/execution.h"
#include "gcp/run/job.h"
#include "tools/pl-run-job/actions.h"

#include <string.h>

int action_write_job(struct command_context *context, const struct cloud *cloud, const struct told *told,
                     struct error *error) {
    AUTO_FREE char *path = run_job_path(cloud, told->job);
    struct record_list out = {0};
    struct record record = record_new(RECORD_JOB, path);
    const char *at = told->image ? strrchr(told->image, '@') : NULL;
    json_set_text(record.json, "name", told->job);
    json_set_text(record.json, "execution", told->execution);
    json_set_text(record.json, "digest", at ? at + 1 : NULL);
    json_set_text(record.json, "region", cloud->region);
    json_set_text(record.json, "project", cloud->project);
    if (told->image)
        json_append_text(json_need_array(record.json, "from"), told->image);
    record_list_add(&out, record);
    int result = command_write_records(context, &out, error);
    record_list_release(&out);
    return result;
}

/* The record is written before the waiting ends badly: then the error's follows. */
static int follow(struct command_context *context, struct cloud *cloud, const struct arguments *arguments,
                  const struct told *told, struct error *error) {
    AUTO_JSON struct json *execution = NULL;
    int step = progress_begin(context->progress, "execute %s (%s)", told->job, told->execution);
    progress_show(context->progress, step);
    const struct run_follow how = {.job = told->job,
                                   .execution = told->execution,
                                   .step = step,
                                   .seconds = arguments->wait_time > 0 ? (unsigned)arguments->wait_time : 0};
    int result = run_execution_follow(cloud, &how, &execution, error);
    bool stopped = result < 0 && error->kind == ERROR_CANCELLED;
    progress_end(context->progress, step, stopped ? PROGRESS_CANCELLED : result < 0 ? PROGRESS_FAILED : PROGRESS_MADE);
    if (result < 0 || action_write_job(context, cloud, told, error) < 0)
        return -1;
    long long tasks = json_get_integer(execution, "taskCount", 1);
    command_summary(context, "job %s: execution %s succeeded (%lld task%s)", told->job, told->execution, tasks,
                    tasks == 1 ? "" : "s");
    return 0;
}

int action_run(struct command_context *context, struct cloud *cloud, const struct arguments *arguments,
               struct told *told, struct error *error) {
    AUTO_FREE char *path = run_job_path(cloud, told->job), *execution = NULL;
    if (run_job_execute(cloud, path, &arguments->overrides, &execution, error) < 0)
        return -1;
    told->execution = execution;
    int result = 0;
    if (arguments->no_wait) {
        result = action_write_job(context, cloud, told, error);
        if (result == 0)
            command_summary(context, "job %s: execution %s has begun", told->job, execution);
        progress_note(context->progress, "to follow it: pl-run-job %s --attach %s --region %s", told->job, execution,
                      cloud->region);
    } else {
        result = follow(context, cloud, arguments, told, error);
    }
    told->execution = NULL;
    return result;
}

int action_execute(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    struct told told = {.job = action_open(context, arguments, &cloud, error)};
    if (!told.job)
        return -1;
    if (!arguments->attach)
        return action_run(context, &cloud, arguments, &told, error);
    told.execution = arguments->attach;
    return follow(context, &cloud, arguments, &told, error);
}

int action_cancel(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    bool was_running = false;
    const char *job = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = job ? run_job_path(&cloud, job) : NULL;
    AUTO_FREE char *execution = path ? run_execution_path(path, arguments->cancel) : NULL;
    if (!job)
        return -1;
    int step = progress_begin(context->progress, "cancel %s", arguments->cancel);
    int result = run_execution_cancel(&cloud, execution, &was_running, error);
    progress_end(context->progress, step, result < 0 ? PROGRESS_FAILED : PROGRESS_MADE);
    if (result == 0)
        command_summary(context, "job %s: execution %s %s", job, arguments->cancel,
                        was_running ? "is cancelled" : "had ended already");
    return result;
}
