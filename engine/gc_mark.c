/* From names to all that they refer to. */
#include "common/store/maintenance.h"
#include "engine/container.h"
#include "engine/gc_internal.h"
#include "engine/tree.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, HEX = 64, DOCUMENT_LIMIT = 64 * 1024 * 1024 };

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

static int compare_digests(const void *key, const void *item) {
    return memcmp(key, &((const struct store_object *)item)->digest, sizeof(struct digest));
}

/* False when it is not there, or was marked before. */
static bool mark_object(struct gc_view *view, const struct digest *digest) {
    const struct store_objects *all = &view->objects;
    const struct store_object *object =
        all->count == 0 ? NULL : bsearch(digest, all->items, all->count, sizeof(*object), compare_digests);
    if (!object || !digest_set_add(&view->marked_objects, digest))
        return false;
    view->marked_bytes += object->bytes;
    return true;
}

static int mark_file(void *context, const struct tree_entry *entry, struct error *error) {
    (void)error;
    if (entry->type == 'f' || entry->type == 'x')
        (void)!mark_object(context, &entry->digest);
    return 0;
}

static void mark_tree_object(struct gc_view *view, const struct digest *digest) {
    if (mark_object(view, digest))
        (void)!tree_visit(view->engine, digest, mark_file, view, NULL);
}

static void mark_json(struct gc_view *view, const char *key, const struct json *value);

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

static void mark_layer(struct gc_view *view, const struct digest *layer) {
    AUTO_JSON struct json *note = NULL;
    struct digest_hex hex = digest_format_hex(layer);
    if (!digest_set_add(&view->marked_layers, layer))
        return;
    mark_unpacked(view, hex.text);
    if (store_name_peek(view->engine->store, "layers", hex.text, &note, NULL) == 0 && note)
        mark_json(view, "layer", note);
}

static void mark_container(struct gc_view *view, const struct digest *digest) {
    AUTO_CONTAINER struct container container = {0};
    struct digest layer;
    if (!mark_object(view, digest) || container_load(view->engine, digest, &container, NULL) < 0)
        return;
    for (size_t i = 0; i < container_layer_count(&container); i++)
        if (container_layer(&container, i, &layer, NULL) == 0)
            mark_layer(view, &layer);
}

/* Documents say by a member's name what a digest is of; what is not known is taken for a file. */
static void mark_text(struct gc_view *view, const char *key, const char *text) {
    struct digest digest;
    if (!text || digest_parse(text, &digest, NULL) < 0)
        return;
    if (text_equal(key, "tree"))
        mark_tree_object(view, &digest);
    else if (text_equal(key, "container"))
        mark_container(view, &digest);
    else if (text_equal(key, "layer"))
        mark_layer(view, &digest);
    else
        mark_object(view, &digest);
}

static void mark_json(struct gc_view *view, const char *key, const struct json *value) {
    if (json_is_object(value))
        for (void *at = json_first(value); at; at = json_next(value, at))
            mark_json(view, json_key(at), json_value(at));
    else if (json_is_array(value))
        for (size_t i = 0; i < json_count(value); i++)
            mark_json(view, key, json_at(value, i));
    else
        mark_text(view, key, json_text(value));
}

void gc_mark_name(struct gc_view *view, const struct store_item *name) {
    AUTO_JSON struct json *value = NULL;
    if (store_name_peek(view->engine->store, name->kind, name->id, &value, NULL) == 0 && value)
        mark_json(view, "", value);
    view->marked_bytes += name->bytes;
}

/* Whether it is worth the time to read an object for what it may be: the config of a container begins with '{', a tree
 * with the type or the owner of its first entry. */
static char first_byte(struct gc_view *view, const struct digest *digest) {
    char byte = 0;
    AUTO_CLOSE int fd = store_open_object(view->engine->store, digest, NULL, NULL);
    return fd >= 0 && read(fd, &byte, 1) == 1 ? byte : 0;
}

void gc_mark_object(struct gc_view *view, const struct store_object *object) {
    AUTO_CONTAINER struct container container = {0};
    const struct digest *digest = &object->digest;
    if (digest_set_has(&view->marked_objects, digest))
        return;
    char first = object->bytes <= DOCUMENT_LIMIT ? first_byte(view, digest) : 0;
    if (first == '{' && container_load(view->engine, digest, &container, NULL) == 0)
        mark_container(view, digest);
    else if (first != 0 && strchr("fxdl@", first))
        mark_tree_object(view, digest);
    else
        mark_object(view, digest);
}

bool gc_describes_layer(const struct store_item *name, struct digest *layer) {
    bool compressed = text_equal(name->kind, "compressed");
    if (!compressed && !text_equal(name->kind, "layers"))
        return false;
    AUTO_FREE char *hex = text_copy_length(name->id, strnlen(name->id, HEX));
    return digest_parse_hex(hex, layer, NULL) == 0;
}
