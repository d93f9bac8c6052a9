/* What the tasks of a job printed. */
#include "gcp/run/job.h"
#include "tools/pl-run-job/actions.h"

/* "migrate-x7k2p 0" */
static void add_task(const struct json *entry, struct buffer *out) {
    const char *execution = logging_entry_label(entry, "run.googleapis.com/execution_name");
    const char *task = logging_entry_label(entry, "run.googleapis.com/task_index");
    buffer_append_format(out, "%s %s", execution ? execution : "-", task ? task : "-");
}

int action_log(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *job = NULL;
    if (logging_options_check(&arguments->logging, error) < 0)
        return -1;
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_job_path(&cloud, name) : NULL;
    if (!name || run_resource_find(&cloud, &run_job_kind, path, &job, error) < 0)
        return -1;
    const struct logging_view view = {
        .query = {.job = name, .execution = arguments->execution}, .noun = "job", .name = name, .add_origin = add_task};
    return logging_view_print(context, &cloud, &arguments->logging, &view, error);
}
