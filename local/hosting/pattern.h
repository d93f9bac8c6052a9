/* What a rule applies to: a glob (common/glob) or a regular expression (common/regex), which matches anywhere in the
 * path. As in Firebase's own tools a glob that begins with '!' matches what the rest does not, one that begins with '#'
 * nothing, no wildcard matches a '.' at the beginning of a part, and a path that ends with '/' also matches without. */
#ifndef LOCAL_HOSTING_PATTERN_H
#define LOCAL_HOSTING_PATTERN_H

#include "common/json/json.h"

struct glob;
struct regex;

struct pattern {
    struct glob *glob;
    bool negated, nothing;
    struct regex *regex;
};

/* Redirects and headers mean the path from its beginning, even where their glob does not begin with '/'; rewrites do
 * not. */
enum pattern_root { PATTERN_AS_IT_IS, PATTERN_ROOTED };

/* `rule` has either "glob" or "regex"; `path` names it in errors (ERROR_DATA). */
int pattern_compile(struct pattern *pattern, const struct json *rule, const char *path, enum pattern_root root,
                    struct error *error) MUST_CHECK;
bool pattern_matches(const struct pattern *pattern, const char *path);
void pattern_release(struct pattern *pattern);

/* A glob or a path from the root: one '/' in front, "//", "." and ".." resolved, a leading '!' kept. The caller frees.
 */
char *pattern_root(const char *text);

#endif
