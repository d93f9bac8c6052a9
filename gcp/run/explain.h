/* Why a deployment failed: asks for the revision's conditions and its last lines. */
#ifndef GCP_RUN_EXPLAIN_H
#define GCP_RUN_EXPLAIN_H

#include "gcp/cloud.h"

/* `path` is the service's, `status` the operation's error. Tells the newest revision's last lines and which revision
 * goes on serving through cloud->progress, and fills *error as run_failure_set does. Always returns -1. */
int run_explain_failure(struct cloud *cloud, const char *path, const struct json *status, struct error *error);
/* The last lines of a revision (short name) through cloud->progress; lines (may be NULL) gets them, too. */
void run_show_last_lines(struct cloud *cloud, const char *service, const char *revision, struct text_list *lines);

#endif
