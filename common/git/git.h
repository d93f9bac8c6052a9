/* What git says of a work tree, asked with git itself. */
#ifndef GIT_GIT_H
#define GIT_GIT_H

#include "common/base/buffer.h"

/* Runs "git ARGUMENTS" (ends with NULL) in `directory` (NULL: ours) for at most 30 seconds, without GIT_DIR and its
 * like, which would make it another repository's answer, without asking anybody anything and without locks. Its output
 * is appended to `out`, within its limit. ERROR_STEP with what it said when it ends badly; ERROR_CONFIGURATION when
 * there is no git. */
int git_run(const char *directory, const char *const *arguments, struct buffer *out, struct error *error) MUST_CHECK;
/* The same as a text without the newline at its end, at most 1 MiB; NULL when it fails. The caller frees. */
char *git_ask(const char *directory, const char *const *arguments, struct error *error);

#endif
