/* Paths as they are given to a stage of a chain. */
#ifndef CHAIN_PATH_H
#define CHAIN_PATH_H

#include "common/base/error.h"

#include <stdbool.h>

/* "a/../b//c/" seen from `directory` (absolute) as "/a/b/c"; without a slash at its end, "/" alone is the root.
 * ERROR_USAGE when it leaves the root, is empty or too long. The caller frees. */
int chain_path(const char *directory, const char *given, char **path, struct error *error) MUST_CHECK;
/* The same for a path inside of a directory record: without the slash at its beginning, "" is all of it. */
int chain_path_inside(const char *given, char **path, struct error *error) MUST_CHECK;
/* Whether a destination is named as a directory: "lib/", "." */
bool chain_path_names_directory(const char *given);

#endif
