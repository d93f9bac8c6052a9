/* The commit that a work tree is compared with. */
#ifndef TOOLS_PL_CHANGED_BASE_H
#define TOOLS_PL_CHANGED_BASE_H

#include "common/base/error.h"

/* Where `since` (NULL: what the CI's environment or origin's default branch says) and HEAD parted, as a commit. NULL
 * with ERROR_STEP when git does not know it, ERROR_USAGE when nothing says one. The caller frees. */
char *base_find(const char *since, struct error *error);

#endif
