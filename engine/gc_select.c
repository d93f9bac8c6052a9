/* What stays: the latest, as long as it is young enough and fits. */
#include "engine/gc_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t gc_limit(const struct gc *gc, uint64_t held, uint64_t available) {
    if (gc->free_wanted <= available)
        return gc->size_limit;
    uint64_t missing = gc->free_wanted - available, by_space = held > missing ? held - missing : 0;
    return by_space < gc->size_limit ? by_space : gc->size_limit;
}

static void add_use(struct gc_uses *uses, bool is_mount, const struct store_item *item) {
    if ((uses->count & (uses->count - 1)) == 0)
        uses->items = memory_resize(uses->items, uses->count ? uses->count * 2 : 1, sizeof(*uses->items));
    uses->items[uses->count++] = (struct gc_use){item, is_mount};
}

static int latest_use_first(const void *left, const void *right) {
    const struct gc_use *one = left, *other = right;
    return one->item->used < other->item->used   ? 1
           : one->item->used > other->item->used ? -1
                                                 : strcmp(one->item->id, other->item->id);
}

void gc_list_uses(const struct gc_view *view, struct gc_uses *uses) {
    struct digest layer;
    for (size_t i = 0; i < view->names.count; i++)
        if (!reference_describes_layer(&view->names.items[i], &layer))
            add_use(uses, false, &view->names.items[i]);
    for (size_t i = 0; i < view->mounts.count; i++)
        add_use(uses, true, &view->mounts.items[i]);
    if (uses->count)
        qsort(uses->items, uses->count, sizeof(*uses->items), latest_use_first);
}

static void mark_use(struct gc_view *view, const struct gc_use *use) {
    if (use->is_mount)
        view->marked_bytes += use->item->bytes;
    else
        gc_mark_name(view, use->item);
}

static void mark_uses(struct gc_view *view, const struct gc_uses *uses) {
    gc_forget_marks(view);
    for (size_t i = 0; i < uses->kept; i++)
        mark_use(view, &uses->items[i]);
}

/* ---- objects that no name refers to ---- */

static int latest_object_first(const void *left, const void *right) {
    const struct store_object *one = *(const struct store_object *const *)left,
                              *other = *(const struct store_object *const *)right;
    return one->used < other->used   ? 1
           : one->used > other->used ? -1
                                     : memcmp(&one->digest, &other->digest, sizeof(one->digest));
}

struct loose {
    const struct store_object **items;
    size_t count;
};

static void list_loose(const struct gc_view *view, int64_t oldest, struct loose *loose) {
    loose->items = memory_allocate(view->objects.count + 1, sizeof(*loose->items));
    for (size_t i = 0; i < view->objects.count; i++)
        if (view->objects.items[i].used > oldest &&
            !digest_set_has(&view->marked_objects, &view->objects.items[i].digest))
            loose->items[loose->count++] = &view->objects.items[i];
    if (loose->count)
        qsort(loose->items, loose->count, sizeof(*loose->items), latest_object_first);
}

/* A container or a site that was only printed: no name refers to it. */
static void mark_loose(struct gc_view *view, const struct gc_uses *uses, int64_t oldest, uint64_t limit) {
    struct loose loose = {0};
    size_t kept = 0;
    list_loose(view, oldest, &loose);
    for (; kept < loose.count && view->marked_bytes <= limit; kept++)
        gc_mark_object(view, loose.items[kept]);
    if (view->marked_bytes > limit) {
        mark_uses(view, uses);
        for (size_t i = 0; i + 1 < kept; i++)
            gc_mark_object(view, loose.items[i]);
    }
    free(loose.items);
}

void gc_mark(struct gc_view *view, const struct gc *gc, struct gc_uses *uses, uint64_t limit) {
    int64_t oldest = (int64_t)time(NULL) - gc->keep_seconds;
    for (uses->kept = 0; uses->kept < uses->count && uses->items[uses->kept].item->used > oldest; uses->kept++) {
        mark_use(view, &uses->items[uses->kept]);
        if (view->marked_bytes > limit) {
            oldest = uses->items[uses->kept].item->used;
            mark_uses(view, uses);
            break;
        }
    }
    mark_loose(view, uses, oldest, limit);
}
