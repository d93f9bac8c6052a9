#include "engine/gc.h"
#include "common/file/file.h"
#include "engine/gc_internal.h"
#include "engine/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_SECONDS = 60, ROUNDS = 3 };

static int by_id(const void *left, const void *right) {
    return strcmp(((const struct store_item *)left)->id, ((const struct store_item *)right)->id);
}

static int look(struct gc_view *view, struct error *error) {
    struct store *store = view->engine->store;
    if (store_list_names(store, &view->names, error) < 0 || store_list_objects(store, &view->objects, error) < 0 ||
        store_list_trees(store, &view->trees, error) < 0 || store_list_mounts(store, &view->mounts, error) < 0 ||
        store_list_quarantine(store, &view->quarantine, error) < 0)
        return -1;
    if (view->trees.count)
        qsort(view->trees.items, view->trees.count, sizeof(*view->trees.items), by_id);
    return 0;
}

/* ---- taking ---- */

struct sweep {
    struct gc_view *view;
    const struct gc *gc;
    struct gc_result *result;
};

/* Counts something on one side or the other; true when it is to be taken. */
static bool judge(const struct sweep *sweep, bool is_kept, uint64_t bytes, uint64_t *kept, uint64_t *taken) {
    ++*(is_kept ? kept : taken);
    (is_kept ? &sweep->result->kept : &sweep->result->taken)->bytes += bytes;
    return !is_kept && !sweep->gc->dry_run;
}

static uint64_t *counter_of(struct gc_counts *counts, const struct store_item *name) {
    return text_equal(name->kind, "steps")   ? &counts->steps
           : text_equal(name->kind, "bases") ? &counts->bases
                                             : &counts->others;
}

static int sweep_name(const struct sweep *sweep, const struct store_item *name, bool is_kept, struct error *error) {
    bool take = judge(sweep, is_kept, name->bytes, counter_of(&sweep->result->kept, name),
                      counter_of(&sweep->result->taken, name));
    return take ? store_trash_name(sweep->view->engine->store, name, error) : 0;
}

static int sweep_mount(const struct sweep *sweep, const struct store_item *mount, bool is_kept, struct error *error) {
    bool take = judge(sweep, is_kept, mount->bytes, &sweep->result->kept.caches, &sweep->result->taken.caches);
    return take ? store_trash_mount(sweep->view->engine->store, mount, error) : 0;
}

static int sweep_uses(const struct sweep *sweep, const struct gc_uses *uses, struct error *error) {
    for (size_t i = 0; i < uses->count; i++) {
        const struct gc_use *use = &uses->items[i];
        if ((use->is_mount ? sweep_mount : sweep_name)(sweep, use->item, i < uses->kept, error) < 0)
            return -1;
    }
    return 0;
}

static int sweep_layer_names(const struct sweep *sweep, struct error *error) {
    const struct gc_view *view = sweep->view;
    struct digest layer;
    for (size_t i = 0; i < view->names.count; i++)
        if (reference_describes_layer(&view->names.items[i], &layer) &&
            sweep_name(sweep, &view->names.items[i], digest_set_has(&view->marked_layers, &layer), error) < 0)
            return -1;
    return 0;
}

static int sweep_trees(const struct sweep *sweep, struct error *error) {
    const struct gc_view *view = sweep->view;
    for (size_t i = 0; i < view->trees.count; i++) {
        const struct store_item *tree = &view->trees.items[i];
        AUTO_FREE char *hex = text_copy_length(tree->id, strcspn(tree->id, "-"));
        struct digest layer;
        bool is_kept = digest_parse_hex(hex, &layer, NULL) == 0 && digest_set_has(&view->marked_layers, &layer);
        if (judge(sweep, is_kept, tree->bytes, &sweep->result->kept.layers, &sweep->result->taken.layers) &&
            store_trash_tree(view->engine->store, tree, error) < 0)
            return -1;
    }
    return 0;
}

