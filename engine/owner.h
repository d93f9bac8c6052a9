/* USER[:GROUP] as a container knows it: numbers as they are, names by the image's own /etc/passwd and /etc/group. */
#ifndef ENGINE_OWNER_H
#define ENGINE_OWNER_H

#include "engine/container.h"

/* Without a group it is the user's own. Names need the container's layers. ERROR_DATA: the name is not known there. */
int owner_resolve(struct engine *engine, const struct container *container, const char *owner, uint32_t *uid,
                  uint32_t *gid, struct error *error) MUST_CHECK;

#endif
