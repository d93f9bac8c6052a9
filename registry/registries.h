/* The registries as a source of bases, opened when one is first asked: a build that finds everything in the store
 * neither loads the HTTP library nor reads a credential file. */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include "common/base/progress.h"
#include "common/store/image_source.h"
#include "gcp/credentials/credentials.h"
#include "registry/credentials.h"
#include "registry/registry.h"

struct registries {
    struct progress *progress;
    struct google_login google;
    struct docker_login docker;
    struct login_source sources[2]; /* Google's credentials for Google's registries, then Docker's files */
    struct http *http;
    struct registry *registry;
};

struct image_source registries_source(struct registries *registries);
void registries_release(struct registries *registries);
#define AUTO_REGISTRIES AUTO(registries_release)

#endif
