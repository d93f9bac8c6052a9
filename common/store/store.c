/* Opening the store; its names and scratch directories. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/json/json.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>

enum { NAME_LIMIT = 4 * 1024 * 1024, LOCK_SECONDS = 60, FULL_BYTES = 64 * 1024 };

static const char store_version[] = "1\n";

char *store_default_path(void) {
    const char *own = getenv("PL_STORE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!text_is_empty(own))
        return text_copy(own);
    if (!text_is_empty(cache) && *cache == '/')
        return path_join(cache, "pl");
    return path_join(text_is_empty(home) ? "/root" : home, ".cache/pl");
}

/* Everything is made in a fixed order and the version last, so that a half-made store is completed by the next open. */
static int make_folders(struct store *store, struct error *error) {
    static const char *const folders[] = {"objects", "names", "trees",      "mounts",
                                          "locks",   "tmp",   "quarantine", "statcache"};
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        if (mkdirat(store->root_fd, folders[i], 0700) < 0 && errno != EEXIST)
            return error_set_errno(error, errno, "cannot make %s/%s", store->path, folders[i]);
    for (unsigned shard = 0; shard < 256; shard++) {
        char name[16];
        snprintf(name, sizeof(name), "objects/%02x", shard);
        if (mkdirat(store->root_fd, name, 0700) < 0 && errno != EEXIST)
            return error_set_errno(error, errno, "cannot make %s/%s", store->path, name);
    }
    AUTO_FREE char *objects = path_join(store->path, "objects"), *version = path_join(store->path, "version");
    if (directory_sync(objects, error) < 0)
        return -1;
    return file_write_atomic(version, store_version, sizeof(store_version) - 1, 0600, error);
}

static int check_version(struct store *store, struct error *error) {
    char version[16] = "";
    AUTO_CLOSE int fd = openat(store->root_fd, "version", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return make_folders(store, error);
    ssize_t got = read(fd, version, sizeof(version) - 1);
    if (got > 0 && strcmp(version, store_version) == 0)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "the store %s was written by another version of pl", store->path);
    return error_next(error, "set PL_STORE to another directory, or remove this one");
}

/* Whoever is alone throws away what dead processes have left in tmp/. Files of the ids of a user namespace can only be
 * removed from inside of one. */
static void clean_scratch(struct store *store) {
    AUTO_FREE char *folder = path_join(store->path, "tmp");
    AUTO_LIST struct text_list names = {0};
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0 || directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = path_join(folder, names.items[i]);
        if (tree_remove(path, NULL) < 0)
            text_list_add(&store->leftovers, path);
    }
}

void store_remove_leftovers(struct store *store) {
    for (size_t i = 0; i < store->leftovers.count; i++)
        (void)!tree_remove(store->leftovers.items[i], NULL);
    text_list_release(&store->leftovers);
}

/* The lock is held exclusively by gc, and for a moment by a process that finds itself alone. */
int store_wake(struct store *store, struct error *error) {
    long waited = 0;
    for (long pause = 1; flock(store->lock_fd, LOCK_SH | LOCK_NB) < 0; pause = pause < 100 ? pause * 2 : 100) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set_errno(error, errno, "cannot lock %s", store->path);
        if (waited > LOCK_SECONDS * 1000)
            return error_set(error, ERROR_TEMPORARY, "the store %s is being cleaned up (pl-cache gc)", store->path);
        nanosleep(&(struct timespec){.tv_nsec = pause * 1000000}, NULL);
        waited += pause;
    }
    return 0;
}

void store_rest(struct store *store) {
    (void)flock(store->lock_fd, LOCK_UN);
}

static int lock_shared(struct store *store, struct error *error) {
    store->lock_fd = openat(store->root_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return error_set_errno(error, errno, "cannot open %s/lock", store->path);
    store_turn_await(store);
    clean_scratch(store);
    return store_wake(store, error);
}

static int open_at(struct store *store, struct error *error) {
    if (directory_make(store->path, 0700, error) < 0)
        return error_next(error, "set PL_STORE to a directory that can be written");
    store->root_fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root_fd < 0)
        return error_set_errno(error, errno, "cannot open the store %s", store->path);
    struct stat status;
    if (fstat(store->root_fd, &status) == 0 && status.st_uid != geteuid()) {
        error_set(error, ERROR_CONFIGURATION, "the store %s belongs to another user", store->path);
        return error_next(error, "set PL_STORE to a directory of your own");
    }
    if (lock_shared(store, error) < 0)
        return -1;
    return check_version(store, error);
}

struct store *store_open(const char *path, struct error *error) {
    struct store *store = memory_allocate(1, sizeof(*store));
    AUTO_FREE char *given = path ? text_copy(path) : store_default_path();
    store->root_fd = store->lock_fd = -1;
    store->path = *given == '/' ? text_copy(given) : NULL;
    if (!store->path) {
        AUTO_FREE char *here = getcwd(NULL, 0);
        store->path = path_join(here ? here : "/", given);
    }
    if (open_at(store, error) < 0)
        store_close(&store);
    return store;
}

