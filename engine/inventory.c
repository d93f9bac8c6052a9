#include "engine/inventory_internal.h"
#include "engine/step_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[INVENTORY_KINDS] = {
    [INVENTORY_STEP] = "step",           [INVENTORY_BASE] = "base", [INVENTORY_CONTAINER] = "container",
    [INVENTORY_DIRECTORY] = "directory", [INVENTORY_FILE] = "file", [INVENTORY_LAYER] = "layer",
    [INVENTORY_CACHE] = "cache",         [INVENTORY_NOTE] = "note", [INVENTORY_QUARANTINE] = "quarantine"};

const char *inventory_kind_name(enum inventory_kind kind) {
    return kind_names[kind];
}

struct taking {
    struct graph graph;
    struct inventory *inventory;
    /* By key: what is told about something in another name. */
    struct json *scopes;  /* a step → the directory where it is the latest of its name */
    struct json *built;   /* a container or tree → the directory it was built from */
    struct json *caches;  /* the folder of a cache → its id */
    struct json *made_by; /* a container or tree → the title of what made it */
    uint32_t first_loose_walk;
    uint32_t *walks; /* of each entry, or GRAPH_NOBODY */
};

static struct inventory_entry *add(struct taking *taking, enum inventory_kind kind) {
    struct inventory *inventory = taking->inventory;
    if ((inventory->count & (inventory->count - 1)) == 0) {
        size_t capacity = inventory->count ? inventory->count * 2 : 1;
        inventory->entries = memory_resize(inventory->entries, capacity, sizeof(*inventory->entries));
        taking->walks = memory_resize(taking->walks, capacity, sizeof(*taking->walks));
    }
    taking->walks[inventory->count] = GRAPH_NOBODY;
    struct inventory_entry *entry = &inventory->entries[inventory->count++];
    *entry = (struct inventory_entry){.kind = kind};
    return entry;
}

/* An entry that is used for itself: what only it refers to would go with it. */
static void own(struct taking *taking, const struct inventory_entry *entry) {
    taking->walks[entry - taking->inventory->entries] = taking->graph.walk;
}

/* ---- what names tell ---- */

static void note_cache(struct taking *taking, const char *id) {
    for (enum sandbox_mode mode = SANDBOX_ROOT; mode < SANDBOX_NONE; mode++) {
        AUTO_FREE char *full = step_cache_id(mode, id), *folder = store_mount_folder(full);
        json_set_text(taking->caches, folder, id);
    }
}

static void note_step(struct taking *taking, const struct json *value) {
    const struct json *mounts = json_get_path(value, "definition.mounts");
    json_set_text(taking->made_by, json_get_text(value, "container", "-"), json_get_text(value, "name", NULL));
    for (size_t i = 0; i < json_count(mounts); i++) {
        const char *id = json_get_text(json_at(mounts, i), "id", NULL);
        if (id && text_equal(json_get_text(json_at(mounts, i), "type", ""), "cache")) {
            note_cache(taking, id);
        }
    }
}

static void note_name(struct taking *taking, const struct store_item *name) {
    bool is_step = text_equal(name->kind, "steps"), is_slot = text_equal(name->kind, "slots"),
         is_built = text_equal(name->kind, "built");
    AUTO_JSON struct json *value = NULL;
    if ((!is_step && !is_slot && !is_built) ||
        store_name_peek(taking->graph.engine->store, name->kind, name->id, &value, NULL) < 0 || !value)
        return;
    if (is_step)
        note_step(taking, value);
    else if (is_slot)
        json_set_text(taking->scopes, json_get_text(value, "step", "-"), json_get_text(value, "scope", NULL));
    else
        json_set_text(taking->built, name->id, json_get_text(value, "directory", NULL));
}

/* ---- entries ---- */

