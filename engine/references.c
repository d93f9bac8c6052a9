#include "engine/references.h"
#include "common/file/file.h"
#include "engine/container.h"
#include "engine/tree.h"

#include <string.h>
#include <unistd.h>

enum { HEX = 64, DOCUMENT_LIMIT = 64 * 1024 * 1024 };

struct visit {
    reference_visitor *visit;
    void *context;
};

/* Documents say by a member's name what a digest is of; what is not known is taken for a file. */
static enum reference kind_of_member(const char *key) {
    return text_equal(key, "tree")        ? REFERENCE_TREE
           : text_equal(key, "container") ? REFERENCE_CONTAINER
           : text_equal(key, "layer")     ? REFERENCE_LAYER
                                          : REFERENCE_OBJECT;
}

static void visit_json(const struct visit *visit, const char *key, const struct json *value) {
    struct digest digest;
    if (json_is_object(value))
        for (void *at = json_first(value); at; at = json_next(value, at))
            visit_json(visit, json_key(at), json_value(at));
    else if (json_is_array(value))
        for (size_t i = 0; i < json_count(value); i++)
            visit_json(visit, key, json_at(value, i));
    else if (json_text(value) && digest_parse(json_text(value), &digest, NULL) == 0)
        visit->visit(visit->context, kind_of_member(key), &digest);
}

void references_of_name(struct engine *engine, const char *kind, const char *key, reference_visitor *visit,
                        void *context) {
    AUTO_JSON struct json *value = NULL;
    if (store_name_peek(engine->store, kind, key, &value, NULL) == 0 && value)
        visit_json(&(struct visit){visit, context}, "", value);
}

static void visit_container(struct engine *engine, const struct digest *digest, const struct visit *visit) {
    AUTO_CONTAINER struct container container = {0};
    struct digest layer;
    if (container_load(engine, digest, &container, NULL) < 0)
        return;
    for (size_t i = 0; i < container_layer_count(&container); i++)
        if (container_layer(&container, i, &layer, NULL) == 0)
            visit->visit(visit->context, REFERENCE_LAYER, &layer);
}

static int visit_entry(void *context, const struct tree_entry *entry, struct error *error) {
    const struct visit *visit = context;
    (void)error;
    if (entry->type == 'f' || entry->type == 'x')
        visit->visit(visit->context, REFERENCE_OBJECT, &entry->digest);
    return 0;
}

void references_of(struct engine *engine, enum reference kind, const struct digest *digest, reference_visitor *visit,
                   void *context) {
    struct visit both = {visit, context};
    if (kind == REFERENCE_CONTAINER)
        visit_container(engine, digest, &both);
    else if (kind == REFERENCE_LAYER)
        references_of_name(engine, "layers", digest_format_hex(digest).text, visit, context);
    else if (kind == REFERENCE_TREE)
        (void)!tree_visit(engine, digest, visit_entry, &both, NULL);
}

/* Whether it is worth the time to read an object for what it may be: the config of a container begins with '{', a tree
 * with the type or the owner of its first entry. */
static char first_byte(struct engine *engine, const struct digest *digest) {
    char byte = 0;
    AUTO_CLOSE int fd = store_open_object(engine->store, digest, NULL, NULL);
    return fd >= 0 && read(fd, &byte, 1) == 1 ? byte : 0;
}

enum reference reference_kind_of(struct engine *engine, const struct store_object *object) {
    AUTO_CONTAINER struct container container = {0};
    char first = object->bytes <= DOCUMENT_LIMIT ? first_byte(engine, &object->digest) : 0;
    if (first == '{' && container_load(engine, &object->digest, &container, NULL) == 0)
        return REFERENCE_CONTAINER;
    return first != 0 && strchr("fxdl@", first) ? REFERENCE_TREE : REFERENCE_OBJECT;
}

bool reference_layer_of(const char *id, struct digest *layer) {
    AUTO_FREE char *hex = text_copy_length(id, strnlen(id, HEX));
    return digest_parse_hex(hex, layer, NULL) == 0;
}

bool reference_describes_layer(const struct store_item *name, struct digest *layer) {
    return (text_equal(name->kind, "compressed") || text_equal(name->kind, "layers")) &&
           reference_layer_of(name->id, layer);
}
