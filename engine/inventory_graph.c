/* From names to all that they refer to, with each document read once. */
#include "engine/inventory_internal.h"

#include <stdlib.h>
#include <string.h>

static int by_digest(const void *left, const void *right) {
    return memcmp(left, right, sizeof(struct digest));
}

static void add_layer(struct graph *graph, const char *id) {
    struct digest layer;
    if (!reference_layer_of(id, &layer))
        return;
    if ((graph->layer_count & (graph->layer_count - 1)) == 0)
        graph->layers =
            memory_resize(graph->layers, graph->layer_count ? graph->layer_count * 2 : 1, sizeof(*graph->layers));
    graph->layers[graph->layer_count++] = layer;
}

static void add_layer_bytes(struct graph *graph, const struct store_item *item) {
    struct digest layer;
    size_t node = reference_layer_of(item->id, &layer) ? graph_find(graph, REFERENCE_LAYER, &layer) : SIZE_MAX;
    if (node != SIZE_MAX)
        graph->layer_bytes[node - graph->objects.count] += item->bytes;
}

static void list_layers(struct graph *graph) {
    struct digest layer;
    for (size_t i = 0; i < graph->trees.count; i++)
        add_layer(graph, graph->trees.items[i].id);
    for (size_t i = 0; i < graph->names.count; i++)
        if (reference_describes_layer(&graph->names.items[i], &layer))
            add_layer(graph, graph->names.items[i].id);
    size_t kept = 0;
    if (graph->layer_count)
        qsort(graph->layers, graph->layer_count, sizeof(*graph->layers), by_digest);
    for (size_t i = 0; i < graph->layer_count; i++)
        if (kept == 0 || !digest_equal(&graph->layers[kept - 1], &graph->layers[i]))
            graph->layers[kept++] = graph->layers[i];
    graph->layer_count = kept;
    graph->layer_bytes = memory_allocate(kept + 1, sizeof(*graph->layer_bytes));
    for (size_t i = 0; i < graph->trees.count; i++)
        add_layer_bytes(graph, &graph->trees.items[i]);
    for (size_t i = 0; i < graph->names.count; i++)
        if (reference_describes_layer(&graph->names.items[i], &layer))
            add_layer_bytes(graph, &graph->names.items[i]);
}

int graph_open(struct graph *graph, struct engine *engine, struct error *error) {
    *graph = (struct graph){.engine = engine};
    struct store *store = engine->store;
    if (store_list_names(store, &graph->names, error) < 0 || store_list_objects(store, &graph->objects, error) < 0 ||
        store_list_trees(store, &graph->trees, error) < 0 || store_list_mounts(store, &graph->mounts, error) < 0 ||
        store_list_quarantine(store, &graph->quarantine, error) < 0)
        return -1;
    if (graph->objects.count)
        qsort(graph->objects.items, graph->objects.count, sizeof(*graph->objects.items), by_digest);
    list_layers(graph);
    graph->nodes = memory_allocate(graph_node_count(graph) + 1, sizeof(*graph->nodes));
    return 0;
}

void graph_release(struct graph *graph) {
    store_items_release(&graph->names);
    store_items_release(&graph->trees);
    store_items_release(&graph->mounts);
    store_items_release(&graph->quarantine);
    free(graph->objects.items);
    free(graph->layers);
    free(graph->layer_bytes);
    free(graph->nodes);
    free(graph->edges);
    *graph = (struct graph){0};
}

size_t graph_node_count(const struct graph *graph) {
    return graph->objects.count + graph->layer_count;
}

size_t graph_find(const struct graph *graph, enum reference kind, const struct digest *digest) {
    if (kind == REFERENCE_LAYER) {
        const struct digest *layer = graph->layer_count == 0 ? NULL
                                                             : bsearch(digest, graph->layers, graph->layer_count,
                                                                       sizeof(*graph->layers), by_digest);
        return layer ? graph->objects.count + (size_t)(layer - graph->layers) : SIZE_MAX;
    }
    const struct store_objects *all = &graph->objects;
    const struct store_object *object =
        all->count == 0 ? NULL : bsearch(digest, all->items, all->count, sizeof(*all->items), by_digest);
    return object ? (size_t)(object - all->items) : SIZE_MAX;
}

