/* Taking things out of the store: fast while nobody else may use it, and the real work afterwards. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MILLISECONDS = 10 };

static int tell_users(const struct store *store, struct error *error) {
    AUTO_LIST struct text_list users = {0};
    store_users(store, &users);
    return error_set(error, ERROR_TEMPORARY, "the store %s is in use by %s%s", store->path,
                     users.count ? users.items[0] : "other processes", users.count > 1 ? " and others" : "");
}

int store_lock_alone(struct store *store, unsigned seconds, struct progress *progress, struct error *error) {
    int step = 0, result = 0;
    AUTO_CLOSE int turn = -1;
    for (unsigned waited = 0; result == 0 && flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0;
         waited += POLL_MILLISECONDS) {
        int failure = errno;
        if (waited == 0) {
            step = progress_begin(progress, "wait for the processes that use the store");
            turn = store_turn_take(store);
        }
        if (waited >= TURN_MILLISECONDS && turn >= 0)
            close(take_fd(&turn));
        if (failure != EWOULDBLOCK && failure != EINTR)
            result = error_set_errno(error, failure, "cannot lock the store %s", store->path);
        else if (progress_cancelled(progress))
            result = error_set(error, ERROR_CANCELLED, "stopped while it waited for the store");
        else if (waited >= seconds * 1000)
            result = tell_users(store, error);
        else
            nanosleep(&(struct timespec){.tv_nsec = POLL_MILLISECONDS * 1000000}, NULL);
    }
    if (step)
        progress_end(progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_CANCELLED);
    return result;
}

int store_share(struct store *store, struct error *error) {
    return flock(store->lock_fd, LOCK_SH) < 0 ? error_set_errno(error, errno, "cannot share the store %s", store->path)
                                              : 0;
}

static int move_to_trash(struct store *store, const char *from, struct error *error) {
    if (!store->trash && store_scratch(store, &store->trash, error) < 0)
        return -1;
    /* Both by way of one descriptor: in a mount namespace that was entered meanwhile, a path would lead to another
     * mount. */
    AUTO_FREE char *to = text_format("%s/%zu", store->trash + strlen(store->path) + 1, store->trash_count++);
    if (renameat(store->root_fd, from, store->root_fd, to) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot put %s/%s away", store->path, from);
    return 0;
}

int store_trash_name(struct store *store, const struct store_item *item, struct error *error) {
    AUTO_FREE char *path = text_format("names/%s/%s", item->kind, item->id);
    return move_to_trash(store, path, error);
}

int store_trash_object(struct store *store, const struct store_object *object, struct error *error) {
    char path[OBJECT_PATH];
    store_object_name(&object->digest, path);
    return move_to_trash(store, path, error);
}

int store_trash_tree(struct store *store, const struct store_item *item, struct error *error) {
    AUTO_FREE char *path = text_format("trees/%s", item->id);
    return move_to_trash(store, path, error);
}

int store_trash_mount(struct store *store, const struct store_item *item, struct error *error) {
    AUTO_FREE char *path = text_format("mounts/%s", item->id);
    return move_to_trash(store, path, error);
}

static int replace_folder(struct store *store, const char *name, struct error *error) {
    AUTO_FREE char *path = path_join(store->path, name);
    return move_to_trash(store, name, error) < 0 ? -1 : directory_make(path, 0700, error);
}

int store_trash_stat_caches(struct store *store, struct error *error) {
    return replace_folder(store, "statcache", error) < 0 ? -1 : store_barrier(store, error);
}

int store_trash_rest(struct store *store, struct error *error) {
    return replace_folder(store, "quarantine", error) < 0 ? -1 : replace_folder(store, "locks", error);
}

int store_barrier(struct store *store, struct error *error) {
    return syncfs(store->root_fd) < 0 ? error_set_errno(error, errno, "cannot write to the store %s", store->path) : 0;
}

int store_empty_trash(struct store *store, struct error *error) {
    int result = store->trash ? tree_remove(store->trash, error) : 0;
    free(store->trash);
    store->trash = NULL;
    return result;
}
