/* Long-running operations of Google's v1 APIs (Artifact Registry, Service Usage), which have no :wait: they are asked
 * again and again. Cloud Run's own are waited for by gcp/run. */
#ifndef GCP_OPERATION_H
#define GCP_OPERATION_H

#include "gcp/cloud.h"

/* Until *operation, which is replaced meanwhile, is done: at most two minutes, else ERROR_TIMEOUT; ERROR_CANCELLED when
 * a signal arrives. An operation that failed is an error as google_status_set makes it. `what` is for errors. */
int operation_wait(struct cloud *cloud, enum endpoint endpoint, const char *what, struct json **operation,
                   struct error *error) MUST_CHECK;

#endif
