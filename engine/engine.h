/* What every part of the engine works with. One struct engine per process. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "common/base/progress.h"
#include "common/json/json.h"
#include "common/store/image_source.h"
#include "common/store/package_source.h"
#include "common/store/store.h"
#include "engine/lock.h"

struct sandbox_visit;
struct step_failure;

struct engine {
    struct store *store;
    struct progress *progress;
    const struct image_source *source;     /* NULL: no registry can be asked */
    const struct package_source *packages; /* of npm's registry; NULL likewise */
    bool no_cache;                         /* make every step anew (the results are stored all the same) */
    bool explain;                          /* tell through progress_note why each step was found or made */
    bool offline_bases;                    /* use what the store knows about a base, never ask again */
    bool ask_bases;                        /* ask a registry what the tag of a base means now, whatever is remembered */
    struct lock *lock;                     /* of pl.lock, what bases mean; NULL: there is none */
    struct lock *new_lock; /* gets what bases mean now, and `lock` is not asked; NULL: nothing is kept */
    const char *relock;    /* the command that writes pl.lock, for messages; NULL: pl-build --lock */
    int64_t epoch;         /* SOURCE_DATE_EPOCH, default 0: every time in a layer is clamped to it */
    const char *scope;     /* the source directory (absolute): where --explain looks for the nearest earlier step */
    /* Called when the command of a step or check has failed, while its container is still there (engine/step.h); NULL:
     * nobody is. */
    void (*failed)(void *context, const struct step_failure *failure, struct sandbox_visit *visit);
    void *failed_context;
    unsigned steps_found, steps_made; /* counted for the summary */
    bool has_lost_layer;              /* see layer_was_lost */
};

#endif
