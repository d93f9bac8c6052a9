/* Executions of jobs: what there is, stopping one, and following one to its end. */
#ifndef GCP_RUN_EXECUTION_H
#define GCP_RUN_EXECUTION_H

#include "gcp/cloud.h"

/* The resource name of one of a job, whose own is `job_path`. The caller frees. */
char *run_execution_path(const char *job_path, const char *execution);
/* ERROR_CONFIGURATION when there is none. */
int run_execution_find(struct cloud *cloud, const char *path, struct json **execution, struct error *error) MUST_CHECK;
/* All of a job, newest first, as an array. */
int run_execution_list(struct cloud *cloud, const char *job_path, struct json **executions,
                       struct error *error) MUST_CHECK;
/* All tasks of one, as an array. */
int run_task_list(struct cloud *cloud, const char *path, struct json **tasks, struct error *error) MUST_CHECK;
/* Cancels it and waits until its tasks have ended. *was_running is false when it had ended before. */
int run_execution_cancel(struct cloud *cloud, const char *path, bool *was_running, struct error *error) MUST_CHECK;

enum run_execution_state { RUN_EXECUTION_RUNS, RUN_EXECUTION_SUCCEEDED, RUN_EXECUTION_FAILED, RUN_EXECUTION_CANCELLED };
/* By its condition Completed and its numbers of tasks. */
enum run_execution_state run_execution_state(const struct json *execution);
/* "runs", "succeeded", "failed", "cancelled" */
const char *run_execution_state_name(enum run_execution_state state);

/* Follows an execution: what its tasks print goes to `step` of cloud->progress as it comes, until it has ended.
 *
 * 0: every task succeeded; *execution (may be NULL) is how it ended. ERROR_STEP: a task failed, with its exit code, the
 * reason and what it printed last; ERROR_TIMEOUT: a task reached its time limit, or the execution took longer than
 * `seconds` (0: as long as its tasks may take with all their retries); ERROR_ANSWER_NO: it was cancelled;
 * ERROR_CANCELLED: stopped, and it goes on. Each says what to type next. */
struct run_follow {
    const char *job, *execution; /* short names */
    int step;
    unsigned seconds;
};
int run_execution_follow(struct cloud *cloud, const struct run_follow *follow, struct json **execution,
                         struct error *error) MUST_CHECK;

#endif
