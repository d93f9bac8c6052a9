/* Private to local/run: jobs, their executions and tasks. The lock of struct run guards all of them; a job or an
 * execution that was deleted stays in memory until the end. */
#ifndef LOCAL_RUN_JOBS_H
#define LOCAL_RUN_JOBS_H

#include "local/run/internal.h"

enum {
    JOBS_LIMIT = 200,
    EXECUTIONS_KEPT = 100, /* of a job; those that have ended go first, the oldest of them */
    TASKS_KEPT = 5000,     /* of a job, in all its executions; likewise */
    TASKS_MOST = 1000,     /* of an execution */
    TASKS_AT_ONCE = 16,    /* of an execution, whatever parallelism it asks for */
    RETRIES_DEFAULT = 3,
    TASK_NAME_MOST = 63
};

struct execution {
    char *name;
    struct json *document; /* the Execution as Google shows it */
    struct json *tasks;    /* of each Task what the execution does not say for all of them, by index */
    char *operation;       /* of the request that began it, or NULL */
    size_t next_task;      /* the first one that has not begun */
    unsigned workers;      /* threads that run tasks of it */
    unsigned waiting;      /* requests that wait for its end */
    bool deleted;
    atomic_bool cancelled;
};

struct job {
    char *project, *region, *name;
    struct json *document; /* the Job as Google shows it */
    struct json *policy;
    struct json *operations;       /* array, newest last */
    struct execution **executions; /* oldest first */
    size_t execution_count;
    bool deleted;
};

/* All of the following with the lock held, unless it is said otherwise. */

/* ---- jobs.c ---- */

/* NULL when there is none. */
struct job *job_find(const struct run *run, const char *project, const char *region, const char *name);
/* Checks `after` (taken: the whole job as v2 has it, without what only the server says), and makes it the job of this
 * name, a new one when there is none; then the newest of its operations is the one of this change. Errors as of
 * service_put. */
int job_put(struct run *run, const struct service_write *write, struct json *after, struct job **job,
            struct error *error) MUST_CHECK;
void job_delete(struct run *run, struct job *job);
/* Begins an execution: `overrides` as v2 has them, or NULL. *operation is the name of its operation, or NULL with
 * write->validate_only; the caller frees. ERROR_DATA, ERROR_PERMISSION. */
int job_run(struct run *run, struct job *job, const struct service_write *write, const struct json *overrides,
            char **operation, struct error *error) MUST_CHECK;
/* Takes the lock. */
void jobs_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply);

/* ---- job_template.c: what Cloud Run refuses, and what it fills in ---- */

int job_validate(const struct json *document, struct error *error) MUST_CHECK;
void job_fill(const struct run *run, struct json *document);
/* The overrides of one execution, laid over an ExecutionTemplate. ERROR_DATA. */
int job_override(struct json *template, const struct json *overrides, struct error *error) MUST_CHECK;

/* ---- executions.c ---- */

struct execution *execution_find(const struct job *job, const char *name);
/* Makes one of a template (an ExecutionTemplate, overrides laid over it) and starts it. Gives the lock back and takes
 * it again meanwhile. The name of its operation; the caller frees. */
char *execution_begin(struct run *run, struct job *job, const struct json *template, const char *principal);
/* One that an earlier process began and did not end. */
void execution_abandon(struct run *run, struct job *job, struct execution *execution);
/* The tasks that run are stopped; those that have not begun never will. */
void execution_cancel(struct run *run, struct job *job, struct execution *execution);
/* The numbers of tasks by their state, and the conditions; the end, when all tasks have ended. What nobody
 * works on any more because the run stops has ended, too. */
void execution_count_tasks(struct run *run, struct job *job, struct execution *execution);
/* Cancels it and waits until its tasks have ended: they get some seconds. ERROR_DATA when it has ended before. */
int execution_end(struct run *run, struct job *job, struct execution *execution, struct error *error) MUST_CHECK;
void execution_delete(struct run *run, struct job *job, struct execution *execution);
/* …/jobs/J/executions…: the job exists, or its name is "-". */
void executions_handle(struct run *run, struct job *job, const struct run_path *path, const struct request *request,
                       struct reply *reply);
void execution_free(struct execution *execution);

/* ---- tasks.c ---- */

/* The records of `count` tasks that wait. */
struct json *tasks_new(const char *execution, int64_t count);
/* As many threads as may run at once. Gives the lock back and takes it again meanwhile. */
void tasks_begin(struct run *run, struct job *job, struct execution *execution);
/* What has not ended has failed or was cancelled, with this message. */
void tasks_end(struct execution *execution, const char *reason, const char *message);
/* The Task as Google shows it; the caller releases. */
struct json *task_shown(const struct execution *execution, const struct json *record);
/* …/executions/E/tasks… */
void tasks_handle(const struct execution *execution, const struct run_path *path, const struct request *request,
                  struct reply *reply);

/* ---- job_state.c: ROOT/PROJECT/REGION/jobs/JOB.json ---- */

int job_state_load(struct run *run, struct error *error) MUST_CHECK;
void job_state_save(const struct run *run, const struct job *job);
void job_state_remove(const struct run *run, const struct job *job);
void job_free(struct job *job);

#endif
