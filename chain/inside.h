/* What lies at a path of a container: looked up like every step's result. */
#ifndef CHAIN_INSIDE_H
#define CHAIN_INSIDE_H

#include "engine/container.h"

/* A directory's content, or one file under its own name, with owners and modes. `path` is absolute. ERROR_DATA: there
 * is nothing. */
int inside_container(struct engine *engine, const struct container *container, const char *path, struct digest *tree,
                     bool *is_directory, struct error *error) MUST_CHECK;

#endif
