/* How engine gets images without knowing registries: registry/ implements this, a tool connects the two.
 * pl-local implements it over its own storage. */
#ifndef STORE_IMAGE_SOURCE_H
#define STORE_IMAGE_SOURCE_H

#include "common/store/store.h"

struct image_source {
    void *context;
    /* Resolves a reference ("python:3.12-slim", "HOST/REPO@sha256:…") for a platform ("linux/amd64") to one image
     * manifest: its bytes as received (hashed against *canonical's digest) and *canonical = "HOST/REPO@sha256:…" of
     * that manifest (an index has been descended into). The caller frees *canonical. */
    int (*manifest)(void *context, const char *reference, const char *platform, struct buffer *manifest,
                    char **canonical, struct error *error);
    /* Fetches a blob of the repository of `canonical` into the store, checked against digest and size. */
    int (*blob)(void *context, const char *canonical, const struct digest *digest, uint64_t size, struct store *store,
                struct error *error);
};

#endif
