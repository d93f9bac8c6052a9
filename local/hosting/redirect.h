/* Where a redirect goes: its location with what the pattern captured.
 *
 * A glob may name parts of a path, "/users/:id", ":rest*" (any number of parts), ":part?", ":number(\\d+)"; a regex
 * has its groups, by number or by name (?P<name>…). The location takes them up as ":id", ":rest", ":1". Letters match
 * in either case then, and a '/' at the end of the path is ignored (as path-to-regexp does it for Firebase's own
 * tools). */
#ifndef LOCAL_HOSTING_REDIRECT_H
#define LOCAL_HOSTING_REDIRECT_H

#include "common/base/error.h"

#include <stdbool.h>

struct captures;
/* NULL with error->kind ERROR_NONE when the location takes nothing up. `glob` or `regex` is NULL. */
struct captures *captures_compile(const char *glob, const char *regex, const char *location,
                                  struct error *error) MUST_CHECK;
void captures_release(struct captures **captures);
/* The location for a path (decoded), not yet encoded; NULL when the pattern does not match or when a part that the
 * location needs is missing. *matched tells the two apart. The caller frees. */
char *captures_apply(const struct captures *captures, const char *path, bool *matched);

/* Percent-encodes what may not stand in a URL; what is encoded already stays. The caller frees. */
char *location_encode(const char *location);

#endif
