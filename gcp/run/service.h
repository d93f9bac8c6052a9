/* Cloud Run Admin API v2: services, operations, IAM policy. A service is kept as the JSON that Google sent:
 * what pl does not know goes back as it came. */
#ifndef GCP_RUN_SERVICE_H
#define GCP_RUN_SERVICE_H

#include "gcp/cloud.h"

/* A letter, then letters, digits and hyphens in lower case, no hyphen at the end, under 50 characters. ERROR_DATA. */
int run_service_name_check(const char *name, struct error *error) MUST_CHECK;

/* "projects/P/locations/R/services/S" of the cloud's project and region. The caller frees. */
char *run_service_path(const struct cloud *cloud, const char *service);
/* The URL of a resource name. The caller frees. */
char *run_url(const char *path);
/* The last part of a resource name; borrowed. */
const char *run_short_name(const char *resource);

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

/* PATCH with allowMissing: creates or updates. `service` is the whole wanted service with the etag that was read; only
 * the fields of update_mask change. *operation is its long-running operation. *conflict (not NULL) is set, and 0
 * returned with *operation NULL, when somebody else changed the service since the etag was read (409, 412). */
enum run_patch {
    RUN_PATCH_VALIDATE = 1 << 0,     /* validateOnly: nothing changes */
    RUN_PATCH_NEW_REVISION = 1 << 1, /* forceNewRevision: the same template once more, after it failed */
};
int run_service_patch(struct cloud *cloud, const char *path, const struct json *service, const char *update_mask,
                      unsigned patch, struct json **operation, bool *conflict, struct error *error) MUST_CHECK;

/* Waits until *operation is done: operations:wait, or polling where that is not offered. The done operation replaces
 * it; an `error` in it is left to the caller. ERROR_TIMEOUT after `seconds`, ERROR_CANCELLED. */
int run_operation_wait(struct cloud *cloud, struct json **operation, unsigned seconds, struct error *error) MUST_CHECK;

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
