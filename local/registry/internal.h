/* What the files of local/registry share. */
#ifndef LOCAL_REGISTRY_INTERNAL_H
#define LOCAL_REGISTRY_INTERNAL_H

#include "common/crypto/digest.h"
#include "local/cloud.h"
#include "local/registry/registry.h"

#include <pthread.h>
#include <time.h>

struct upload {
    char id[33];
    char *repository;
    char *owner;
    struct store_writer *writer;
    uint64_t size;
    bool busy; /* a request works on it */
    time_t used;
};

struct registry {
    struct store *store;
    char *root;
    pthread_mutex_t lock; /* of the list of uploads; and of changes to tags and manifests */
    struct upload **uploads;
    size_t upload_count;
};

enum action { ACTION_PULL = 1, ACTION_PUSH = 2, ACTION_DELETE = 4 };

/* What a path means. */
struct target {
    enum target_kind {
        TARGET_NONE,
        TARGET_BASE,
        TARGET_TOKEN,
        TARGET_CATALOG,
        TARGET_BLOB,
        TARGET_UPLOADS,
        TARGET_UPLOAD,
        TARGET_MANIFEST,
        TARGET_TAGS,
        TARGET_REFERRERS,
    } kind;
    char *repository;
    char *reference; /* digest, tag or upload id */
};
/* TARGET_NONE for what is no path of the registry. A bad name is left for repository_is_valid. */
void target_parse(const char *path, struct target *target);
void target_release(struct target *target);
#define AUTO_TARGET AUTO(target_release)

bool repository_is_valid(const char *name);
bool tag_is_valid(const char *tag);

/* "registry/NAME/FOLDER[/KEY]"; the caller frees. The repository's name must be valid. */
char *registry_path(const struct registry *registry, const char *repository, const char *folder, const char *key);
bool registry_has(const struct registry *registry, const char *repository, const char *folder,
                  const struct digest *digest);
int registry_link(const struct registry *registry, const char *repository, const char *folder,
                  const struct digest *digest, const char *content, struct error *error) MUST_CHECK;
bool repository_exists(const struct registry *registry, const char *repository);
/* The digest of a tag or of a digest's text; false when there is none. */
bool registry_resolve(const struct registry *registry, const char *repository, const char *reference,
                      struct digest *digest);
/* The record of a manifest, or NULL. */
struct json *manifest_record(const struct registry *registry, const char *repository, const struct digest *digest);

/* Every folder below `name` (with it) that has manifests or blobs. */
void registry_find_repositories(const struct registry *registry, const char *name, struct text_list *found);
/* Deletes a manifest with its tags. False when it is not there. */
bool registry_delete_manifest(struct registry *registry, const char *repository, const struct digest *digest);

/* The requests. `begin` ones run when the header is there, the others when the body is. */
void token_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
/* The bearer may do `actions` on the repository (NULL: any token will do; REGISTRY_CATALOG: see the list of all); else
 * answers 401. */
#define REGISTRY_CATALOG "*"
bool registry_authorize(const struct local_cloud *cloud, struct request *request, const char *repository,
                        unsigned actions, struct reply *reply);
bool registry_may(const struct local_cloud *cloud, const struct request *request, const char *repository,
                  unsigned actions);
void blob_handle(void *cloud, struct request *request, struct reply *reply);
void uploads_begin(struct local_cloud *cloud, struct request *request, const struct target *target,
                   struct reply *reply);
void upload_begin(struct local_cloud *cloud, struct request *request, const struct target *target, struct reply *reply);
void uploads_release(struct registry *registry);
void manifest_handle(void *cloud, struct request *request, struct reply *reply);
void catalog_handle(void *cloud, struct request *request, struct reply *reply);
void tags_handle(void *cloud, struct request *request, struct reply *reply);
void referrers_handle(void *cloud, struct request *request, struct reply *reply);

#endif
