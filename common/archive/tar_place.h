/* Where an entry of an archive goes: names checked, parents opened below the root and made where they are missing.
 * Nothing here follows a link out of the root. Internal to common/archive. */
#ifndef ARCHIVE_TAR_PLACE_H
#define ARCHIVE_TAR_PLACE_H

#include "common/base/error.h"

/* Takes "./" and a leading and a trailing '/' away; refuses "..", names and paths that are too long and excessive depth
 * (ERROR_DATA). The root is "". The caller frees *path. */
int tar_place_clean(const char *raw, char **path, struct error *error) MUST_CHECK;

/* Cuts a clean path in two; both point into it. */
void tar_place_split(char *path, char **parent, char **name);

/* The directory `path` below the root, a descriptor or -1 with errno; links are resolved inside the root. */
int tar_place_open(int root, const char *path);

/* The same, and what is missing is made (0755), also where a link leads to what is not there yet; what is no directory
 * on the way is replaced, as an upper layer may put a directory where a lower one had a file. A directory that takes
 * the place of a whiteout of the same archive is marked with `opaque` (may be NULL), for it hides what lies below. */
int tar_place_make(int root, const char *path, const char *opaque, struct error *error) MUST_CHECK;

/* Removes whatever has that name, a directory with all below. */
int tar_place_remove(int parent, const char *name, struct error *error) MUST_CHECK;

/* Removes what has that name unless it is a directory, and makes one where none is. The descriptor, or -1. */
int tar_place_directory(int parent, const char *name, const char *opaque, struct error *error) MUST_CHECK;

#endif
