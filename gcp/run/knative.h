/* A service or a job as Knative's YAML has it, which `gcloud run services replace` takes and `describe --format export`
 * prints (Cloud Run Admin API v1), told as a Service or Job of the API v2.
 *
 * The rows in knative.c are the whole mapping. Labels and annotations of Google's own (cloud.googleapis.com,
 * run.googleapis.com, serving.knative.dev, autoscaling.knative.dev, client.knative.dev) become the fields that they
 * mean; those that only say who wrote the file last are left out; all others stay labels and annotations. What the
 * mapping does not know is refused by its place in the file, so that nothing is lost silently. */
#ifndef GCP_RUN_KNATIVE_H
#define GCP_RUN_KNATIVE_H

#include "common/json/json.h"

/* Whether a document says that it is one: it has apiVersion. */
bool run_knative_is(const struct json *document);
/* The Service (name in `name`, traffic, template with its revision's name). NULL and ERROR_DATA, with the place after
 * `what`. The caller releases. */
struct json *run_knative_service(const struct json *document, const char *what, struct error *error) MUST_CHECK;
/* The Job of a Job in the form of `gcloud run jobs replace`. Likewise. */
struct json *run_knative_job(const struct json *document, const char *what, struct error *error) MUST_CHECK;

/* A file of at most 1 MiB: JSON begins with '{'; all else is YAML. What Knative's tools write becomes by `convert` what
 * the API v2 has; everything else is taken as that. NULL and ERROR_DATA. */
typedef struct json *run_knative_convert(const struct json *document, const char *what, struct error *error);
struct json *run_document_read(const char *path, run_knative_convert *convert, struct error *error) MUST_CHECK;

#endif
