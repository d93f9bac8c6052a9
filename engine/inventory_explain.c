/* One thing of the store: what it is, what made it, what it needs and what needs it, and whether a build would find it.
 */
#include "engine/container.h"
#include "engine/inventory_internal.h"
#include "engine/layer.h"
#include "engine/step_internal.h"

#include <stdlib.h>
#include <string.h>

enum { HEX = 64, SHORTEST = 4, SHOWN = 10, LISTED = 100 };

/* ---- finding it ---- */

struct asked {
    char *kind; /* "step", "container"…, or NULL: any */
    char hex[HEX + 1];
    size_t length;
};

static void asked_release(struct asked *asked) {
    free(take_pointer(&asked->kind));
}

/* [KIND:][sha256:]HEX, and HOST/REPO@sha256:HEX, which is the key of what was pushed. */
static int read_key(const char *key, struct asked *asked, struct error *error) {
    const char *at = strrchr(key, ':'), *image = strchr(key, '@');
    const char *hex = at ? at + 1 : key;
    size_t length = strlen(hex), valid = strspn(hex, "0123456789abcdef");
    *asked = (struct asked){.length = length};
    if (length < SHORTEST || length > HEX || valid != length) {
        error_set(error, ERROR_USAGE, "\"%.120s\" is no key: it ends in at least %d of the digits 0-9 and a-f", key,
                  SHORTEST);
        return error_next(error, "the keys are listed by: pl-cache list");
    }
    memcpy(asked->hex, hex, length);
    if (!image && at && !text_starts_with(key, "sha256:"))
        asked->kind = text_copy_length(key, strcspn(key, ":"));
    return 0;
}

static bool is_asked_kind(const struct asked *asked, const char *kind) {
    return !asked->kind || text_equal(asked->kind, kind) ||
           (text_equal(asked->kind, "step") && text_equal(kind, "steps")) ||
           (text_equal(asked->kind, "base") && text_equal(kind, "bases"));
}

static void add_match(const struct asked *asked, const char *kind, const char *hex, struct text_list *found) {
    if (is_asked_kind(asked, kind) && strncmp(hex, asked->hex, asked->length) == 0 && !text_list_contains(found, hex) &&
        found->count <= SHOWN)
        text_list_add(found, hex);
}

static void find_matches(const struct graph *graph, const struct asked *asked, struct text_list *found) {
    static const char *const of_objects[] = {"container", "directory", "file"};
    for (size_t i = 0; i < graph->names.count; i++)
        add_match(asked, graph->names.items[i].kind, graph->names.items[i].id, found);
    for (size_t i = 0; i < graph->mounts.count; i++)
        add_match(asked, "cache", graph->mounts.items[i].id, found);
    for (size_t i = 0; i < graph_node_count(graph); i++) {
        struct digest digest = graph_digest(graph, i);
        struct digest_hex hex = digest_format_hex(&digest);
        if (i >= graph->objects.count)
            add_match(asked, "layer", hex.text, found);
        for (size_t k = 0; i < graph->objects.count && k < ARRAY_LENGTH(of_objects); k++)
            add_match(asked, of_objects[k], hex.text, found);
    }
}

static int find_one(const struct graph *graph, const struct asked *asked, const char *key, char *hex,
                    struct error *error) {
    AUTO_LIST struct text_list found = {0};
    find_matches(graph, asked, &found);
    if (found.count == 0) {
        error_set(error, ERROR_ANSWER_NO,
                  "the store %s has no %.120s: it was removed (pl-cache gc), or made in another store",
                  store_path(graph->engine->store), key);
        return error_next(error,
                          "the keys are listed by: pl-cache list; a key of another machine is only in its store");
    }
    if (found.count == 1 || strlen(found.items[0]) == asked->length) {
        snprintf(hex, HEX + 1, "%s", found.items[0]);
        return 0;
    }
    AUTO_BUFFER struct buffer all = BUFFER(8192);
    for (size_t i = 0; i < found.count; i++)
        buffer_append_format(&all, "%s%.*s", i ? ", " : "", (int)asked->length + 8, found.items[i]);
    error_set(error, ERROR_USAGE, "\"%.120s\" may be several: %s", key, buffer_text(&all));
    return error_next(error, "give more of its digits");
}

