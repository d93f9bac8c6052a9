/* The shell that a person gets in a container. */
#ifndef ENGINE_SHELL_H
#define ENGINE_SHELL_H

#include "engine/container.h"

enum { SHELL_LIMIT = 8 };

/* For a struct sandbox's visitors, the best first: what the image calls its shell, bash, sh, and busybox where that
 * alone is there. */
struct shells {
    struct text_list argvs[SHELL_LIMIT];
    size_t count;
};
void shells_of(const struct container *container, struct shells *shells);
void shells_release(struct shells *shells);
#define AUTO_SHELLS AUTO(shells_release)

#endif
