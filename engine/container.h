/* Containers: OCI images in the store, named by the digest of their config (the image ID). */
#ifndef ENGINE_CONTAINER_H
#define ENGINE_CONTAINER_H

#include "engine/engine.h"

struct container {
    struct digest digest; /* of the config's bytes, which are an object of the store */
    struct json *config;  /* OCI image config: architecture, os, config{Env,Cmd,…}, rootfs{diff_ids}, history */
};

/* An image without layers, with the usual PATH; architecture and os from "linux/amd64". */
int container_scratch(struct engine *engine, const char *platform, struct container *container,
                      struct error *error) MUST_CHECK;
int container_load(struct engine *engine, const struct digest *digest, struct container *container,
                   struct error *error) MUST_CHECK;
/* Stores the config (canonical JSON) and sets digest. Takes over `config`. */
int container_store(struct engine *engine, struct json *config, struct container *container,
                    struct error *error) MUST_CHECK;
struct container container_share(const struct container *container);
void container_release(struct container *container);
#define AUTO_CONTAINER AUTO(container_release)

size_t container_layer_count(const struct container *container);
int container_layer(const struct container *container, size_t index, struct digest *diff_id,
                    struct error *error) MUST_CHECK;
const char *container_architecture(const struct container *container);
/* The platform of this machine, "linux/amd64" or "linux/arm64". */
const char *platform_native(void);
/* Whether programs of an architecture ("arm64") can be run: the machine's own, its 32-bit one, and those that the
 * kernel hands to an emulator (binfmt_misc with qemu's names). */
bool platform_can_run(const char *architecture);

#endif
