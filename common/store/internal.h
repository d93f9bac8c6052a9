/* What the files of common/store share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "common/store/store.h"

/* What a batch holds back. */
struct held_object {
    struct digest digest;
    int fd; /* an unnamed file, not yet durable */
};
struct held_name {
    char *path, *text;
    char *temporary; /* while it is made durable */
    int fd;
};
struct held_action {
    store_action *action;
    void *context;
};
struct batch {
    unsigned depth;
    struct held_object *objects;
    struct held_name *names;
    struct held_action *actions;
    size_t object_count, name_count, action_count;
};

struct store {
    char *path;
    int root_fd;
    int lock_fd; /* holds the shared lock as long as the store is open */
    struct batch batch;
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

/* gc asks those who begin to let it go first, until the descriptor is closed; -1: another gc does already. After
 * TURN_MILLISECONDS they go on all the same: what gc waits for may take longer. */
enum { TURN_MILLISECONDS = 5000 };
int store_turn_take(struct store *store);
/* Lets gc go first when it asks, for some seconds: not when a record waits on standard input, for then this process
 * belongs to a build that gc itself waits for. */
void store_turn_await(struct store *store);

/* Takes the descriptor. */
int store_hold_object(struct store *store, const struct digest *digest, int *fd, struct error *error);
const struct held_object *store_held_object(const struct store *store, const struct digest *digest);
/* Takes the text. */
void store_hold_name(struct store *store, const char *path, char *text);
struct held_name *store_held_name(const struct store *store, const char *path);
void store_batch_release(struct store *store);

#endif
