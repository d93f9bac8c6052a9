/* Looking into a container's file system without mounting it: its layers, merged directory by directory as the kernel's
 * overlay does it, whiteouts and opaque directories included. Internal to the engine. */
#ifndef ENGINE_MERGED_H
#define ENGINE_MERGED_H

#include "common/base/text.h"
#include "engine/container.h"

#include <sys/stat.h>

/* The directories of several layers, topmost first, that together are one directory of the container. The first one
 * has its owner and mode. */
struct merged {
    struct text_list folders;
};

/* The container's root; fetches and unpacks its layers. Release with text_list_release(&root->folders). */
int merged_open(struct engine *engine, const struct container *container, struct merged *root,
                struct error *error) MUST_CHECK;
/* Looks one name up: 'd' with *below filled, 'f', 'l' or 's' (anything else) with *path (the caller frees) and *status,
 * 0 when there is none. */
char merged_lookup(const struct merged *in, const char *name, struct merged *below, char **path, struct stat *status);
/* All names in a directory, sorted; one that a layer hides is among them, and only merged_lookup says so. */
int merged_list(const struct merged *folder, struct text_list *names, struct error *error) MUST_CHECK;

/* Where a walk has arrived. */
struct place {
    struct merged folder; /* when type is 'd' */
    char type;            /* 'd', 'f', 'l', 's', or 0: does not exist */
    char *path;           /* on the disk, of a file or link */
    struct stat status;
    struct buffer resolved; /* absolute path in the container, without links on the way; "" is the root */
};

/* Follows links on the way, the last part excepted; a path that ends in "/." has its last part followed too. What does
 * not exist is kept in `resolved` as it is. The place is to be released after success and failure. */
int merged_walk(const struct merged *root, const char *path, struct place *place, struct error *error) MUST_CHECK;
void place_release(struct place *place);

#endif
