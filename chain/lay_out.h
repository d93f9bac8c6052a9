/* A tree on the disk, as files of whoever calls. */
#ifndef CHAIN_LAY_OUT_H
#define CHAIN_LAY_OUT_H

#include "engine/tree.h"

/* The entries below an open directory; nothing that is reached through a link is written. Contents are hashed again.
 * `epoch` is the time that files get, 0: now. ERROR_DATA where something else than a directory is in the way. */
int lay_out(struct engine *engine, const struct tree *tree, int root, int64_t epoch, struct error *error) MUST_CHECK;
/* One file in an open directory, in the place of a file or link of this name. */
int lay_out_file(struct engine *engine, const struct tree_entry *file, int folder, const char *name, int64_t epoch,
                 struct error *error) MUST_CHECK;

#endif