void store_close(struct store **store) {
    if (!*store)
        return;
    store_batch_release(*store);
    text_list_release(&(*store)->leftovers);
    free((*store)->trash);
    if ((*store)->lock_fd >= 0)
        close((*store)->lock_fd);
    if ((*store)->root_fd >= 0)
        close((*store)->root_fd);
    free((*store)->path);
    free(*store);
    *store = NULL;
}

const char *store_path(const struct store *store) {
    return store->path;
}

bool store_is_full(const struct store *store) {
    struct statvfs status;
    return fstatvfs(store->root_fd, &status) == 0 &&
           ((uint64_t)status.f_bavail * status.f_frsize < FULL_BYTES || (status.f_files > 0 && status.f_favail == 0));
}

/* ---- names ---- */

static bool is_plain(const char *text) {
    size_t length = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-");
    return length > 0 && length < 128 && text[length] == '\0';
}

static char *name_path(struct store *store, const char *kind, const char *key) {
    return is_plain(kind) && is_plain(key) ? text_format("%s/names/%s/%s", store->path, kind, key) : NULL;
}

/* By way of tmp/, where whoever is alone removes what was cut off. */
static int replace_name(struct store *store, const char *folder, const char *path, const char *text, bool durable,
                        struct error *error) {
    char random[17];
    random_hex(random, sizeof(random));
    AUTO_FREE char *temporary = text_format("%s/tmp/%s", store->path, random);
    AUTO_CLOSE int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write to the store %s", store->path);
    int result = fd_write_all(fd, text, strlen(text), error);
    if (result == 0 && ((durable && fsync(fd) < 0) || rename(temporary, path) < 0))
        result = error_set_errno(error, errno, "cannot write %s", path);
    if (result < 0) {
        unlink(temporary);
        return -1;
    }
    return durable ? directory_sync(folder, error) : 0;
}

static int write_name(struct store *store, const char *kind, const char *key, const struct json *value, bool durable,
                      struct error *error) {
    AUTO_FREE char *path = name_path(store, kind, key);
    if (!path)
        return error_set(error, ERROR_INTERNAL, "\"%s/%s\" cannot be a name in the store", kind, key);
    AUTO_FREE char *folder = text_format("%s/names/%s", store->path, kind);
    AUTO_FREE char *text = json_format(value, JSON_COMPACT_STYLE);
    if (directory_make(folder, 0700, error) < 0)
        return -1;
    if (!durable || !store_in_batch(store))
        return replace_name(store, folder, path, text, durable, error);
    store_hold_name(store, path, take_pointer(&text));
    return 0;
}

int store_name_write(struct store *store, const char *kind, const char *key, const struct json *value,
                     struct error *error) {
    return write_name(store, kind, key, value, true, error);
}

int store_hint_write(struct store *store, const char *kind, const char *key, const struct json *value,
                     struct error *error) {
    return write_name(store, kind, key, value, false, error);
}

int store_name_read(struct store *store, const char *kind, const char *key, struct json **value, struct error *error) {
    AUTO_FREE char *path = name_path(store, kind, key);
    if (store_name_peek(store, kind, key, value, error) < 0)
        return -1;
    if (*value)
        file_keep(AT_FDCWD, path);
    return 0;
}

int store_name_peek(struct store *store, const char *kind, const char *key, struct json **value, struct error *error) {
    *value = NULL;
    AUTO_FREE char *path = name_path(store, kind, key);
    AUTO_BUFFER struct buffer text = BUFFER(NAME_LIMIT);
    bool found = false;
    if (!path)
        return error_set(error, ERROR_INTERNAL, "\"%s/%s\" cannot be a name in the store", kind, key);
    const struct held_name *held = store_held_name(store, path);
    if (held) {
        *value = json_parse(held->text, strlen(held->text), path, NULL);
        return 0;
    }
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    if (found)
        *value = json_parse(buffer_text(&text), text.length, path, NULL);
    return 0;
}

int store_name_list(struct store *store, const char *kind, struct text_list *keys, struct error *error) {
    AUTO_FREE char *folder = text_format("%s/names/%s", store->path, kind);
    AUTO_LIST struct text_list names = {0};
    if (!directory_exists(folder))
        return 0;
    if (directory_list(folder, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (is_plain(names.items[i]))
            text_list_add(keys, names.items[i]);
    return 0;
}

int store_name_remove(struct store *store, const char *kind, const char *key, struct error *error) {
    AUTO_FREE char *path = name_path(store, kind, key);
    if (!path || (unlink(path) < 0 && errno != ENOENT))
        return error_set_errno(error, errno, "cannot remove the name %s/%s", kind, key);
    return 0;
}

/* ---- scratch directories ---- */

int store_scratch(struct store *store, char **path, struct error *error) {
    char random[17];
    random_hex(random, sizeof(random));
    *path = text_format("%s/tmp/%s", store->path, random);
    return directory_make(*path, 0700, error);
}

void store_scratch_remove(struct store *store, const char *path) {
    (void)store;
    if (path)
        tree_remove(path, NULL);
}
