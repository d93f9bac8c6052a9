/* What a message of the Knative API v1 may hold, as tables of local/run/message.h (from Google's discovery document
 * run.v1, without what it calls "not supported by Cloud Run"). */
#ifndef LOCAL_KNATIVE_SCHEMA_H
#define LOCAL_KNATIVE_SCHEMA_H

#include "local/run/message.h"

extern const struct message knative_service_message;
extern const struct message knative_job_message;
extern const struct message knative_run_message; /* the body of jobs:run */

/* Parts of other messages: of jobs, say. */
extern const struct message knative_metadata_message;
extern const struct message knative_container_message;
extern const struct message knative_volume_message;
extern const struct message knative_variable_message;

#endif
