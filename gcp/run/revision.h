/* Cloud Run Admin API v2: the revisions of a service. */
#ifndef GCP_RUN_REVISION_H
#define GCP_RUN_REVISION_H

#include "gcp/cloud.h"

/* Whether a text that came from outside can be the short name of a revision, and so a part of a path. */
bool run_is_revision_name(const char *name);

/* `path` is the full name of the revision, from the API. */
int run_revision_get(struct cloud *cloud, const char *path, struct json **revision, struct error *error) MUST_CHECK;
/* Whether the service has a revision of that short name. */
int run_revision_exists(struct cloud *cloud, const char *service_path, const char *name, bool *exists,
                        struct error *error) MUST_CHECK;
/* All revisions of a service, newest first, as an array. */
int run_revision_list(struct cloud *cloud, const char *service_path, struct json **revisions,
                      struct error *error) MUST_CHECK;
#endif
