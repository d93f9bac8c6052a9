/* A service, a revision, a route and a configuration of the Knative API, made of the documents of v2, and back. */
#ifndef LOCAL_KNATIVE_SERVICE_H
#define LOCAL_KNATIVE_SERVICE_H

#include "common/base/error.h"
#include "common/json/json.h"

/* A Knative Service that has been normalised, as a service of v2 without what only the server says. NULL with
 * ERROR_DATA "FIELD: why". */
struct json *service_to_run(const struct json *knative, struct error *error) MUST_CHECK;

/* `region` and `number` (of the project) are where it lies; `operation` (NULL: none) the last change of it. */
struct place {
    const char *region, *number, *operation;
};
struct json *service_to_knative(const struct json *document, const struct place *place);
struct json *route_to_knative(const struct json *document, const struct place *place);
struct json *configuration_to_knative(const struct json *document, const struct place *place);
/* `service`: the document of its service. */
struct json *revision_to_knative(const struct json *document, const struct json *service, const struct place *place);

/* The place of a field in v1 for the refusals of v2, whose texts begin "Violation in
 * UpdateServiceRequest.service.FIELD: " (of jobs: UpdateJobRequest.job). In place. */
void refusal_to_knative(struct error *error);

#endif
