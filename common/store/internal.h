/* What the files of common/store share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "common/store/store.h"

struct pending_object {
    struct digest digest;
    int fd; /* an unnamed file, not yet durable */
};

struct store {
    char *path;
    int root_fd;
    int lock_fd; /* holds the shared lock as long as the store is open */
    bool in_batch;
    struct pending_object *pending;
    size_t pending_count;
    char *trash; /* of gc, in tmp/ */
    size_t trash_count;
    struct text_list leftovers; /* in tmp/: of dead processes, and not ours to remove from outside of a namespace */
};

/* Calls `visit` for every object, open for reading. */
typedef int object_visitor(struct store *store, const char *hex, int fd, uint64_t size, void *context,
                           struct error *error);
int store_visit_objects(struct store *store, object_visitor *visit, void *context, struct error *error);

/* "objects/ab/cdef…" into a buffer of OBJECT_PATH bytes. */
enum { OBJECT_PATH = 80 };
void store_object_name(const struct digest *digest, char *path);

/* Names an unnamed file. An object that exists is kept; one of another size is replaced. */
int store_link_object(struct store *store, int fd, const struct digest *digest, struct error *error);
/* fsync of objects/ab. */
int store_sync_shard(struct store *store, const struct digest *digest, struct error *error);

#endif
