/* What the files layer*.c share. */
#ifndef ENGINE_LAYER_INTERNAL_H
#define ENGINE_LAYER_INTERNAL_H

#include "engine/layer.h"
#include "engine/sandbox/sandbox.h"

/* An unpacked tree in overlay form as a tar stream, entries sorted. *entries counts them. */
int layer_pack(const char *directory, int64_t epoch, archive_sink *sink, void *context, uint64_t *entries,
               struct error *error);
/* A tree object laid at a destination as a tar stream. */
int layer_content_write(struct engine *engine, const struct layer_content *content, archive_sink *sink, void *context,
                        struct error *error);
struct json *layer_content_json(const struct layer_content *content);
/* Borrows destination and parents from `json`. */
int layer_content_parse(const struct json *json, struct layer_content *content, struct error *error);

/* An archive_sink that hashes what passes; `context` is a struct hashing. */
struct hashing {
    struct hasher *hasher;
    archive_sink *sink; /* where the bytes go on to, or NULL */
    void *context;
};
int hashing_sink(void *context, const void *data, size_t length, struct error *error);

/* An archive_sink over `int *`, a descriptor. */
int layer_fd_sink(void *context, const void *data, size_t length, struct error *error);

/* Trees differ by the mode that made them (owners, whiteouts): "HEX-root" and so on. The caller frees. */
char *layer_tree_id(const struct digest *diff_id);

#endif
