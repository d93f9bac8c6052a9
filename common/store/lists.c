/* What is in the store, when it was last of use and how much of the disk it takes. */
#include "common/file/file.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { DEPTH_LIMIT = 1000 };

static int64_t made_at(int folder, const char *name) {
    struct statx status;
    return statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) == 0 && status.stx_mask & STATX_BTIME
               ? status.stx_btime.tv_sec
               : 0;
}

static void add(struct store_items *list, const char *kind, const char *id, int64_t made, const struct stat *status,
                uint64_t bytes) {
    if ((list->count & (list->count - 1)) == 0)
        list->items = memory_resize(list->items, list->count ? list->count * 2 : 1, sizeof(*list->items));
    list->items[list->count++] = (struct store_item){.kind = kind ? text_copy(kind) : NULL,
                                                     .id = text_copy(id),
                                                     .used = status->st_mtim.tv_sec,
                                                     .made = made,
                                                     .bytes = bytes};
}

void store_items_release(struct store_items *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].kind);
        free(list->items[i].id);
    }
    free(list->items);
    *list = (struct store_items){0};
}

static uint64_t disk_bytes(const struct stat *status) {
    return (uint64_t)status->st_blocks * 512;
}

/* What cannot be read is not counted. A file with several names counts once in each directory tree, as du does only
 * over all: layers have few. */
static uint64_t measure(int parent, const char *name, unsigned depth) {
    struct stat status;
    if (depth > DEPTH_LIMIT || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    uint64_t bytes = disk_bytes(&status) / (S_ISDIR(status.st_mode) || status.st_nlink == 0 ? 1 : status.st_nlink);
    if (!S_ISDIR(status.st_mode))
        return bytes;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return bytes;
    }
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            bytes += measure(dirfd(directory), entry->d_name, depth + 1);
    closedir(directory);
    return bytes;
}

/* The entries of one folder of the store; `deep`: directories with all that is in them. */
static int list_folder(struct store *store, const char *folder, const char *kind, bool deep, struct store_items *list,
                       struct error *error) {
    AUTO_FREE char *path = path_join(store->path, folder);
    AUTO_LIST struct text_list names = {0};
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || directory_list(path, &names, error) < 0)
        return fd < 0 ? error_set_errno(error, errno, "cannot read %s", path) : -1;
    for (size_t i = 0; i < names.count; i++) {
        struct stat status;
        if (fstatat(fd, names.items[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
            add(list, kind, names.items[i], made_at(fd, names.items[i]), &status,
                deep ? measure(fd, names.items[i], 0) : disk_bytes(&status));
    }
    return 0;
}

int store_list_names(struct store *store, struct store_items *list, struct error *error) {
    AUTO_FREE char *path = path_join(store->path, "names");
    AUTO_LIST struct text_list kinds = {0};
    if (directory_list(path, &kinds, error) < 0)
        return -1;
    for (size_t i = 0; i < kinds.count; i++) {
        AUTO_FREE char *folder = path_join("names", kinds.items[i]);
        if (list_folder(store, folder, kinds.items[i], false, list, error) < 0)
            return -1;
    }
    return 0;
}

static void add_object(struct store_objects *list, int shard, const char *prefix, const char *name) {
    struct store_object object;
    struct stat status;
    AUTO_FREE char *hex = text_format("%s%s", prefix, name);
    if (digest_parse_hex(hex, &object.digest, NULL) < 0 || fstatat(shard, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    object.used = status.st_mtim.tv_sec;
    object.bytes = disk_bytes(&status);
    if ((list->count & (list->count - 1)) == 0)
        list->items = memory_resize(list->items, list->count ? list->count * 2 : 1, sizeof(*list->items));
    list->items[list->count++] = object;
}

int store_list_objects(struct store *store, struct store_objects *list, struct error *error) {
    for (unsigned shard = 0; shard < 256; shard++) {
        char prefix[3];
        snprintf(prefix, sizeof(prefix), "%02x", shard);
        AUTO_FREE char *folder = text_format("%s/objects/%s", store->path, prefix);
        AUTO_LIST struct text_list names = {0};
        AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || directory_list(folder, &names, error) < 0)
            return fd < 0 ? error_set_errno(error, errno, "cannot read %s", folder) : -1;
        for (size_t i = 0; i < names.count; i++)
            add_object(list, fd, prefix, names.items[i]);
    }
    return 0;
}

int store_list_trees(struct store *store, struct store_items *list, struct error *error) {
    return list_folder(store, "trees", NULL, true, list, error);
}

int store_list_mounts(struct store *store, struct store_items *list, struct error *error) {
    return list_folder(store, "mounts", NULL, true, list, error);
}

int store_list_quarantine(struct store *store, struct store_items *list, struct error *error) {
    return list_folder(store, "quarantine", NULL, true, list, error);
}

uint64_t store_available(const struct store *store) {
    struct statvfs status;
    uint64_t bytes;
    if (fstatvfs(store->root_fd, &status) < 0 || __builtin_mul_overflow(status.f_bavail, status.f_frsize, &bytes))
        return UINT64_MAX;
    return bytes;
}

uint64_t store_items_bytes(const struct store_items *list) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += list->items[i].bytes;
    return bytes;
}

int store_usage(struct store *store, struct store_usage *usage, struct error *error) {
    AUTO_ITEMS struct store_items names = {0};
    struct store_objects objects = {0};
    AUTO_ITEMS struct store_items trees = {0};
    AUTO_ITEMS struct store_items mounts = {0};
    if (store_list_names(store, &names, error) < 0 || store_list_objects(store, &objects, error) < 0 ||
        store_list_trees(store, &trees, error) < 0 || store_list_mounts(store, &mounts, error) < 0) {
        free(objects.items);
        return -1;
    }
    uint64_t object_bytes = 0;
    for (size_t i = 0; i < objects.count; i++)
        object_bytes += objects.items[i].bytes;
    free(objects.items);
    *usage = (struct store_usage){.objects = objects.count,
                                  .object_bytes = object_bytes,
                                  .names = names.count,
                                  .trees = trees.count,
                                  .tree_bytes = store_items_bytes(&trees),
                                  .mounts = mounts.count,
                                  .mount_bytes = store_items_bytes(&mounts)};
    return 0;
}
