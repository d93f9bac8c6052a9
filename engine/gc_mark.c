/* From names to all that they refer to. */
#include "engine/gc_internal.h"
#include "engine/references.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, HEX = 64 };

/* ---- the set ---- */

static struct digest_prefix prefix_of(const struct digest *digest) {
    struct digest_prefix prefix;
    memcpy(&prefix, digest->bytes, sizeof(prefix));
    if (prefix.words[0] == 0 && prefix.words[1] == 0)
        prefix.words[1] = 1;
    return prefix;
}

static struct digest_prefix *place_of(const struct digest_set *set, struct digest_prefix prefix) {
    for (size_t i = (size_t)prefix.words[0];; i++) {
        struct digest_prefix *place = &set->places[i & (set->capacity - 1)];
        if ((place->words[0] == 0 && place->words[1] == 0) ||
            (place->words[0] == prefix.words[0] && place->words[1] == prefix.words[1]))
            return place;
    }
}

static void grow(struct digest_set *set) {
    struct digest_set larger = {.capacity = set->capacity ? set->capacity * 2 : FIRST_CAPACITY};
    larger.places = memory_allocate(larger.capacity, sizeof(*larger.places));
    for (size_t i = 0; i < set->capacity; i++)
        if (set->places[i].words[0] != 0 || set->places[i].words[1] != 0)
            *place_of(&larger, set->places[i]) = set->places[i];
    larger.count = set->count;
    free(set->places);
    *set = larger;
}

bool digest_set_add(struct digest_set *set, const struct digest *digest) {
    if (set->count * 3 >= set->capacity * 2)
        grow(set);
    struct digest_prefix prefix = prefix_of(digest), *place = place_of(set, prefix);
    if (place->words[0] != 0 || place->words[1] != 0)
        return false;
    *place = prefix;
    set->count++;
    return true;
}

bool digest_set_has(const struct digest_set *set, const struct digest *digest) {
    if (set->count == 0)
        return false;
    const struct digest_prefix *place = place_of(set, prefix_of(digest));
    return place->words[0] != 0 || place->words[1] != 0;
}

void digest_set_release(struct digest_set *set) {
    free(set->places);
    *set = (struct digest_set){0};
}

/* ---- marking ---- */

void gc_forget_marks(struct gc_view *view) {
    digest_set_release(&view->marked_objects);
    digest_set_release(&view->marked_layers);
    digest_set_release(&view->opened_objects);
    view->marked_bytes = 0;
}

static int compare_digests(const void *key, const void *item) {
    return memcmp(key, &((const struct store_object *)item)->digest, sizeof(struct digest));
}

/* False when it is not there. */
static bool mark_object(struct gc_view *view, const struct digest *digest) {
    const struct store_objects *all = &view->objects;
    const struct store_object *object =
        all->count == 0 ? NULL : bsearch(digest, all->items, all->count, sizeof(*object), compare_digests);
    if (object && digest_set_add(&view->marked_objects, digest))
        view->marked_bytes += object->bytes;
    return object;
}

/* The unpacked forms of a layer, one for each mode of the sandbox: HEX-MODE. */
static void mark_unpacked(struct gc_view *view, const char *hex) {
    size_t first = 0, end = view->trees.count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (strncmp(view->trees.items[middle].id, hex, HEX) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    for (size_t i = first; i < view->trees.count && strncmp(view->trees.items[i].id, hex, HEX) == 0; i++)
        view->marked_bytes += view->trees.items[i].bytes;
}

/* An object may be referred to as a mere file before it is as a container or a tree: then it is still to be opened. */
static void mark_reference(void *context, enum reference kind, const struct digest *digest) {
    struct gc_view *view = context;
    struct digest_set *seen = kind == REFERENCE_LAYER ? &view->marked_layers : &view->opened_objects;
    if (kind != REFERENCE_LAYER && !mark_object(view, digest))
        return;
    if (kind == REFERENCE_OBJECT || !digest_set_add(seen, digest))
        return;
    if (kind == REFERENCE_LAYER)
        mark_unpacked(view, digest_format_hex(digest).text);
    references_of(view->engine, kind, digest, mark_reference, view);
}

void gc_mark_name(struct gc_view *view, const struct store_item *name) {
    references_of_name(view->engine, name->kind, name->id, mark_reference, view);
    view->marked_bytes += name->bytes;
}

void gc_mark_object(struct gc_view *view, const struct store_object *object) {
    if (!digest_set_has(&view->marked_objects, &object->digest))
        mark_reference(view, reference_kind_of(view->engine, object), &object->digest);
}
