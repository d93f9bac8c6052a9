/* Cloud Logging: the last lines of a revision. */
#ifndef GCP_LOGGING_H
#define GCP_LOGGING_H

#include "gcp/cloud.h"

/* Appends at most `most` of the last lines that the revision's container printed, oldest first (entries:list, newest
 * first, turned round). Text from outside. A failure to read them is an error like any other; callers mostly go on. */
int logging_revision_lines(struct cloud *cloud, const char *service, const char *revision, unsigned most,
                           struct text_list *lines, struct error *error) MUST_CHECK;

#endif