static bool is_directory_kind(const char *kind) {
    static const char *const kinds[] = {"taken", "inside", "git", "patches", "packages"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (text_equal(kinds[i], kind))
            return true;
    return false;
}

static enum inventory_kind kind_of_name(const struct store_item *name) {
    return text_equal(name->kind, "steps")                                       ? INVENTORY_STEP
           : text_equal(name->kind, "bases") || text_equal(name->kind, "rootfs") ? INVENTORY_BASE
           : is_directory_kind(name->kind)                                       ? INVENTORY_DIRECTORY
                                                                                 : INVENTORY_NOTE;
}

static char *reason_of_step(const struct taking *taking, const char *key) {
    const char *scope = json_get_text(taking->scopes, key, NULL);
    return scope ? text_format("the latest of its name in %s", scope)
                 : text_copy("of a state that no source directory is known to be in");
}

static void describe_name(const struct taking *taking, const struct store_item *name, struct inventory_entry *entry) {
    AUTO_JSON struct json *value = NULL;
    (void)!store_name_peek(taking->graph.engine->store, name->kind, name->id, &value, NULL);
    const char *title = json_get_text(value, "name", json_get_text(value, "reference", NULL));
    if (entry->kind == INVENTORY_STEP)
        entry->reason = reason_of_step(taking, name->id);
    else if (entry->kind == INVENTORY_BASE)
        entry->reason = text_copy(title ? "what the name means" : "a root file system given as a file");
    else
        entry->reason = text_format("kept as %s", name->kind);
    entry->title = text_copy(title ? title : json_get_text(value, "directory", name->kind));
}

static void add_name(struct taking *taking, const struct store_item *name) {
    struct digest layer;
    if (reference_describes_layer(name, &layer))
        return;
    struct inventory_entry *entry = add(taking, kind_of_name(name));
    entry->key = text_format("%s:%s", entry->kind == INVENTORY_STEP ? "step" : name->kind, name->id);
    entry->used = name->used;
    entry->made = name->made;
    describe_name(taking, name, entry);
    graph_begin_walk(&taking->graph, name->used);
    graph_walk_name(&taking->graph, name, true);
    entry->bytes = taking->graph.walk_bytes;
    entry->exclusive = name->bytes;
    own(taking, entry);
}

static void add_item(struct taking *taking, const struct store_item *item, enum inventory_kind kind) {
    struct inventory_entry *entry = add(taking, kind);
    const char *id = kind == INVENTORY_CACHE ? json_get_text(taking->caches, item->id, NULL) : NULL;
    entry->key = text_format("%s:%s", kind_names[kind], item->id);
    entry->title = text_copy(id ? id : item->id);
    entry->reason = text_copy(kind == INVENTORY_QUARANTINE ? "damaged: the next gc removes it"
                              : id                         ? "steps of the store mount it"
                                                           : "no step of the store mounts it");
    entry->used = item->used;
    entry->made = item->made;
    entry->bytes = entry->exclusive = item->bytes;
}

/* Objects that no name refers to; then no other of them may refer to it either. */
static void add_loose(struct taking *taking, size_t node) {
    static const enum inventory_kind kinds[] = {[REFERENCE_CONTAINER] = INVENTORY_CONTAINER,
                                                [REFERENCE_TREE] = INVENTORY_DIRECTORY,
                                                [REFERENCE_OBJECT] = INVENTORY_FILE};
    struct graph *graph = &taking->graph;
    const struct store_object *object = &graph->objects.items[node];
    enum reference kind = reference_kind_of(graph->engine, object);
    struct inventory_entry *entry = add(taking, kinds[kind]);
    struct digest_hex hex = digest_format_hex(&object->digest);
    const char *built = json_get_text(taking->built, hex.text, NULL);
    entry->key = text_format("%s:sha256:%s", kind_names[entry->kind], hex.text);
    entry->title = text_copy("");
    entry->reason = built ? text_format("built from %s", built)
                          : text_copy("nothing refers to it: it was printed, or read from a source");
    entry->used = object->used;
    graph_begin_walk(graph, object->used);
    graph_walk(graph, kind, &object->digest, true);
    entry->bytes = graph->walk_bytes;
    own(taking, entry);
}

/* Containers and layers that others refer to. */
static void add_shared(struct taking *taking, size_t node) {
    struct graph *graph = &taking->graph;
    bool is_layer = node >= graph->objects.count;
    struct digest digest = graph_digest(graph, node);
    struct digest_hex hex = digest_format_hex(&digest);
    struct inventory_entry *entry = add(taking, is_layer ? INVENTORY_LAYER : INVENTORY_CONTAINER);
    AUTO_FREE char *full = text_format("sha256:%s", hex.text);
    const char *title = is_layer ? NULL : json_get_text(taking->made_by, full, NULL),
               *built = is_layer ? NULL : json_get_text(taking->built, hex.text, NULL);
    size_t users = graph->nodes[node].users;
    entry->key = text_format("%s:%s", kind_names[entry->kind], full);
    entry->title = text_copy("");
    entry->users = users;
    entry->reason = built        ? text_format("built from %s", built)
                    : title      ? text_format("the result of %s", title)
                    : users == 0 ? text_copy("nothing needs it: the next gc removes it")
                                 : text_format("%zu need%s it", users, users == 1 ? "s" : "");
    entry->used = graph->nodes[node].used;
    graph_begin_walk(graph, 0);
    graph_walk(graph, is_layer ? REFERENCE_LAYER : REFERENCE_CONTAINER, &digest, false);
    entry->bytes = graph->walk_bytes;
}

/* Whether the only one that counted it is the container itself. */
static bool is_loose(const struct taking *taking, size_t node) {
    return taking->graph.nodes[node].owner >= taking->first_loose_walk &&
           taking->graph.nodes[node].owner != GRAPH_SEVERAL;
}

static void add_entries(struct taking *taking) {
    struct graph *graph = &taking->graph;
    for (size_t i = 0; i < graph->names.count; i++)
        note_name(taking, &graph->names.items[i]);
    for (size_t i = 0; i < graph->names.count; i++)
        add_name(taking, &graph->names.items[i]);
    for (size_t i = 0; i < graph->mounts.count; i++)
        add_item(taking, &graph->mounts.items[i], INVENTORY_CACHE);
    for (size_t i = 0; i < graph->quarantine.count; i++)
        add_item(taking, &graph->quarantine.items[i], INVENTORY_QUARANTINE);
    taking->first_loose_walk = graph->walk + 1;
    /* Files of a tree that is loose itself are none. */
    for (size_t i = 0; i < graph->objects.count; i++)
        if (graph->nodes[i].users == 0 &&
            reference_kind_of(graph->engine, &graph->objects.items[i]) != REFERENCE_OBJECT)
            add_loose(taking, i);
    for (size_t i = 0; i < graph->objects.count; i++)
        if (graph->nodes[i].users == 0)
            add_loose(taking, i);
        else if (graph->nodes[i].kind == REFERENCE_CONTAINER && !is_loose(taking, i))
            add_shared(taking, i);
    for (size_t i = graph->objects.count; i < graph_node_count(graph); i++)
        add_shared(taking, i);
}

static void add_exclusive(struct taking *taking) {
    struct inventory *inventory = taking->inventory;
    uint64_t *bytes = memory_allocate((size_t)taking->graph.walk + 1, sizeof(*bytes));
    graph_add_exclusive(&taking->graph, bytes);
    for (size_t i = 0; i < inventory->count; i++)
        if (taking->walks[i] != GRAPH_NOBODY)
            inventory->entries[i].exclusive += bytes[taking->walks[i]];
    free(bytes);
}

int inventory_take(struct engine *engine, struct inventory *inventory, struct error *error) {
    *inventory = (struct inventory){0};
    AUTO_JSON struct json *scopes = json_new_object(), *built = json_new_object(), *caches = json_new_object(),
                          *made_by = json_new_object();
    struct taking taking = {
        .inventory = inventory, .scopes = scopes, .built = built, .caches = caches, .made_by = made_by};
    struct graph *graph = &taking.graph;
    int result = graph_open(graph, engine, error);
    if (result == 0) {
        add_entries(&taking);
        add_exclusive(&taking);
        inventory->bytes = store_items_bytes(&graph->names) + store_items_bytes(&graph->trees) +
                           store_items_bytes(&graph->mounts) + store_items_bytes(&graph->quarantine);
        for (size_t i = 0; i < graph->objects.count; i++)
            inventory->bytes += graph->objects.items[i].bytes;
    }
    free(taking.walks);
    graph_release(graph);
    return result;
}

void inventory_release(struct inventory *inventory) {
    for (size_t i = 0; i < inventory->count; i++) {
        free(inventory->entries[i].key);
        free(inventory->entries[i].title);
        free(inventory->entries[i].reason);
    }
    free(inventory->entries);
    *inventory = (struct inventory){0};
}

static int largest_first(const void *left, const void *right) {
    const struct inventory_entry *one = left, *other = right;
    return one->bytes < other->bytes ? 1 : one->bytes > other->bytes ? -1 : strcmp(one->key, other->key);
}

static int latest_first(const void *left, const void *right) {
    const struct inventory_entry *one = left, *other = right;
    return one->used < other->used ? 1 : one->used > other->used ? -1 : largest_first(left, right);
}

void inventory_sort(struct inventory *inventory, bool by_size) {
    if (inventory->count)
        qsort(inventory->entries, inventory->count, sizeof(*inventory->entries),
              by_size ? largest_first : latest_first);
}