/* ---- what belongs to it ---- */

struct explaining {
    struct graph graph;
    const char *hex;
    struct digest digest; /* of hex, when it is one */
    size_t object, layer; /* the nodes, or SIZE_MAX */
    struct json *answer;
    bool refers; /* of the name that is looked at */
};

static void append_key(struct json *list, const char *key, const char *title) {
    if (json_count(list) >= LISTED)
        return;
    struct json *item = json_new_object();
    json_set_text(item, "key", key);
    json_set_text(item, "title", title);
    json_append(list, item);
}

static void see_reference(void *context, enum reference kind, const struct digest *digest) {
    struct explaining *explaining = context;
    explaining->refers |= digest_equal(digest, &explaining->digest);
    graph_walk(&explaining->graph, kind, digest, true);
}

/* Walks through all names, so that the graph has all edges, and notes those that refer to it. */
static void add_names_that_need_it(struct explaining *explaining) {
    struct graph *graph = &explaining->graph;
    struct json *list = json_need_array(explaining->answer, "needed_by");
    struct digest layer;
    for (size_t i = 0; i < graph->names.count; i++) {
        const struct store_item *name = &graph->names.items[i];
        if (reference_describes_layer(name, &layer))
            continue;
        AUTO_FREE char *key = text_format("%s:%s", text_equal(name->kind, "steps") ? "step" : name->kind, name->id);
        AUTO_JSON struct json *value = NULL;
        graph_begin_walk(graph, name->used);
        explaining->refers = false;
        references_of_name(graph->engine, name->kind, name->id, see_reference, explaining);
        if (!explaining->refers || text_equal(name->id, explaining->hex))
            continue;
        (void)!store_name_peek(graph->engine->store, name->kind, name->id, &value, NULL);
        append_key(list, key, json_get_text(value, "name", json_get_text(value, "reference", NULL)));
    }
}

static char *key_of_node(const struct graph *graph, size_t node) {
    static const char *const kinds[] = {[REFERENCE_OBJECT] = "file",
                                        [REFERENCE_TREE] = "directory",
                                        [REFERENCE_CONTAINER] = "container",
                                        [REFERENCE_LAYER] = "layer"};
    struct digest digest = graph_digest(graph, node);
    return text_format("%s:sha256:%s", kinds[node < graph->objects.count ? graph->nodes[node].kind : REFERENCE_LAYER],
                       digest_format_hex(&digest).text);
}

static void add_nodes_that_need_it(struct explaining *explaining) {
    const struct graph *graph = &explaining->graph;
    struct json *list = json_need_array(explaining->answer, "needed_by");
    for (size_t i = 0; i < graph_node_count(graph); i++)
        for (uint32_t k = 0; graph->nodes[i].is_expanded && k < graph->nodes[i].count; k++) {
            size_t target = graph->edges[graph->nodes[i].first + k] / GRAPH_EDGE_KINDS;
            if (target != explaining->object && target != explaining->layer)
                continue;
            AUTO_FREE char *key = key_of_node(graph, i);
            append_key(list, key, NULL);
            break;
        }
}

static void add_needs(struct explaining *explaining, size_t node) {
    const struct graph *graph = &explaining->graph;
    struct json *list = json_need_array(explaining->answer, "needs");
    for (uint32_t k = 0; graph->nodes[node].is_expanded && k < graph->nodes[node].count; k++) {
        AUTO_FREE char *key = key_of_node(graph, graph->edges[graph->nodes[node].first + k] / GRAPH_EDGE_KINDS);
        append_key(list, key, NULL);
    }
}

/* ---- a step ---- */

static struct json *peek(const struct explaining *explaining, const char *kind, const char *key) {
    struct json *value = NULL;
    (void)!store_name_peek(explaining->graph.engine->store, kind, key, &value, NULL);
    return value;
}

