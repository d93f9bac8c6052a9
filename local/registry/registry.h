/* The container registry of the local cloud: OCI distribution 1.1 over a store, with token authentication.
 *
 * A blob or manifest is an object of the store; which repository holds it says a small file, so that a digest alone
 * opens nothing:
 *
 *   registry/NAME…/_blobs/HEX       empty
 *   registry/NAME…/_manifests/HEX   {"mediaType","size","subject","artifactType"…}
 *   registry/NAME…/_tags/TAG        "sha256:HEX"
 *
 * No part of a valid repository name begins with '_'. An upload under way is an unnamed file: whatever ends the process
 * leaves nothing of it; a client then gets BLOB_UPLOAD_UNKNOWN and starts over. */
#ifndef LOCAL_REGISTRY_REGISTRY_H
#define LOCAL_REGISTRY_REGISTRY_H

#include "common/store/image_source.h"
#include "common/store/store.h"
#include "local/server/server.h"

struct local_cloud;
struct registry;

enum {
    MANIFEST_LIMIT = 4 << 20,
    NAME_LIMIT = 255,
    UPLOADS_LIMIT = 256, /* at once */
    UPLOAD_IDLE_SECONDS = 3600,
};
#define BLOB_LIMIT (UINT64_C(64) << 30)

struct registry *registry_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void registry_close(struct registry **registry);

/* Everything below /v2/ that is no API of Google's. */
void registry_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* Artifact Registry's API v1, /v1/projects/P/locations/L/repositories…: what a request needs, and the request of
 * somebody who may. */
const char *artifact_permission(const struct request *request);
void artifact_handle(const struct local_cloud *cloud, const struct request *request, struct reply *reply);

/* An image by tag or digest for an architecture, for running it. References to this host or to REGION-docker.pkg.dev
 * are ours; ERROR_NO_INPUT when there is no such image, ERROR_DATA when it is for other architectures (they are in the
 * text). *manifest is parsed; the blobs are objects of the store. */
struct image {
    struct digest digest;        /* of the manifest */
    struct digest config_digest; /* the image's ID */
    struct json *manifest;
    struct json *config;
    char *reference; /* HOST/REPO@sha256:… */
};
int registry_find_image(const struct local_cloud *cloud, const char *reference, struct image *image,
                        struct error *error) MUST_CHECK;
void image_release(struct image *image);
#define AUTO_IMAGE AUTO(image_release)

#endif
