/* The client of the OCI distribution API (distribution-spec 1.1): pull and push.
 *
 * Everything that a registry says is checked: digests are taken over the bytes received, sizes and media types must be
 * what the descriptor said, a token realm or an upload location on another host gets no credentials and no way into a
 * private network. A loopback host is spoken to over plain http, every other one over TLS.
 *
 * One struct registry per process; it keeps the tokens of each host in memory. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "common/http/http.h"
#include "common/http/login_source.h"
#include "common/store/image_source.h"
#include "registry/reference.h"

#define MEDIA_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

enum { REGISTRY_MANIFEST_LIMIT = 4 * 1024 * 1024 };

struct registry;

struct registry_options {
    struct http *http; /* must outlive the registry */
    struct progress *progress;
    const struct login_source *logins; /* asked in turn; a login that is refused makes the next one be asked */
};

struct registry *registry_new(const struct registry_options *options);
void registry_release(struct registry **registry);
#define AUTO_REGISTRY AUTO(registry_release)
/* Whether the registry answers and takes our credentials for pushing to (or only pulling from) the repository. */
int registry_check_access(struct registry *registry, const struct reference *reference, bool push,
                          struct error *error) MUST_CHECK;

/* ---- pull ---- */

/* The image source of engine/. Its manifest() descends into an index (at most 4 levels, 1000 entries); a manifest has
 * at most 4 MiB. ERROR_DATA: no such image, or none for the platform; ERROR_PROTOCOL: the registry's answer is not what
 * it must be; ERROR_PERMISSION; ERROR_UNAVAILABLE. */
struct image_source registry_image_source(struct registry *registry);

/* ---- lists ---- */

/* Up to 5000 tags of a repository, and repositories of a host (which many registries do not tell), in the order in
 * which they are told. What is no valid tag or repository is left out. */
int registry_list_tags(struct registry *registry, const struct reference *reference, struct text_list *tags,
                       struct error *error) MUST_CHECK;
int registry_list_repositories(struct registry *registry, const char *host, struct text_list *repositories,
                               struct error *error) MUST_CHECK;

/* ---- push ---- */

struct push_blob {
    struct digest digest;
    uint64_t size;
    /* "HOST/REPOSITORY@sha256:…": where a registry has it already, or NULL. On the same host it is mounted across. */
    const char *origin;
    const char *name; /* for progress: "layer 3"; may be NULL */
};

struct push {
    const struct reference *target; /* host and repository; its tag is not looked at */
    const struct push_blob *blobs;  /* config and layers, each digest once */
    size_t blob_count;
    const char *media_type; /* of the manifest */
    const void *manifest;
    size_t manifest_length;
    const struct text_list *tags; /* none: only by digest */
    struct store *store;          /* holds the blobs; remembers what a repository has already */
    /* Called for a blob that the repository lacks and the store does not hold (may be NULL). */
    int (*fetch)(void *context, size_t index, struct error *error);
    void *context;
};

struct push_outcome {
    struct digest digest; /* of the manifest */
    unsigned uploaded, mounted, existing;
    uint64_t uploaded_bytes;
};

/* Blobs that are missing (HEAD, mount or upload, several at once, resumed when a connection breaks), then the manifest,
 * then the tags. A push that ends early leaves at most unreferenced blobs. */
int registry_push(struct registry *registry, const struct push *push, struct push_outcome *outcome,
                  struct error *error) MUST_CHECK;

#endif