/* NULL, or what of the result is not there. */
static const char *what_is_missing(struct engine *engine, const struct json *step) {
    AUTO_CONTAINER struct container container = {0};
    struct digest digest;
    const char *text = json_get_text(step, "container", NULL);
    if (!text)
        return NULL;
    if (digest_parse(text, &digest, NULL) < 0 || container_load(engine, &digest, &container, NULL) < 0)
        return "the container that it made is no longer in the store";
    return layers_are_available(engine, &container) ? NULL
                                                    : "a layer of the container that it made is no longer in the store";
}

/* The step of the same name that some source directory is at now. */
static void compare_with_latest(struct explaining *explaining, const struct json *step, struct json *found) {
    const struct graph *graph = &explaining->graph;
    for (size_t i = 0; i < graph->names.count; i++) {
        if (!text_equal(graph->names.items[i].kind, "slots"))
            continue;
        AUTO_JSON struct json *slot = peek(explaining, "slots", graph->names.items[i].id);
        const char *latest = json_get_text(slot, "step", "-"), *scope = json_get_text(slot, "scope", NULL);
        if (text_equal(latest, explaining->hex)) {
            json_set_text(found, "latest_in", scope);
            return;
        }
        AUTO_JSON struct json *other = peek(explaining, "steps", latest);
        if (!scope || !text_equal(json_get_text(other, "name", NULL), json_get_text(step, "name", "")))
            continue;
        AUTO_BUFFER struct buffer reasons = BUFFER(8192);
        step_compare(graph->engine, json_get(step, "definition"), json_get(other, "definition"), &reasons);
        AUTO_FREE char *key = text_format("step:%s", latest);
        json_set_text(found, "later", key);
        json_set_text(found, "later_in", scope);
        json_set_text(found, "difference", reasons.length > 2 ? buffer_text(&reasons) + 2 : NULL);
    }
}

/* The step that made its input, and those that go on from its result. */
static void add_neighbours(struct explaining *explaining, const struct json *step) {
    const struct graph *graph = &explaining->graph;
    const char *input = json_get_text(json_get(step, "definition"), "input", ""),
               *output = json_get_text(step, "container", "-");
    for (size_t i = 0; i < graph->names.count; i++) {
        const struct store_item *name = &graph->names.items[i];
        if (!text_equal(name->kind, "steps") || text_equal(name->id, explaining->hex))
            continue;
        AUTO_JSON struct json *other = peek(explaining, "steps", name->id);
        AUTO_FREE char *key = text_format("step:%s", name->id);
        const char *title = json_get_text(other, "name", NULL);
        if (text_equal(json_get_text(other, "container", NULL), input))
            append_key(json_need_array(explaining->answer, "needs"), key, title);
        else if (text_equal(json_get_text(json_get(other, "definition"), "input", NULL), output))
            append_key(json_need_array(explaining->answer, "needed_by"), key, title);
    }
}

static void explain_step(struct explaining *explaining, const struct json *step) {
    struct json *answer = explaining->answer, *found = json_need_object(answer, "found");
    const char *missing = what_is_missing(explaining->graph.engine, step);
    json_set_text(answer, "title", json_get_text(step, "name", NULL));
    if (json_get(step, "definition"))
        json_set(answer, "definition", json_copy_deep(json_get(step, "definition")));
    json_set_text(answer, "container", json_get_text(step, "container", NULL));
    if (json_get(step, "outcome"))
        json_set(answer, "outcome", json_copy_deep(json_get(step, "outcome")));
    json_set_bool(found, "is_found", !missing);
    json_set_text(found, "missing", missing);
    compare_with_latest(explaining, step, found);
    add_neighbours(explaining, step);
}

/* ---- all ---- */

static void explain_name(struct explaining *explaining, const struct store_item *name) {
    struct json *answer = explaining->answer;
    AUTO_JSON struct json *value = peek(explaining, name->kind, name->id);
    struct json *names = json_need_array(answer, "names");
    struct json *item = json_new_object();
    json_set_text(item, "kind", name->kind);
    json_set_integer(item, "used", name->used);
    if (name->made)
        json_set_integer(item, "made", name->made);
    if (value && !text_equal(name->kind, "steps"))
        json_set(item, "says", json_copy_deep(value));
    json_append(names, item);
    if (text_equal(name->kind, "steps") && value)
        explain_step(explaining, value);
    else if (!json_get(answer, "title"))
        json_set_text(
            answer, "title",
            json_get_text(value, "name", json_get_text(value, "reference", json_get_text(value, "directory", NULL))));
    graph_begin_walk(&explaining->graph, 0);
    graph_walk_name(&explaining->graph, name, false);
    json_set_integer(answer, "bytes", (int64_t)explaining->graph.walk_bytes);
}

