/* Making room in the store. Design section 6.
 *
 * What a store holds is of use as long as somebody uses it: a step that a build found, a base that was resolved, a
 * container or site that was made, a package manager's cache. With each of these stays all that it refers to: layers,
 * trees, blobs, files. Everything is noted by day, so that what is used daily is never taken, whatever its age. */
#ifndef ENGINE_GC_H
#define ENGINE_GC_H

#include "engine/engine.h"

struct gc {
    int64_t keep_seconds; /* what was of use within this time is kept */
    uint64_t size_limit;  /* bytes on the disk, UINT64_MAX: none; of that only the latest is kept, as much as fits */
    uint64_t free_wanted; /* bytes, 0: none; of that only so much that the file system has so much room */
    bool dry_run;         /* only counts */
};
struct gc_counts {
    uint64_t steps, bases, others; /* names: steps, bases and all else */
    uint64_t layers, objects, caches;
    uint64_t bytes;
};
struct gc_result {
    struct gc_counts kept, taken;
    uint64_t available; /* bytes on the file system afterwards; of a dry run: about what it would be */
};
/* Waits up to a minute until no other process uses the store (ERROR_TEMPORARY); others wait meanwhile, but for the time
 * it takes to look at names, not to remove what is big. Killed at any time it leaves a store that is right. When less
 * is available afterwards than was wanted, all has gone that was not in use: that is no failure. */
int gc_run(struct engine *engine, const struct gc *gc, struct gc_result *result, struct error *error) MUST_CHECK;

#endif
