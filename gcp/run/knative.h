/* A service as Knative's YAML has it, which `gcloud run services replace` takes and `describe --format export` prints
 * (Cloud Run Admin API v1), told as a Service of the API v2.
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

#endif
