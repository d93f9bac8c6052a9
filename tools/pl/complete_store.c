/* What the store holds: containers by their title and last step, bases by their reference, cache mounts by their id. */
#include "tools/pl/complete.h"

#include "common/file/file.h"
#include "common/store/maintenance.h"
#include "engine/container.h"
#include "engine/references.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 300, CONTAINERS_MOST = 50, OBJECTS_MOST = 1000, STEP_MOST = 60 };

/* NULL when there is none: completing makes no store. */
static struct store *open_store(void) {
    AUTO_FREE char *path = store_default_path();
    return directory_exists(path) ? store_open(path, NULL) : NULL;
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

static struct names names_read(struct store *store) {
    AUTO_ITEMS struct store_items all = {0};
    if (!store || store_list_names(store, &all, NULL) < 0)
        return (struct names){0};
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), compare_use);
    return (struct names){read_names(store, &all, "steps"), read_names(store, &all, "bases")};
}

static int compare_object_use(const void *left, const void *right) {
    const struct store_object *a = left, *b = right;
    return a->used > b->used ? -1 : a->used < b->used;
}

/* "shop: CMD …": the title of the image, when it has one, and the step that made it last. */
static void offer_container(struct completion *completion, const char *digest, const struct json *config) {
    const char *title = json_get_text(json_get_path(config, "config.Labels"), "org.opencontainers.image.title", NULL);
    const struct json *history = json_get(config, "history");
    const char *step =
        json_count(history) ? json_get_text(json_at(history, json_count(history) - 1), "created_by", "") : "";
    AUTO_FREE char *ref = text_format("container:%s", digest);
    AUTO_FREE char *what = text_format("%s%s%.*s", title ? title : "", title && *step ? ": " : "", STEP_MOST, step);
    complete_offer(completion, ref, what);
}

/* The latest configurations of images, but those that a step went on from: what a person wants is where a chain ended,
 * and that has no name in the store. Where digits were typed, these, too. */
static void offer_latest(struct completion *completion, struct store *store, const struct json *steps) {
    struct engine engine = {.store = store};
    AUTO_LIST struct text_list inputs = {0};
    struct store_objects all = {0};
    if (!store || store_list_objects(store, &all, NULL) < 0)
        return;
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), compare_object_use);
    bool is_meant = strlen(completion->prefix) > strlen("container:sha256:");
    for (size_t i = 0; i < json_count(steps) && !is_meant; i++)
        text_list_add(&inputs, json_get_text(json_get(json_at(steps, i), "definition"), "input", ""));
    for (size_t i = 0, offered = 0; i < all.count && i < OBJECTS_MOST && offered < CONTAINERS_MOST; i++) {
        struct digest_text digest = digest_format(&all.items[i].digest);
        AUTO_CONTAINER struct container container = {0};
        if (text_list_contains(&inputs, digest.text) ||
            reference_kind_of(&engine, &all.items[i]) != REFERENCE_CONTAINER ||
            container_load(&engine, &all.items[i].digest, &container, NULL) < 0)
            continue;
        offer_container(completion, digest.text, container.config);
        offered++;
    }
    free(all.items);
}

void complete_containers(struct completion *completion) {
    AUTO_STORE struct store *store = open_store();
    AUTO_NAMES struct names names = names_read(store);
    for (size_t i = 0; i < json_count(names.bases); i++) {
        const struct json *base = json_at(names.bases, i);
        AUTO_FREE char *ref = text_format("container:%s", json_get_text(base, "container", ""));
        complete_offer(completion, ref, json_get_text(base, "reference", NULL));
    }
    offer_latest(completion, store, names.steps);
}

void complete_bases(struct completion *completion) {
    AUTO_STORE struct store *store = open_store();
    AUTO_NAMES struct names names = names_read(store);
    for (size_t i = 0; i < json_count(names.bases); i++)
        complete_offer(completion, json_get_text(json_at(names.bases, i), "reference", NULL), "in the store");
}

void complete_caches(struct completion *completion) {
    AUTO_STORE struct store *store = open_store();
    AUTO_NAMES struct names names = names_read(store);
    for (size_t i = 0; i < json_count(names.steps); i++) {
        const struct json *step = json_at(names.steps, i), *mounts = json_get_path(step, "definition.mounts");
        for (size_t j = 0; j < json_count(mounts); j++)
            if (text_equal(json_get_text(json_at(mounts, j), "type", NULL), "cache"))
                complete_offer(completion, json_get_text(json_at(mounts, j), "id", NULL),
                               json_get_text(step, "name", NULL));
    }
}
