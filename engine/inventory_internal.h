/* What the files inventory*.c share: what refers to what, each document read once. */
#ifndef ENGINE_INVENTORY_INTERNAL_H
#define ENGINE_INVENTORY_INTERNAL_H

#include "engine/inventory.h"

/* Objects come first, in the order of their digests, then layers, in the order of theirs. */
struct graph_node {
    uint32_t first, count;  /* of its edges, once it is opened */
    uint32_t stamp, opened; /* the walk that has counted it, and the one that has gone on from it */
    uint32_t owner;         /* the only walk that has counted it and owns; NOBODY or SEVERAL */
    uint32_t users;         /* how many owning walks have counted it */
    int64_t used;           /* the latest use of those */
    enum reference kind;    /* the best that something refers to it as */
    bool is_expanded;
};
enum { GRAPH_NOBODY = 0, GRAPH_SEVERAL = UINT32_MAX - 1, GRAPH_EDGE_KINDS = 4 };

struct graph {
    struct engine *engine;
    struct store_items names, trees, mounts, quarantine;
    struct store_objects objects;
    struct digest *layers;
    uint64_t *layer_bytes;
    size_t layer_count;
    struct graph_node *nodes;
    uint32_t *edges; /* node * GRAPH_EDGE_KINDS + enum reference */
    size_t edge_count, edge_capacity;
    uint32_t walk;
    uint64_t walk_bytes;
    int64_t walk_used;
};
int graph_open(struct graph *graph, struct engine *engine, struct error *error);
void graph_release(struct graph *graph);
size_t graph_node_count(const struct graph *graph);
/* The node of an object or layer, or SIZE_MAX. */
size_t graph_find(const struct graph *graph, enum reference kind, const struct digest *digest);
struct digest graph_digest(const struct graph *graph, size_t node);
uint64_t graph_bytes(const struct graph *graph, size_t node);
/* Counts what can be reached: graph->walk_bytes grows by what the walk has not counted yet. An owning walk is one of
 * what is used for itself. */
void graph_begin_walk(struct graph *graph, int64_t used);
void graph_walk(struct graph *graph, enum reference kind, const struct digest *digest, bool owns);
void graph_walk_name(struct graph *graph, const struct store_item *name, bool owns);
/* What one walk alone has counted; `bytes` has a place for each walk. */
void graph_add_exclusive(const struct graph *graph, uint64_t *bytes);

#endif
