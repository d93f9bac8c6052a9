/* What services and jobs of the Admin API v2 have in common. A resource is kept as the JSON that Google sent: what pl
 * does not know goes back as it came. */
#ifndef GCP_RUN_RESOURCE_H
#define GCP_RUN_RESOURCE_H

#include "gcp/cloud.h"

struct run_kind {
    const char *noun;       /* "service" */
    const char *collection; /* "services" */
    const char *tool;       /* that knows --list and --describe of it */
    bool masked; /* PATCH takes an updateMask: only its fields change, and forceNewRevision. Else all are replaced */
    struct json *(*writable)(const struct json *current); /* without what Google computes; of NULL: an empty one */
};

/* The URL of a resource name. The caller frees. */
char *run_url(const char *path);
/* The last part of a resource name; borrowed. */
const char *run_short_name(const char *resource);

/* *resource is NULL when there is none. */
int run_resource_get(struct cloud *cloud, const struct run_kind *kind, const char *path, struct json **resource,
                     struct error *error) MUST_CHECK;
/* The same where there must be one: ERROR_CONFIGURATION when there is none. */
int run_resource_find(struct cloud *cloud, const struct run_kind *kind, const char *path, struct json **resource,
                      struct error *error) MUST_CHECK;
/* All of the cloud's project and region, as an array. */
int run_resource_list(struct cloud *cloud, const struct run_kind *kind, struct json **resources,
                      struct error *error) MUST_CHECK;
/* Deletes it with all that belongs to it, and waits for that. *existed is false when there was none. */
int run_resource_delete(struct cloud *cloud, const struct run_kind *kind, const char *path, bool *existed,
                        struct error *error) MUST_CHECK;

/* PATCH with allowMissing: creates or updates. *operation is its long-running operation. *conflict (not NULL) is set,
 * and 0 returned with *operation NULL, when somebody else changed it since the etag was read (409, 412). */
struct run_patch {
    const struct json *body; /* the whole wanted resource with the etag that was read */
    const char *mask;        /* of a kind that takes one */
    bool validate;           /* validateOnly: nothing changes */
    bool new_revision;       /* the same once more, after it failed: forceNewRevision of a service */
};
int run_resource_patch(struct cloud *cloud, const struct run_kind *kind, const char *path,
                       const struct run_patch *patch, struct json **operation, bool *conflict,
                       struct error *error) MUST_CHECK;

#endif
