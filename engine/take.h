/* What is taken out of a container: trees, looked up like every step's result. Design section 5. */
#ifndef ENGINE_TAKE_H
#define ENGINE_TAKE_H

#include "engine/container.h"

struct take {
    const char *name;               /* shown to the user */
    const char *path;               /* absolute, a directory */
    const struct text_list *except; /* names of directories that are left out wherever they are; may be NULL */
};
int take_directory(struct engine *engine, const struct container *from, const struct take *take, struct digest *tree,
                   struct error *error) MUST_CHECK;

/* A site is a directory with an index.html. */
struct take_site {
    const char *name;
    const char *path;               /* absolute: where the places lie */
    const struct text_list *places; /* relative, the likeliest first */
    bool is_certain;                /* else the only directory that the last step wrote an index.html to will do */
    bool is_split;                  /* each language has a directory of its own with an index.html */
};
/* ERROR_DATA when there is none, naming the directories that the last step wrote an index.html to. */
int take_site(struct engine *engine, const struct container *from, const struct take_site *site, struct digest *tree,
              struct error *error) MUST_CHECK;

#endif
