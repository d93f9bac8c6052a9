#include "gcp/run/execution.h"

#include "gcp/google_error.h"
#include "gcp/run/job.h"
#include "gcp/run/operation.h"

#include <string.h>

enum { EXECUTION_LIMIT = 4 << 20, CANCEL_SECONDS = 120 };

char *run_execution_path(const char *job_path, const char *execution) {
    return text_format("%s/executions/%s", job_path, execution);
}

int run_execution_find(struct cloud *cloud, const char *path, struct json **execution, struct error *error) {
    static const long missing[] = {404, 0};
    const char *name = run_short_name(path);
    AUTO_FREE char *url = run_url(path), *what = text_format("cannot read execution %s", name);
    struct cloud_request request = {.url = url, .what = what, .accept = missing, .response_limit = EXECUTION_LIMIT};
    if (cloud_call(cloud, &request, execution, NULL, error) < 0)
        return -1;
    if (json_is_object(*execution))
        return 0;
    error_set(error, ERROR_CONFIGURATION, "there is no execution %s in %s", name, cloud->region);
    return error_next(error, "what there is: pl-run-job JOB --executions --region %s", cloud->region);
}

static int list(struct cloud *cloud, const char *parent, const char *collection, struct json **found,
                struct error *error) {
    AUTO_FREE char *base = run_url(parent);
    AUTO_FREE char *url = text_format("%s/%s", base, collection);
    AUTO_FREE char *what = text_format("cannot list the %s of %s", collection, run_short_name(parent));
    AUTO_JSON struct json *all = json_new_array();
    if (cloud_list(cloud, url, collection, what, all, error) < 0)
        return -1;
    *found = take_pointer(&all);
    return 0;
}

int run_execution_list(struct cloud *cloud, const char *job_path, struct json **executions, struct error *error) {
    return list(cloud, job_path, "executions", executions, error);
}

int run_task_list(struct cloud *cloud, const char *path, struct json **tasks, struct error *error) {
    return list(cloud, path, "tasks", tasks, error);
}

int run_execution_cancel(struct cloud *cloud, const char *path, bool *was_running, struct error *error) {
    AUTO_JSON struct json *execution = NULL, *operation = NULL, *body = json_new_object();
    if (run_execution_find(cloud, path, &execution, error) < 0)
        return -1;
    *was_running = run_execution_state(execution) == RUN_EXECUTION_RUNS;
    if (!*was_running)
        return 0;
    AUTO_FREE char *base = run_url(path);
    AUTO_FREE char *url = text_format("%s:cancel", base);
    AUTO_FREE char *what = text_format("cannot cancel execution %s", run_short_name(path));
    const struct cloud_request request = {
        .method = "POST", .url = url, .body = body, .what = what, .response_limit = EXECUTION_LIMIT};
    if (cloud_call(cloud, &request, &operation, NULL, error) < 0 ||
        run_operation_wait(cloud, &operation, CANCEL_SECONDS, error) < 0)
        return -1;
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    const struct json *failure = json_get(operation, "error");
    /* What was cancelled may be told as the operation's failure. */
    bool failed = !json_is_null(failure) && json_get_integer(failure, "code", 0) != 1;
    return failed ? google_status_set(error, what, failure, &subject) : 0;
}

static const struct json *completed(const struct json *execution) {
    const struct json *conditions = json_get(execution, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Completed"))
            return json_at(conditions, i);
    return NULL;
}

enum run_execution_state run_execution_state(const struct json *execution) {
    const struct json *condition = completed(execution);
    const char *state = json_get_text(condition, "state", "");
    bool failed = json_get_integer(execution, "failedCount", 0) > 0;
    bool cancelled = json_get_integer(execution, "cancelledCount", 0) > 0 ||
                     text_equal(json_get_text(condition, "executionReason", NULL), "CANCELLED");
    if (!json_get(execution, "completionTime") && !text_equal(state, "CONDITION_SUCCEEDED") &&
        !text_equal(state, "CONDITION_FAILED"))
        return RUN_EXECUTION_RUNS;
    if (failed)
        return RUN_EXECUTION_FAILED;
    if (cancelled)
        return RUN_EXECUTION_CANCELLED;
    return text_equal(state, "CONDITION_FAILED") ? RUN_EXECUTION_FAILED : RUN_EXECUTION_SUCCEEDED;
}

const char *run_execution_state_name(enum run_execution_state state) {
    static const char *const names[] = {"runs", "succeeded", "failed", "cancelled"};
    return names[state];
}
