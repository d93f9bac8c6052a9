/* Looking after the store. */
#ifndef STORE_MAINTENANCE_H
#define STORE_MAINTENANCE_H

#include "common/store/store.h"

struct store_findings {
    uint64_t objects, object_bytes; /* looked at */
    uint64_t damaged_objects;       /* moved to quarantine/ */
    uint64_t names, damaged_names;  /* removed */
    uint64_t trees, broken_trees;   /* without their mark: removed */
    struct text_list complaints;    /* one line for each damage; released by the caller */
};

/* Hashes every object, parses every name, looks for the mark of every tree. What is damaged is put away, so that the
 * next build makes it again. Safe beside running builds. */
int store_verify(struct store *store, struct progress *progress, struct store_findings *findings,
                 struct error *error) MUST_CHECK;

/* What the folders of the store hold; bytes as the disk counts them. Unpacked trees and caches of a user namespace are
 * only counted fully from inside of it. */
struct store_usage {
    uint64_t objects, object_bytes, names, trees, tree_bytes, mounts, mount_bytes;
};
int store_usage(struct store *store, struct store_usage *usage, struct error *error) MUST_CHECK;

/* Bytes that its file system has room for, for who runs this; UINT64_MAX when it does not tell. */
uint64_t store_available(const struct store *store);

/* Adds "pl-build (4711)" for every other process that holds the store's lock at this moment; none where the kernel does
 * not tell. The names are scrubbed. */
void store_users(const struct store *store, struct text_list *users);

/* ---- for gc: who calls these decides what is of use ---- */

/* Waits until no other process uses the store, and keeps others from opening it until store_share or store_close.
 * ERROR_TEMPORARY when that takes longer than `seconds`. */
int store_lock_alone(struct store *store, unsigned seconds, struct progress *progress, struct error *error) MUST_CHECK;
/* Lets others open the store again. */
int store_share(struct store *store, struct error *error) MUST_CHECK;

struct store_item {
    char *kind;   /* of a name; NULL else */
    char *id;     /* a name's key, a tree's id, an entry of mounts/ */
    int64_t used; /* when it was last of use, seconds since 1970 */
    int64_t made; /* likewise; 0 where the file system does not tell */
    uint64_t bytes;
};
struct store_items {
    struct store_item *items;
    size_t count;
};
/* There may be a million of them. */
struct store_object {
    struct digest digest;
    int64_t used;
    uint64_t bytes;
};
struct store_objects {
    struct store_object *items; /* in the order of their digests */
    size_t count;
};
int store_list_names(struct store *store, struct store_items *list, struct error *error) MUST_CHECK;
int store_list_objects(struct store *store, struct store_objects *list, struct error *error) MUST_CHECK;
int store_list_trees(struct store *store, struct store_items *list, struct error *error) MUST_CHECK;
int store_list_mounts(struct store *store, struct store_items *list, struct error *error) MUST_CHECK;
/* What verify and readers put away as damaged. */
int store_list_quarantine(struct store *store, struct store_items *list, struct error *error) MUST_CHECK;
uint64_t store_items_bytes(const struct store_items *list);
void store_items_release(struct store_items *list);
#define AUTO_ITEMS AUTO(store_items_release)

/* The entry of mounts/ for a cache's id, as store_list_mounts gives it. The caller frees. */
char *store_mount_folder(const char *id);

/* store_name_read without a trace of use. */
int store_name_peek(struct store *store, const char *kind, const char *key, struct json **value,
                    struct error *error) MUST_CHECK;

/* Puts away what the lock was taken for: moves it to tmp/, from where store_empty_trash removes it while others work.
 * Names first: nothing may refer to what is gone. */
int store_trash_name(struct store *store, const struct store_item *item, struct error *error) MUST_CHECK;
int store_trash_object(struct store *store, const struct store_object *object, struct error *error) MUST_CHECK;
int store_trash_tree(struct store *store, const struct store_item *item, struct error *error) MUST_CHECK;
int store_trash_mount(struct store *store, const struct store_item *item, struct error *error) MUST_CHECK;
/* The stat caches: they say which objects are in the store, and go before the first of them does. */
int store_trash_stat_caches(struct store *store, struct error *error) MUST_CHECK;
/* Locks, which nobody holds now, and what verify put into quarantine. */
int store_trash_rest(struct store *store, struct error *error) MUST_CHECK;
/* What was put away before stays away after a power loss, should anything that is put away later do so. */
int store_barrier(struct store *store, struct error *error) MUST_CHECK;
int store_empty_trash(struct store *store, struct error *error) MUST_CHECK;

#endif
