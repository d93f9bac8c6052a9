/* What the files gc*.c share. */
#ifndef ENGINE_GC_INTERNAL_H
#define ENGINE_GC_INTERNAL_H

#include "common/store/maintenance.h"
#include "engine/gc.h"
#include "engine/references.h"

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
    struct store_items names, trees, mounts, quarantine; /* trees sorted by id */
    struct store_objects objects;
    struct digest_set marked_objects, marked_layers;
    struct digest_set opened_objects; /* marked with what they refer to, as containers and trees */
    uint64_t marked_bytes;
};
void gc_forget_marks(struct gc_view *view);
/* What a name refers to, directly or not. Names that are damaged refer to nothing. */
void gc_mark_name(struct gc_view *view, const struct store_item *name);
/* What an object refers to that no name refers to: the config of a container, a tree of files, or nothing. */
void gc_mark_object(struct gc_view *view, const struct store_object *object);

/* Something that is used for itself: a name that describes no layer, or a package manager's cache. */
struct gc_use {
    const struct store_item *item;
    bool is_mount;
};
/* The latest first; the first `kept` of them stay. */
struct gc_uses {
    struct gc_use *items; /* the caller frees */
    size_t count, kept;
};
void gc_list_uses(const struct gc_view *view, struct gc_uses *uses);
/* How many bytes may stay of the `held` ones, when so many are available on the file system now. */
uint64_t gc_limit(const struct gc *gc, uint64_t held, uint64_t available);
/* Marks what stays, at most `limit` bytes of it, and sets uses->kept. */
void gc_mark(struct gc_view *view, const struct gc *gc, struct gc_uses *uses, uint64_t limit);

#endif
