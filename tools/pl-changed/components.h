/* The components of a repository: which there are, and which paths count for each. */
#ifndef TOOLS_PL_CHANGED_COMPONENTS_H
#define TOOLS_PL_CHANGED_COMPONENTS_H

#include "tools/pl-changed/command.h"

/* A component: as it was named, and the paths that count, from the top of the work tree. "" is all of it. */
struct component {
    char *name;
    struct text_list paths, changed;
};

struct components {
    struct component *items;
    size_t count;
};

/* Those that the operands name ("DIR[:PATH…]"), else those that are found below the directory that we run in. `top` is
 * the work tree, absolute; `prefix` the way from there to here, "" or with a slash at its end. */
int components_find(const struct command_context *context, const char *top, const char *prefix,
                    struct components *components, struct error *error) MUST_CHECK;
void components_release(struct components *components);

/* One more path (from here, or absolute) counts for it. ERROR_USAGE when it leads out of the work tree. */
int component_depend(struct component *component, const char *top, const char *prefix, const char *path,
                     struct error *error) MUST_CHECK;
/* Whether a file is the path or lies below it. Everything lies in "". */
bool path_lies_in(const char *file, const char *path);

#endif
