/* What the store holds: containers by their title and last step, bases by their reference, cache mounts by their id. */
#include "tools/pl/complete.h"

#include "common/file/file.h"
#include "common/store/maintenance.h"
#include "common/store/store.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 300, CONTAINERS_MOST = 50, OBJECTS_MOST = 1000, CONFIG_LIMIT = 1 << 20, STEP_MOST = 60 };

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

static int compare_object_use(const void *left, const void *right) {
    const struct store_object *a = left, *b = right;
    return a->used > b->used ? -1 : a->used < b->used;
}

/* What an object is when it is the configuration of an image, or NULL. */
static struct json *read_config(struct store *store, const struct store_object *object) {
    AUTO_BUFFER struct buffer text = BUFFER(CONFIG_LIMIT);
    char first = 0;
    AUTO_CLOSE int fd = object->bytes > CONFIG_LIMIT ? -1 : store_open_object(store, &object->digest, NULL, NULL);
    if (fd < 0 || read(fd, &first, 1) != 1 || first != '{' || store_read(store, &object->digest, &text, NULL) < 0)
        return NULL;
    AUTO_JSON struct json *config = json_parse(buffer_text(&text), text.length, "the object", NULL);
    return json_get_path(config, "rootfs.diff_ids") ? take_pointer(&config) : NULL;
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
static void offer_latest(struct completion *completion, const struct json *steps) {
    AUTO_STORE struct store *store = open_store();
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
        AUTO_JSON struct json *config = read_config(store, &all.items[i]);
        if (!config || text_list_contains(&inputs, digest.text))
            continue;
        offer_container(completion, digest.text, config);
        offered++;
    }
    free(all.items);
}

void complete_containers(struct completion *completion) {
    AUTO_NAMES struct names names = names_read();
    for (size_t i = 0; i < json_count(names.bases); i++) {
        const struct json *base = json_at(names.bases, i);
        AUTO_FREE char *ref = text_format("container:%s", json_get_text(base, "container", ""));
        complete_offer(completion, ref, json_get_text(base, "reference", NULL));
    }
    offer_latest(completion, names.steps);
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
