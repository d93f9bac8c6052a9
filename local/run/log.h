/* What services print: one line of JSON for each line, in logs/PROJECT/REGION/SERVICE.log; when it has grown to
 * RUN_LOG_LIMIT it becomes SERVICE.log.1 and the one before that is dropped.
 *
 *   {"time":"2026-11-24T06:00:00.123456Z","revision":"shop-00001-abc","instance":"00…","container":"…","text":"…"}
 *
 * Only a container of several is named. What jobs print is in logs/PROJECT/REGION/jobs/JOB.log; in place of the
 * revision stand the execution, the task's index and the attempt: "migrate-x7k2p/0/1". */
#ifndef LOCAL_RUN_LOG_H
#define LOCAL_RUN_LOG_H

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/json/json.h"

enum { RUN_LOG_LIMIT = 16 << 20, RUN_LOG_LINE = 64 << 10, RUN_LOG_REVISION_TAIL = 200 };

/* "logs/PROJECT/REGION/SERVICE.log" below the state. The caller frees. */
char *run_log_path(const char *state, const char *project, const char *region, const char *service);
struct run_log_origin {
    const char *revision, *instance;
    const char *container; /* or NULL */
};
/* Appends one line; safe from several threads and processes. What cannot be written is lost. */
void run_log_append(const char *path, const struct run_log_origin *origin, const char *text, size_t length);
/* "2026-11-24T06:00:00.123456Z", now. */
void run_time_now(char *text, size_t size);
/* Calls `each` with every entry of the time `since` (as entries have it; NULL: the beginning) or later, oldest first;
 * stops when it returns false. A damaged line is left out. */
void run_log_each(const char *path, const char *since, bool (*each)(void *context, const struct json *entry),
                  void *context);

/* For the tool: the last `lines` lines of a service, or of a job when there is no such service, and with `follow` what
 * comes, until cancelled. ERROR_NO_INPUT when none has ever printed or been made; ERROR_USAGE when several regions have
 * it ("REGION/SERVICE" chooses).
 */
struct run_log_query {
    const char *state, *project, *service;
    size_t lines;
    bool follow;
    bool (*cancelled)(void *context);
    int (*write)(void *context, const char *text, struct error *error); /* one or more whole lines, not scrubbed */
    void *context;
};
int run_log_show(const struct run_log_query *query, struct error *error) MUST_CHECK;

#endif
