/* Cloud Run Admin API v2: services and their IAM policy. */
#ifndef GCP_RUN_SERVICE_H
#define GCP_RUN_SERVICE_H

#include "gcp/run/operation.h"
#include "gcp/run/resource.h"

/* A letter, then letters, digits and hyphens in lower case, no hyphen at the end, under 50 characters. ERROR_DATA. */
int run_service_name_check(const char *name, struct error *error) MUST_CHECK;

/* "projects/P/locations/R/services/S" of the cloud's project and region. The caller frees. */
char *run_service_path(const struct cloud *cloud, const char *service);
extern const struct run_kind run_service_kind;

/* *service is NULL when there is none. */
int run_service_get(struct cloud *cloud, const char *path, struct json **service, struct error *error) MUST_CHECK;
/* The same where there must be one: ERROR_CONFIGURATION when there is none. */
int run_service_find(struct cloud *cloud, const char *path, struct json **service, struct error *error) MUST_CHECK;
/* All services of the cloud's project and region, as an array. */
int run_service_list(struct cloud *cloud, struct json **services, struct error *error) MUST_CHECK;
/* Deletes it with its revisions, and waits for that. *existed is false when there was none. */
int run_service_delete(struct cloud *cloud, const char *path, bool *existed, struct error *error) MUST_CHECK;
/* Reads the service again until it is not reconciling. ERROR_TEMPORARY after `seconds`, ERROR_CANCELLED. */
int run_service_settle(struct cloud *cloud, const char *path, struct json **service, unsigned seconds,
                       struct error *error) MUST_CHECK;

/* Whether everybody may invoke the service (as it was read) without credentials. */
int run_service_is_public(struct cloud *cloud, const struct json *service, bool *is_public,
                          struct error *error) MUST_CHECK;

/* Lets everybody (allUsers) invoke the service, or nobody without credentials. Reads the policy, and writes it only
 * when it differs, with its etag. *changed may be NULL. */
int run_service_set_public(struct cloud *cloud, const char *path, bool is_public, bool *changed,
                           struct error *error) MUST_CHECK;

/* The revision (short name) that gets all the traffic, by trafficStatuses; NULL when it is divided. Borrowed. */
const char *run_service_serving_revision(const struct json *service);
/* Whether the service is settled and the revision that was made last is ready. */
bool run_template_is_ready(const struct json *service);

#endif
