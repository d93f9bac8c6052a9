/* npm's registry, as far as a single package's tarball: GET /NAME/VERSION for its metadata and /NAME/-/BASE-VERSION.tgz
 * for the tarball (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md).
 *
 * Which registry it is: npm_config_registry or NPM_CONFIG_REGISTRY, then "registry=" of ~/.npmrc, then npm's own. A
 * "//HOST/PATH/:_authToken=" of ~/.npmrc is sent to exactly that host and path; ${NAME} in it stands for a variable. */
#ifndef REGISTRY_NPM_H
#define REGISTRY_NPM_H

#include "common/http/http.h"
#include "common/store/package_source.h"

struct npm_registry {
    struct http *http; /* must outlive it */
    struct progress *progress;
};

/* As package_source.tarball says. The tarball has at most 1 GiB. */
int npm_tarball(const struct npm_registry *npm, const char *name, const char *version, const char *integrity,
                struct store *store, struct digest *digest, struct error *error) MUST_CHECK;

#endif
