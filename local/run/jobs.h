/* Private to local/run: jobs, their executions and tasks. The lock of struct run guards all of them; a job or an
 * execution that was deleted stays in memory until the end. */
#ifndef LOCAL_RUN_JOBS_H
#define LOCAL_RUN_JOBS_H

#include "local/run/internal.h"

enum { JOBS_LIMIT = 200, EXECUTIONS_KEPT = 100, TASKS_MOST = 1000, TASKS_AT_ONCE = 16 };

struct execution {
    char *name;
    struct json *document; /* the Execution as Google shows it */
    struct json *tasks;    /* of each Task what the execution does not say for all of them, by index */
    char *operation;       /* of the request that began it, or NULL */
    size_t next_task;      /* the first one that has not begun */
    unsigned workers;      /* threads that run tasks of it */
    bool cancelled, deleted;
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

#endif
