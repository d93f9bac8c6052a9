/* What the files gc*.c share. */
#ifndef ENGINE_GC_INTERNAL_H
#define ENGINE_GC_INTERNAL_H

#include "common/store/maintenance.h"
#include "engine/gc.h"

/* A set of digests by their first 128 bits. */
struct digest_set {
    struct digest_prefix {
        uint64_t words[2]; /* both zero: a free place */
    } * places;
    size_t count, capacity;
};
/* False when it was there already. */
bool digest_set_add(struct digest_set *set, const struct digest *digest);
bool digest_set_has(const struct digest_set *set, const struct digest *digest);
void digest_set_release(struct digest_set *set);

/* What is in the store, and what of it is of use. */
struct gc_view {
    struct engine *engine;
    struct store_items names, trees, mounts; /* trees sorted by id */
    struct store_objects objects;
    struct digest_set marked_objects, marked_layers;
    uint64_t marked_bytes;
};
/* What a name refers to, directly or not. Names that are damaged refer to nothing. */
void gc_mark_name(struct gc_view *view, const struct store_item *name);
/* What an object refers to that no name refers to: the config of a container, a tree of files, or nothing. */
void gc_mark_object(struct gc_view *view, const struct store_object *object);
/* Whether a name describes a layer ("layers", "compressed") instead of using it; *layer is which. */
bool gc_describes_layer(const struct store_item *name, struct digest *layer);

#endif
