/* Ignore files (.dockerignore, .plignore): Docker's pattern rules.
 *
 * One pattern a line; '#' begins a comment in column 1; '!' re-includes; the last pattern that matches decides. '*',
 * '?' and '[a-z]' do not match '/', a part that is "**" matches any number of parts, '\' takes the next character as it
 * is. A pattern also matches everything below what it matches. Patterns are relative to the root whether or not they
 * begin with '/'. Matching takes time proportional to pattern times path, whatever the pattern. */
#ifndef ENGINE_IGNORE_H
#define ENGINE_IGNORE_H

#include "common/base/error.h"

#include <stdbool.h>

struct ignore;

struct ignore *ignore_new(void);
/* One line of an ignore file. ERROR_DATA when the pattern is malformed ("[", a trailing "\"). */
int ignore_add(struct ignore *ignore, const char *line, struct error *error) MUST_CHECK;
/* A whole file (at most 1 MiB; CRLF and a byte order mark are accepted); a missing file is fine. */
int ignore_load(struct ignore *ignore, const char *path, struct error *error) MUST_CHECK;
/* Whether the relative path is left out. *descend (may be NULL): a left out directory may still hold re-included files.
 * The directories above `path` must have been asked before, as a walk from the top does. */
bool ignore_matches(const struct ignore *ignore, const char *path, bool *descend);
void ignore_release(struct ignore **ignore);
#define AUTO_IGNORE AUTO(ignore_release)

/* One pattern against one path, without '!' and without matching below. For COPY's wildcards. */
bool glob_matches(const char *pattern, const char *path);
/* Whether a text has any of *, ? and [. */
bool glob_has_wildcard(const char *text);

#endif
