/* Cloud Logging: what the containers of a service printed. */
#ifndef GCP_LOGGING_H
#define GCP_LOGGING_H

#include "gcp/cloud.h"

/* Appends at most `most` of the last lines that the revision's container printed, oldest first (entries:list, newest
 * first, turned round). Text from outside. A failure to read them is an error like any other; callers mostly go on. */
int logging_revision_lines(struct cloud *cloud, const char *service, const char *revision, unsigned most,
                           struct text_list *lines, struct error *error) MUST_CHECK;

struct logging_query {
    const char *service;
    const char *revision; /* NULL: of all */
    const char *from;     /* RFC 3339, this moment included; NULL: from the beginning */
    unsigned most;        /* the last so many; at most 1000 */
};
/* The entries, oldest first, as an array (the caller releases it). */
int logging_entries(struct cloud *cloud, const struct logging_query *query, struct json **entries,
                    struct error *error) MUST_CHECK;
/* An entry's text: textPayload, or what a structured one calls its message; NULL when it has none. Borrowed. */
const char *logging_entry_text(const struct json *entry);

#endif
