/* What base.c and base_archive.c share. */
#ifndef ENGINE_BASE_INTERNAL_H
#define ENGINE_BASE_INTERNAL_H

#include "engine/base.h"

/* An image's manifest: its config and layers registered, nothing but the config fetched. `origin` is what layers are
 * fetched from; NULL when the blobs are objects of the store already. */
int base_from_manifest(struct engine *engine, const struct buffer *manifest, const char *origin,
                       struct container *container, struct error *error);
/* One layer with this DiffID and the usual PATH. */
int base_from_layer(struct engine *engine, const struct digest *diff_id, const char *platform, const char *created_by,
                    struct container *container, struct error *error);

/* Unpacks a tar archive, compressed or not, as one layer. */
int base_from_layer_file(struct engine *engine, const char *path, struct digest *diff_id, struct error *error);

int base_from_layout(struct engine *engine, const char *place, const char *platform, struct container *container,
                     struct error *error);
int base_from_docker_archive(struct engine *engine, const char *path, struct container *container, struct error *error);
int base_from_rootfs(struct engine *engine, const char *path, const char *platform, struct container *container,
                     struct error *error);
/* base_node.c: Node and npm on top of a container. */
int base_add_node(struct engine *engine, const struct container *input, const char *version, const char *architecture,
                  struct container *output, struct error *error);
int base_from_packages(struct engine *engine, const char *specification, const char *platform,
                       struct container *container, struct error *error);

#endif
