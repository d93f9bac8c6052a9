/* What the store holds: containers by the step that made them, bases by their reference, cache mounts by their id. */
#include "tools/pl/complete.h"

#include "common/file/file.h"
#include "common/store/maintenance.h"
#include "common/store/store.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 300, CONTAINERS_MOST = 50 };

/* NULL when there is none: completing makes no store. */
static struct store *open_store(void) {
    const char *own = getenv("PL_STORE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    AUTO_FREE char *path = !text_is_empty(own)     ? text_copy(own)
                           : !text_is_empty(cache) ? path_join(cache, "pl")
                           : !text_is_empty(home)  ? path_join(home, ".cache/pl")
                                                   : NULL;
    return path && directory_exists(path) ? store_open(path, NULL) : NULL;
}

static int compare_use(const void *left, const void *right) {
    const struct store_item *a = left, *b = right;
    return a->used > b->used ? -1 : a->used < b->used;
}

/* The names of one kind, the latest first. */
static struct json *read_names(struct store *store, const struct store_items *all, const char *kind) {
    struct json *values = json_new_array();
    for (size_t i = 0; i < all->count && json_count(values) < STEPS_MOST; i++) {
        struct json *value = NULL;
        if (text_equal(all->items[i].kind, kind) && store_name_peek(store, kind, all->items[i].id, &value, NULL) == 0 &&
            value)
            json_append(values, value);
    }
    return values;
}

struct names {
    struct json *steps, *bases;
};

static void names_release(struct names *names) {
    json_release(&names->steps);
    json_release(&names->bases);
}
#define AUTO_NAMES AUTO(names_release)

static struct names names_read(void) {
    AUTO_STORE struct store *store = open_store();
    AUTO_ITEMS struct store_items all = {0};
    if (!store || store_list_names(store, &all, NULL) < 0)
        return (struct names){0};
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), compare_use);
    return (struct names){read_names(store, &all, "steps"), read_names(store, &all, "bases")};
}

/* Those on the way to others are left out: what a person wants is where a chain ended. */
static void offer_steps(struct completion *completion, const struct json *steps) {
    AUTO_LIST struct text_list inputs = {0};
    size_t offered = 0;
    for (size_t i = 0; i < json_count(steps); i++)
        text_list_add(&inputs, json_get_text(json_get(json_at(steps, i), "definition"), "input", ""));
    for (size_t i = 0; i < json_count(steps) && offered < CONTAINERS_MOST; i++) {
        const char *digest = json_get_text(json_at(steps, i), "container", NULL);
        if (!digest || text_list_contains(&inputs, digest))
            continue;
        AUTO_FREE char *ref = text_format("container:%s", digest);
        complete_offer(completion, ref, json_get_text(json_at(steps, i), "name", NULL));
        offered++;
    }
}

void complete_containers(struct completion *completion) {
    AUTO_NAMES struct names names = names_read();
    offer_steps(completion, names.steps);
    for (size_t i = 0; i < json_count(names.bases); i++) {
        const struct json *base = json_at(names.bases, i);
        AUTO_FREE char *ref = text_format("container:%s", json_get_text(base, "container", ""));
        complete_offer(completion, ref, json_get_text(base, "reference", NULL));
    }
}

void complete_bases(struct completion *completion) {
    AUTO_NAMES struct names names = names_read();
    for (size_t i = 0; i < json_count(names.bases); i++)
        complete_offer(completion, json_get_text(json_at(names.bases, i), "reference", NULL), "in the store");
}

void complete_caches(struct completion *completion) {
    AUTO_NAMES struct names names = names_read();
    for (size_t i = 0; i < json_count(names.steps); i++) {
        const struct json *step = json_at(names.steps, i), *mounts = json_get_path(step, "definition.mounts");
        for (size_t j = 0; j < json_count(mounts); j++)
            if (text_equal(json_get_text(json_at(mounts, j), "type", NULL), "cache"))
                complete_offer(completion, json_get_text(json_at(mounts, j), "id", NULL),
                               json_get_text(step, "name", NULL));
    }
}