struct digest graph_digest(const struct graph *graph, size_t node) {
    return node < graph->objects.count ? graph->objects.items[node].digest : graph->layers[node - graph->objects.count];
}

uint64_t graph_bytes(const struct graph *graph, size_t node) {
    return node < graph->objects.count ? graph->objects.items[node].bytes
                                       : graph->layer_bytes[node - graph->objects.count];
}

/* ---- walking ---- */

static void add_edge(void *context, enum reference kind, const struct digest *digest) {
    struct graph *graph = context;
    size_t node = graph_find(graph, kind, digest);
    if (node == SIZE_MAX || node >= UINT32_MAX / GRAPH_EDGE_KINDS || graph->edge_count >= UINT32_MAX - 1)
        return;
    if (graph->edge_count == graph->edge_capacity) {
        graph->edge_capacity = graph->edge_capacity ? graph->edge_capacity * 2 : 1024;
        graph->edges = memory_resize(graph->edges, graph->edge_capacity, sizeof(*graph->edges));
    }
    graph->edges[graph->edge_count++] = (uint32_t)(node * GRAPH_EDGE_KINDS) + (uint32_t)kind;
}

static void expand(struct graph *graph, size_t node, enum reference kind) {
    struct digest digest = graph_digest(graph, node);
    uint32_t first = (uint32_t)graph->edge_count;
    references_of(graph->engine, kind, &digest, add_edge, graph);
    graph->nodes[node].first = first;
    graph->nodes[node].count = (uint32_t)(graph->edge_count - first);
    graph->nodes[node].is_expanded = true;
}

static void count(struct graph *graph, size_t at, bool owns) {
    struct graph_node *node = &graph->nodes[at];
    if (node->stamp == graph->walk)
        return;
    node->stamp = graph->walk;
    graph->walk_bytes += graph_bytes(graph, at);
    if (!owns)
        return;
    node->users++;
    node->used = node->used > graph->walk_used ? node->used : graph->walk_used;
    node->owner = node->owner == GRAPH_NOBODY ? graph->walk : GRAPH_SEVERAL;
}

/* At most as deep as: container, layer, tree, file. */
static void walk(struct graph *graph, size_t at, enum reference kind, bool owns) {
    count(graph, at, owns);
    struct graph_node *node = &graph->nodes[at];
    if (kind == REFERENCE_OBJECT || node->opened == graph->walk)
        return;
    node->opened = graph->walk;
    node->kind = kind;
    if (!node->is_expanded)
        expand(graph, at, kind);
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t edge = graph->edges[node->first + i];
        walk(graph, edge / GRAPH_EDGE_KINDS, (enum reference)(edge % GRAPH_EDGE_KINDS), owns);
    }
}

void graph_begin_walk(struct graph *graph, int64_t used) {
    graph->walk++;
    graph->walk_used = used;
    graph->walk_bytes = 0;
}

void graph_walk(struct graph *graph, enum reference kind, const struct digest *digest, bool owns) {
    size_t node = graph_find(graph, kind, digest);
    if (node != SIZE_MAX)
        walk(graph, node, kind, owns);
}

struct name_walk {
    struct graph *graph;
    bool owns;
};

static void walk_reference(void *context, enum reference kind, const struct digest *digest) {
    const struct name_walk *name_walk = context;
    graph_walk(name_walk->graph, kind, digest, name_walk->owns);
}

void graph_walk_name(struct graph *graph, const struct store_item *name, bool owns) {
    graph->walk_bytes += name->bytes;
    references_of_name(graph->engine, name->kind, name->id, walk_reference, &(struct name_walk){graph, owns});
}

void graph_add_exclusive(const struct graph *graph, uint64_t *bytes) {
    for (size_t i = 0; i < graph_node_count(graph); i++)
        if (graph->nodes[i].owner != GRAPH_NOBODY && graph->nodes[i].owner != GRAPH_SEVERAL)
            bytes[graph->nodes[i].owner] += graph_bytes(graph, i);
}