static int sweep_objects(const struct sweep *sweep, struct error *error) {
    const struct gc_view *view = sweep->view;
    struct gc_result *result = sweep->result;
    for (size_t i = 0; i < view->objects.count; i++) {
        const struct store_object *object = &view->objects.items[i];
        bool is_kept = digest_set_has(&view->marked_objects, &object->digest);
        if (judge(sweep, is_kept, object->bytes, &result->kept.objects, &result->taken.objects) &&
            store_trash_object(view->engine->store, object, error) < 0)
            return -1;
    }
    return 0;
}

/* What says that something is there goes before it: stat caches, names, what names are about, the things. */
static int sweep_all(const struct sweep *sweep, const struct gc_uses *uses, struct error *error) {
    const struct gc_view *view = sweep->view;
    struct store *store = view->engine->store;
    bool takes_objects = view->marked_objects.count < view->objects.count;
    if (!sweep->gc->dry_run &&
        ((takes_objects && store_trash_stat_caches(store, error) < 0) || store_trash_rest(store, error) < 0))
        return -1;
    if (sweep_uses(sweep, uses, error) < 0 || sweep_layer_names(sweep, error) < 0 ||
        (!sweep->gc->dry_run && store_barrier(store, error) < 0))
        return -1;
    return sweep_trees(sweep, error) < 0 ? -1 : sweep_objects(sweep, error);
}

static uint64_t held_bytes(const struct gc_view *view) {
    uint64_t bytes =
        store_items_bytes(&view->names) + store_items_bytes(&view->trees) + store_items_bytes(&view->mounts);
    for (size_t i = 0; i < view->objects.count; i++)
        bytes += view->objects.items[i].bytes;
    return bytes;
}

static int collect(struct gc_view *view, const struct gc *gc, struct gc_result *result, struct error *error) {
    struct sweep sweep = {view, gc, result};
    struct gc_uses uses = {0};
    int outcome = look(view, error);
    if (outcome == 0) {
        /* What sweep_all throws away in any case makes room, too. */
        uint64_t available = store_available(view->engine->store) + store_items_bytes(&view->quarantine);
        gc_list_uses(view, &uses);
        gc_mark(view, gc, &uses, gc_limit(gc, held_bytes(view), available));
        outcome = sweep_all(&sweep, &uses, error);
        result->available = available + result->taken.bytes;
    }
    free(uses.items);
    gc_forget_marks(view);
    store_items_release(&view->names);
    free(view->objects.items);
    store_items_release(&view->trees);
    store_items_release(&view->mounts);
    store_items_release(&view->quarantine);
    return outcome;
}

static int run_once(struct engine *engine, const struct gc *gc, struct gc_result *result, struct error *error) {
    struct gc_view view = {.engine = engine};
    struct error none;
    if (!gc->dry_run && store_lock_alone(engine->store, WAIT_SECONDS, engine->progress, error) < 0)
        return error_next(error, "run it again when no build runs");
    int outcome = collect(&view, gc, result, error);
    if (gc->dry_run)
        return outcome;
    int shared = store_share(engine->store, outcome == 0 ? error : &none);
    int emptied = store_empty_trash(engine->store, outcome == 0 && shared == 0 ? error : &none);
    result->available = store_available(engine->store);
    return outcome < 0 || shared < 0 || emptied < 0 ? -1 : 0;
}

static void add_counts(struct gc_counts *sum, const struct gc_counts *counts) {
    sum->steps += counts->steps;
    sum->bases += counts->bases;
    sum->others += counts->others;
    sum->layers += counts->layers;
    sum->objects += counts->objects;
    sum->caches += counts->caches;
    sum->bytes += counts->bytes;
}

/* How much room a removal makes is only known afterwards: others write meanwhile, and file systems count in their own
 * ways. */
int gc_run(struct engine *engine, const struct gc *gc, struct gc_result *result, struct error *error) {
    struct gc_counts taken = {0};
    struct error none;
    int outcome, round = 0;
    /* Where no mode works there are no layers of other ids either. */
    if (sandbox_enter(&none) == 0)
        store_remove_leftovers(engine->store);
    do {
        *result = (struct gc_result){0};
        outcome = run_once(engine, gc, result, error);
        add_counts(&taken, &result->taken);
    } while (outcome == 0 && !gc->dry_run && result->available < gc->free_wanted && result->kept.bytes > 0 &&
             ++round < ROUNDS);
    result->taken = taken;
    return outcome;
}
