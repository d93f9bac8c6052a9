/* The store: everything by content, shared by any number of processes, no daemon. Design section 6.
 *
 *   ${PL_STORE:-${XDG_CACHE_HOME:-~/.cache}/pl}, mode 0700
 *     version                 "1"
 *     lock                    flock: shared while a process uses the store, exclusive for gc, dropped by the kernel
 *     turn                    flock of gc while it waits for the lock: who begins lets it go first
 *     objects/ab/cdef…        bytes named by their sha256, mode 0400
 *     names/KIND/KEY          small JSON documents that refer to objects and trees
 *     trees/ID/               unpacked trees; complete only with their mark, trees/ID/clean
 *     mounts/ID/              cache mounts (package managers' caches), each with its own lock
 *     locks/ID                flock of who makes something that others would make, too; the file itself says nothing
 *     tmp/                    what is being made; emptied at open when nobody else uses the store
 *
 * Promise: after a function here returned 0 the object, name or tree survives power loss; after any other end it is
 * either absent or correct. An fsync error is final. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "common/base/buffer.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"

#include <stdint.h>

struct json;
struct store;

/* path NULL: as above. Makes it when it is missing; takes the shared lock. ERROR_CANNOT_WRITE, ERROR_TEMPORARY (gc runs
 * longer than 60 s), ERROR_CONFIGURATION (a newer version, a file system without locks, another owner). */
struct store *store_open(const char *path, struct error *error) MUST_CHECK;
/* The path that NULL stands for, whether a store is there or not. The caller frees. */
char *store_default_path(void);
void store_close(struct store **store);
/* Lets the lock go while this process waits for its input and has nothing of the store in its hands, so that gc need
 * not wait for it; and takes it again. store_wake fails as store_open does. */
void store_rest(struct store *store);
int store_wake(struct store *store, struct error *error) MUST_CHECK;
#define AUTO_STORE AUTO(store_close)
const char *store_path(const struct store *store);
/* Whether its disk has no room left, for data or for files: then that is why a program failed that wrote there. */
bool store_is_full(const struct store *store);

/* Writing an object. The expected digest may be NULL; a different one is ERROR_PROTOCOL and nothing is stored. */
struct store_writer;
struct store_writer *store_put_begin(struct store *store, const struct digest *expected, uint64_t limit,
                                     struct error *error) MUST_CHECK;
/* For an upload whose digest is only said at its end: sets the expected one before the commit. */
void store_put_expect(struct store_writer *writer, const struct digest *expected);
int store_put_write(struct store_writer *writer, const void *data, size_t length, struct error *error) MUST_CHECK;
/* Both release the writer and set it to NULL. */
int store_put_commit(struct store_writer **writer, struct digest *digest, uint64_t *size,
                     struct error *error) MUST_CHECK;
void store_put_abort(struct store_writer **writer);
#define AUTO_WRITER AUTO(store_put_abort)
/* Starts the object over (a retried download). */
int store_put_restart(struct store_writer *writer, struct error *error) MUST_CHECK;

int store_put(struct store *store, const void *data, size_t length, struct digest *digest,
              struct error *error) MUST_CHECK;

/* Many writes with few waits for the disk: between begin and end, objects and names are held back and seen by this
 * process alone. end makes all of it durable, contents first, then the objects' places, then the names; what comes
 * before a failure or a kill is lost as a whole. Batches nest; the outermost counts. Trees and hints are not held back.
 * flush makes durable what there is so far and goes on: before and after what must not be lost. */
void store_batch_begin(struct store *store);
int store_batch_flush(struct store *store, struct error *error) MUST_CHECK;
int store_batch_end(struct store *store, struct error *error) MUST_CHECK;
bool store_in_batch(const struct store *store);
/* Calls `action` as soon as what is held back now is durable (at once when nothing is), or, with is_durable false, when
 * it is certain that it will not be. */
