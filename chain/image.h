/* A container of the store as an image, for a registry or a layout: its blobs and its manifest. */
#ifndef CHAIN_IMAGE_H
#define CHAIN_IMAGE_H

#include "engine/container.h"
#include "engine/layer.h"
#include "registry/registry.h"

struct chain_image {
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
 * same container; the labels org.opencontainers.image.* of the config are its annotations, and what `extra` says (an
 * object of texts, may be NULL). */
int chain_image_make(struct engine *engine, const struct digest *config, const struct json *extra,
                     struct chain_image *image, struct error *error) MUST_CHECK;
/* For struct push: makes sure that the store holds a blob. `context` is a struct chain_image_fetch. */
struct chain_image_fetch {
    struct engine *engine;
    struct chain_image *image;
};
int chain_image_fetch_blob(void *context, size_t index, struct error *error);
void chain_image_release(struct chain_image *image);
#define AUTO_CHAIN_IMAGE AUTO(chain_image_release)

#endif
