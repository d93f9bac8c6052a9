/* A job, an execution and a task of the Knative API, made of the documents of v2, and back. */
#ifndef LOCAL_KNATIVE_JOB_H
#define LOCAL_KNATIVE_JOB_H

#include "local/knative/service.h"

/* A Job of v1 that has been normalised, as a job of v2 without what only the server says. NULL with ERROR_DATA
 * "FIELD: why". */
struct json *job_to_run(const struct json *knative, struct error *error) MUST_CHECK;
/* The `overrides` of jobs:run, normalised; NULL for none. */
struct json *overrides_to_run(const struct json *overrides);

struct json *job_to_knative(const struct json *document, const struct place *place);
struct json *execution_to_knative(const struct json *document, const struct place *place);
/* `document` as v2 shows it. */
struct json *task_to_knative(const struct json *document, const struct place *place);

#endif
