/* Changes of a tree in memory. Paths are relative and clean (chain_path_inside); the entries stay sorted. */
#ifndef CHAIN_TREE_EDIT_H
#define CHAIN_TREE_EDIT_H

#include "engine/tree.h"

/* Lays what `what` holds at `at` ("" is the top); directories above it are made. A file takes the place of a file or a
 * link. ERROR_DATA where a directory would take the place of something else, or something else that of a directory. */
int tree_lay(struct tree *tree, const struct tree *what, const char *at, struct error *error) MUST_CHECK;
/* Removes a path with all below it; false when there is none. */
bool tree_drop(struct tree *tree, const char *path);
/* Copies the entries below a directory, or a file under its own name. False when there is none. */
bool tree_below(const struct tree *tree, const char *path, struct tree *below);
/* Sets owner and mode of all entries; mode -1: as it is. */
void tree_own(struct tree *tree, uint32_t uid, uint32_t gid, bool has_owner, int mode);

#endif
