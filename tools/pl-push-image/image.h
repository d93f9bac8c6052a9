/* A container of the store as an image for a registry: its blobs and its manifest. */
#ifndef TOOLS_PL_PUSH_IMAGE_IMAGE_H
#define TOOLS_PL_PUSH_IMAGE_IMAGE_H

#include "engine/container.h"
#include "engine/layer.h"
#include "registry/registry.h"

struct image {
    struct container container;
    struct layer_descriptor *layers; /* in the order of the config */
    size_t layer_count;
    struct push_blob *blobs; /* the layers, each once, then the config */
    size_t *blob_layers;     /* which layer a blob is */
    size_t blob_count;
    char **names; /* of the blobs, for progress */
    struct buffer manifest;
};

/* Loads the container, compresses the layers that no registry has, and writes the manifest: OCI, the same bytes for the
 * same container; the labels org.opencontainers.image.* of the config are its annotations. */
int image_make(struct engine *engine, const struct digest *config, struct image *image, struct error *error) MUST_CHECK;
/* For struct push: makes sure that the store holds a blob. `context` is a struct image_fetch. */
struct image_fetch {
    struct engine *engine;
    struct image *image;
};
int image_fetch_blob(void *context, size_t index, struct error *error);
void image_release(struct image *image);
#define AUTO_IMAGE AUTO(image_release)

#endif
