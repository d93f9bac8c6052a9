/* Globs over paths, by the rules of minimatch, which firebase.json's patterns are written for.
 *
 *   *  ?  [a-z] [!a-z] [[:alpha:]]      within one part of the path
 *   **                                  any number of parts, none included; at the end one at least
 *   {a,b} {1..9}                        are written out before anything else
 *   ?(a|b) *(a|b) +(a|b) @(a|b) !(a|b)  within one part, may be nested
 *   \                                   takes the next character as it is
 *
 * What is not closed is taken as it is. Case counts; there is neither negation nor comment. Matching takes time
 * proportional to pattern times path, whatever the pattern. Dockerfiles have other rules: engine/ignore.h. */
#ifndef GLOB_GLOB_H
#define GLOB_GLOB_H

#include "common/base/error.h"

#include <stdbool.h>

enum glob_flags {
    GLOB_DOT = 1 << 0, /* wildcards match parts that begin with a dot */
};

enum { GLOB_LENGTH_LIMIT = 4096, GLOB_BRACES_LIMIT = 1000 };

struct glob;

/* NULL and ERROR_DATA: longer than GLOB_LENGTH_LIMIT, braces that make more than GLOB_BRACES_LIMIT patterns. */
struct glob *glob_new(const char *pattern, unsigned flags, struct error *error) MUST_CHECK;
/* Slashes separate parts; one at the beginning or end of `path` makes an empty part, which only an empty part of the
 * pattern or ** matches. */
bool glob_accepts(const struct glob *glob, const char *path);
void glob_release(struct glob **glob);
#define AUTO_GLOB AUTO(glob_release)

#endif
