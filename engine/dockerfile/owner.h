/* --chown=USER[:GROUP]: numbers as they are, names by the image's own /etc/passwd and /etc/group. */
#ifndef DOCKERFILE_OWNER_H
#define DOCKERFILE_OWNER_H

#include "engine/dockerfile/builder.h"

int owner_resolve(const struct build_state *state, const char *owner, uint32_t *uid, uint32_t *gid,
                  struct error *error);

#endif