typedef void store_action(void *context, bool is_durable);
void store_batch_then(struct store *store, store_action *action, void *context);

bool store_has(struct store *store, const struct digest *digest);
/* Notes that an object which no name refers to is still of use: gc keeps it for some days from now on. Names are noted
 * by being read, objects also by being put again. */
void store_keep(struct store *store, const struct digest *digest);
/* A descriptor at offset 0, or -1 (ERROR_DATA when it is absent). Not hashed again: a reader at a trust boundary does.
 */
int store_open_object(struct store *store, const struct digest *digest, uint64_t *size, struct error *error) MUST_CHECK;
/* Appends the object to `out`, hashed again: an object that is not what its name says is moved to quarantine/ and is
 * ERROR_DATA. */
int store_read(struct store *store, const struct digest *digest, struct buffer *out, struct error *error) MUST_CHECK;
/* The absolute path of an object, for linking and bind mounts; the caller frees. It may not exist. */
char *store_object_path(struct store *store, const struct digest *digest);

/* Names. kind: [a-z-]+; key: hex digits. Reading a name that is absent gives 0 with *value NULL. A damaged name counts
 * as absent. */
int store_name_write(struct store *store, const char *kind, const char *key, const struct json *value,
                     struct error *error) MUST_CHECK;
/* A name that only saves work or explains (what a registry is known to have, which step ran here last): written without
 * waiting for the disk, so that it may be absent after a power loss. It refers to nothing that must exist. */
int store_hint_write(struct store *store, const char *kind, const char *key, const struct json *value,
                     struct error *error) MUST_CHECK;
int store_name_read(struct store *store, const char *kind, const char *key, struct json **value,
                    struct error *error) MUST_CHECK;
int store_name_list(struct store *store, const char *kind, struct text_list *keys, struct error *error) MUST_CHECK;
int store_name_remove(struct store *store, const char *kind, const char *key, struct error *error) MUST_CHECK;

/* Trees. id: hex digits and '-'. begin gives a fresh private directory (absolute path, owned by the caller) on the same
 * file system; commit writes the mark, makes all of it durable and renames it to trees/ID; when trees/ID exists already
 * the new one is thrown away. abort removes it. */
int store_tree_begin(struct store *store, char **path, struct error *error) MUST_CHECK;
int store_tree_commit(struct store *store, const char *path, const char *id, struct error *error) MUST_CHECK;
void store_tree_abort(struct store *store, const char *path);
/* The absolute path of a complete tree, or NULL. The caller frees. */
char *store_tree_path(struct store *store, const char *id);
/* The ids of all trees, complete or not. */
int store_tree_list(struct store *store, struct text_list *ids, struct error *error) MUST_CHECK;
/* Its mark first, so that a removal that is cut off leaves nothing that looks complete. */
int store_tree_remove(struct store *store, const char *id, struct error *error) MUST_CHECK;

/* A lock by name (any text) that lasts until *fd is closed, or the process ends however it ends. Who wants it meanwhile
 * waits, which is told as a step: "wait for another process: DOING". ERROR_CANCELLED when the run ends first. */
int store_lock(struct store *store, const char *name, const char *doing, struct progress *progress, int *fd,
               struct error *error) MUST_CHECK;

/* A cache mount: its directory (made when missing) and its lock. id is any text: it is hashed. */
int store_mount_lock(struct store *store, const char *id, struct progress *progress, char **path, int *lock_fd,
                     struct error *error) MUST_CHECK;
/* A private directory in tmp/ for scratch use, removed by store_scratch_remove or, after a crash, by whoever opens the
 * store alone next; what that one could not remove, store_remove_leftovers removes from inside of a user namespace. */
int store_scratch(struct store *store, char **path, struct error *error) MUST_CHECK;
void store_scratch_remove(struct store *store, const char *path);
void store_remove_leftovers(struct store *store);

/* gc and verify are declared in store/maintenance.h. */

#endif
