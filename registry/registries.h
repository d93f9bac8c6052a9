/* The registries as a source of bases and packages, opened when one is first asked: a build that finds everything in
 * the store neither loads the HTTP library nor reads a credential file. */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include "common/base/progress.h"
#include "common/http/login_source.h"
#include "common/store/image_source.h"
#include "common/store/package_source.h"
#include "registry/credentials.h"
#include "registry/registry.h"

struct registries {
    struct progress *progress;
    /* Makes the HTTP client, and in *first the logins that are asked before those of Docker's files (`next`). NULL: a
     * plain client, and Docker's files alone. */
    struct http *(*open)(void *context, struct progress *progress, const struct login_source *next,
                         struct login_source *first);
    void *context;
    struct docker_login docker;
    struct login_source sources[2];
    struct http *http;
    struct registry *registry;
};

struct image_source registries_source(struct registries *registries);
/* npm's registry. */
struct package_source registries_packages(struct registries *registries);
/* Gets the config of an image into the store, and nothing of its layers: by its manifest, whose digest was checked.
 * *container is the digest of the config, which is the image's id. */
int image_source_config(const struct image_source *source, const char *image, const char *platform, struct store *store,
                        struct digest *container, struct error *error) MUST_CHECK;
void registries_release(struct registries *registries);
#define AUTO_REGISTRIES AUTO(registries_release)

#endif
