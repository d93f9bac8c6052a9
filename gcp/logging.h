/* Cloud Logging: what the containers of a service or a job printed. */
#ifndef GCP_LOGGING_H
#define GCP_LOGGING_H

#include "gcp/cloud.h"

/* Appends at most `most` of the last lines that the revision's container printed, oldest first (entries:list, newest
 * first, turned round). Text from outside. A failure to read them is an error like any other; callers mostly go on. */
int logging_revision_lines(struct cloud *cloud, const char *service, const char *revision, unsigned most,
                           struct text_list *lines, struct error *error) MUST_CHECK;

struct logging_query {
    const char *service;   /* NULL: of a job */
    const char *revision;  /* NULL: of all */
    const char *job;       /* NULL: of a service */
    const char *execution; /* NULL: of all */
    const char *from;      /* RFC 3339, this moment included; NULL: from the beginning */
    unsigned most;         /* the last so many; at most 1000 */
};
/* The entries, oldest first, as an array (the caller releases it). */
int logging_entries(struct cloud *cloud, const struct logging_query *query, struct json **entries,
                    struct error *error) MUST_CHECK;
/* An entry's text: textPayload, or what a structured one calls its message; NULL when it has none. Borrowed. */
const char *logging_entry_text(const struct json *entry);

/* A label of an entry, such as "run.googleapis.com/task_index"; NULL when it has none. Borrowed. */
const char *logging_entry_label(const struct json *entry, const char *label);

/* What of a log has been seen, so that asking again and again tells every entry once: Cloud Logging's entries:tail is
 * there for gRPC alone. Entries of several writers appear out of order, some seconds late: so much is asked for again.
 */
struct log_tail {
    char newest[40];   /* the time of the newest entry that was seen */
    struct json *seen; /* an object whose keys are "TIME ID" of the latest ones */
};
void log_tail_release(struct log_tail *tail);
#define AUTO_LOG_TAIL AUTO(log_tail_release)
/* The entries that have not been seen before, oldest first (the caller releases them), page by page, at most
 * LOG_TAIL_PAGES. query->from and query->most are those of the first time; query->most 0: all, then too. */
enum { LOG_TAIL_PAGES = 20 };
int log_tail_read(struct cloud *cloud, const struct logging_query *query, struct log_tail *tail, struct json **news,
                  struct error *error) MUST_CHECK;

#endif