static void explain_object(struct explaining *explaining) {
    struct graph *graph = &explaining->graph;
    const struct store_object *object = &graph->objects.items[explaining->object];
    enum reference kind = reference_kind_of(graph->engine, object);
    graph_begin_walk(graph, 0);
    graph_walk(graph, kind, &object->digest, false);
    json_set_text(explaining->answer, "kind",
                  kind == REFERENCE_CONTAINER ? "container"
                  : kind == REFERENCE_TREE    ? "directory"
                                              : "file");
    json_set_integer(explaining->answer, "bytes", (int64_t)graph->walk_bytes);
    json_set_integer(explaining->answer, "used", object->used);
    add_needs(explaining, explaining->object);
}

static void explain_layer(struct explaining *explaining) {
    struct graph *graph = &explaining->graph;
    struct json *note = peek(explaining, "layers", explaining->hex);
    graph_begin_walk(graph, 0);
    graph_walk(graph, REFERENCE_LAYER, &explaining->digest, false);
    json_set_text(explaining->answer, "kind", "layer");
    json_set_integer(explaining->answer, "bytes", (int64_t)graph->walk_bytes);
    json_set(explaining->answer, "layer", note ? note : json_new_object());
    add_needs(explaining, explaining->layer);
}

static const char *kind_of_key(const struct explaining *explaining) {
    const struct graph *graph = &explaining->graph;
    for (size_t i = 0; i < graph->names.count; i++)
        if (text_equal(graph->names.items[i].id, explaining->hex))
            return text_equal(graph->names.items[i].kind, "steps") ? "step" : graph->names.items[i].kind;
    return "cache";
}

static void explain_all(struct explaining *explaining) {
    struct graph *graph = &explaining->graph;
    struct digest layer;
    bool is_digest = digest_parse_hex(explaining->hex, &explaining->digest, NULL) == 0;
    explaining->object = is_digest ? graph_find(graph, REFERENCE_OBJECT, &explaining->digest) : SIZE_MAX;
    explaining->layer = is_digest ? graph_find(graph, REFERENCE_LAYER, &explaining->digest) : SIZE_MAX;
    json_set_text(explaining->answer, "key", explaining->hex);
    json_set_text(explaining->answer, "kind", kind_of_key(explaining));
    add_names_that_need_it(explaining);
    for (size_t i = 0; i < graph->names.count; i++)
        if (text_equal(graph->names.items[i].id, explaining->hex) &&
            !reference_describes_layer(&graph->names.items[i], &layer))
            explain_name(explaining, &graph->names.items[i]);
    for (size_t i = 0; i < graph->mounts.count; i++)
        if (text_equal(graph->mounts.items[i].id, explaining->hex)) {
            json_set_integer(explaining->answer, "bytes", (int64_t)graph->mounts.items[i].bytes);
            json_set_integer(explaining->answer, "used", graph->mounts.items[i].used);
        }
    if (explaining->layer != SIZE_MAX)
        explain_layer(explaining);
    if (explaining->object != SIZE_MAX)
        explain_object(explaining);
    add_nodes_that_need_it(explaining);
}

int inventory_explain(struct engine *engine, const char *key, struct json **answer, struct error *error) {
    struct explaining explaining = {.answer = json_new_object()};
    struct asked asked = {0};
    char hex[HEX + 1] = "";
    int result = read_key(key, &asked, error);
    if (result == 0)
        result = graph_open(&explaining.graph, engine, error);
    if (result == 0)
        result = find_one(&explaining.graph, &asked, key, hex, error);
    if (result == 0) {
        explaining.hex = hex;
        explain_all(&explaining);
        *answer = take_pointer(&explaining.answer);
    }
    json_release(&explaining.answer);
    graph_release(&explaining.graph);
    asked_release(&asked);
    return result;
}
