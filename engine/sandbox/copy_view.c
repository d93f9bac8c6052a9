/* Containers where nothing may be mounted: the layers are copied into one directory, which becomes the root by
 * chroot(2). What the command changed is found by comparing, and moved to the upper directory in overlay form. What
 * would be mounted is moved in and out; a whiteout is a character device 0:0 here too, which the kernel lets anybody
 * make. */
#include "engine/sandbox/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { ENTRY_LIMIT = 5000000 };

/* A file as it was before the command ran. */
struct before {
    char *path;
    struct stat status;
};

struct given {
    struct mount_point point;
    char *source; /* what was lent came from here, where the image's own file waits; NULL: not lent yet */
};

struct copy_view {
    const struct sandbox *sandbox;
    char *root;
    int root_fd;
    struct before *before;
    size_t count, capacity;
    struct given given[MOUNT_POINT_LIMIT];
    size_t given_count;
};

/* ---- what takes the place of mounts ---- */

/* What is lent changes places with what the image has there, and back in the end: so nothing of it can get into the
 * layer, and nothing of the image is lost. Both are on one file system. */
static int lend(struct copy_view *view, const char *source, const char *target, bool directory, struct error *error) {
    struct given *given = &view->given[view->given_count];
    if (view->given_count == MOUNT_POINT_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d mounts", MOUNT_POINT_LIMIT);
    *given = (struct given){0};
    if (rootfs_place(view->root_fd, target, directory, &given->point, error) < 0)
        return -1;
    view->given_count++;
    AUTO_FREE char *place = path_join(view->root, given->point.path + 1);
    if (renameat2(AT_FDCWD, source, AT_FDCWD, place, RENAME_EXCHANGE) < 0)
        return error_set_errno(error, errno, "cannot put %s into the container", target);
    given->source = text_copy(source);
    return 0;
}

/* Where a copy or a new file waits to be lent. */
static char *new_place(struct copy_view *view) {
    return text_format("%s/lent-%zu", view->sandbox->scratch, view->given_count);
}

static int lend_copy(struct copy_view *view, const char *source, const char *target, struct error *error) {
    AUTO_FREE char *copy = new_place(view);
    struct stat status;
    if (stat(source, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", source);
    bool directory = S_ISDIR(status.st_mode);
    int result = !directory              ? copy_content(source, copy, &status, error)
                 : mkdir(copy, 0700) < 0 ? error_set_errno(error, errno, "cannot make %s", copy)
                                         : copy_directory(source, copy, error);
    if (result < 0 || copy_metadata(source, copy, &status, error) < 0)
        return -1;
    return lend(view, copy, target, directory, error);
}

static int lend_new_directory(struct copy_view *view, const char *target, struct error *error) {
    AUTO_FREE char *place = new_place(view);
    if (mkdir(place, 0700) < 0 || chmod(place, 01777) < 0)
        return error_set_errno(error, errno, "cannot make %s", place);
    return lend(view, place, target, true, error);
}

static int lend_secret(struct copy_view *view, const struct sandbox_mount *mount, struct error *error) {
    AUTO_FREE char *place = new_place(view);
    if (secret_write(place, mount, error) < 0)
        return -1;
    return lend(view, place, mount->target, false, error);
}

static int lend_mount(struct copy_view *view, const struct sandbox_mount *mount, struct error *error) {
    if (mount->type == SANDBOX_TMPFS)
        return lend_new_directory(view, mount->target, error);
    if (mount->type == SANDBOX_SECRET)
        return lend_secret(view, mount, error);
    /* What is written into a cache or into results is kept, so it is lent itself. */
    if (mount->writable && directory_exists(mount->source))
        return lend(view, mount->source, mount->target, true, error);
    return lend_copy(view, mount->source, mount->target, error);
}

static int lend_mounts(struct copy_view *view, struct error *error) {
    for (size_t i = 0; i < view->sandbox->mount_count; i++)
        if (lend_mount(view, &view->sandbox->mounts[i], error) < 0)
            return -1;
    return 0;
}

static int give_devices(struct copy_view *view) {
    static const struct {
        const char *name;
        unsigned major, minor;
    } devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
    AUTO_FREE char *folder = path_join(view->root, "dev");
    mkdir(folder, 0755);
    for (size_t i = 0; i < ARRAY_LENGTH(devices); i++) {
        AUTO_FREE char *path = path_join(folder, devices[i].name);
        if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) == 0)
            (void)!chmod(path, 0666);
    }
    AUTO_FREE char *shared = path_join(folder, "shm");
    if (mkdir(shared, 0700) == 0)
        (void)!chmod(shared, 01777);
    return 0;
}

/* ---- remembering and comparing ---- */

static int remember(struct copy_view *view, const char *folder, const char *prefix, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *full = path_join(folder, names.items[i]);
        struct before before = {.path = *prefix ? path_join(prefix, names.items[i]) : text_copy(names.items[i])};
        if (view->count == view->capacity) {
            view->capacity = view->capacity ? view->capacity * 2 : 1024;
            view->before = memory_resize(view->before, view->capacity, sizeof(*view->before));
        }
        view->before[view->count++] = before;
        if (lstat(full, &view->before[view->count - 1].status) < 0 || view->count > ENTRY_LIMIT)
            return error_set_errno(error, errno, "cannot read %s", full);
        if (S_ISDIR(view->before[view->count - 1].status.st_mode) && remember(view, full, before.path, error) < 0)
            return -1;
    }
    return 0;
}

static int compare_before(const void *left, const void *right) {
    return strcmp(((const struct before *)left)->path, ((const struct before *)right)->path);
}

static struct before *find_before(struct copy_view *view, const char *path) {
    struct before wanted = {.path = (char *)path};
    return view->count ? bsearch(&wanted, view->before, view->count, sizeof(wanted), compare_before) : NULL;
}

static bool is_unchanged(const struct stat *was, const struct stat *is) {
    bool same = was->st_mode == is->st_mode && was->st_uid == is->st_uid && was->st_gid == is->st_gid &&
                was->st_rdev == is->st_rdev && was->st_ino == is->st_ino;
    if (S_ISDIR(is->st_mode))
        return same;
    return same && was->st_size == is->st_size && was->st_mtim.tv_sec == is->st_mtim.tv_sec &&
           was->st_mtim.tv_nsec == is->st_mtim.tv_nsec && was->st_ctim.tv_sec == is->st_ctim.tv_sec &&
           was->st_ctim.tv_nsec == is->st_ctim.tv_nsec;
}

/* Makes the directories above `path` in the upper directory, with the metadata that they have in the root. */
static int make_parents(struct copy_view *view, const char *path, struct error *error) {
    for (const char *at = path; (at = strchr(at, '/')); at++) {
        AUTO_FREE char *part = text_copy_length(path, (size_t)(at - path));
        AUTO_FREE char *from = path_join(view->root, part), *to = path_join(view->sandbox->upper, part);
        struct stat status;
        if (mkdir(to, 0700) < 0) {
            if (errno == EEXIST)
                continue;
            return error_set_errno(error, errno, "cannot make %s", to);
        }
        if (lstat(from, &status) == 0 && copy_metadata(from, to, &status, error) < 0)
            return -1;
    }
    return 0;
}

static int take_change(struct copy_view *view, const char *path, bool is_directory, struct error *error) {
    AUTO_FREE char *from = path_join(view->root, path), *to = path_join(view->sandbox->upper, path);
    struct stat status;
    if (make_parents(view, path, error) < 0 || lstat(from, &status) < 0)
        return -1;
    if (!is_directory)
        return rename(from, to) < 0 ? error_set_errno(error, errno, "cannot take %s", path) : 0;
    if (mkdir(to, 0700) < 0 && errno != EEXIST)
        return error_set_errno(error, errno, "cannot make %s", to);
    return copy_metadata(from, to, &status, error);
}

static int take_changes(struct copy_view *view, const char *folder, const char *prefix, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *full = path_join(folder, names.items[i]);
        AUTO_FREE char *path = *prefix ? path_join(prefix, names.items[i]) : text_copy(names.items[i]);
        struct before *before = find_before(view, path);
        struct stat status;
        if (lstat(full, &status) < 0)
            return error_set_errno(error, errno, "cannot read %s", full);
        bool is_directory = S_ISDIR(status.st_mode);
        if ((!before || !is_unchanged(&before->status, &status)) && take_change(view, path, is_directory, error) < 0)
            return -1;
        if (before)
            before->status.st_nlink = 0; /* seen */
        if (is_directory && take_changes(view, full, path, error) < 0)
            return -1;
    }
    return 0;
}

/* What was there and is no more becomes a whiteout, unless the directory above is gone too. */
static int take_removals(struct copy_view *view, struct error *error) {
    for (size_t i = 0; i < view->count; i++) {
        const struct before *before = &view->before[i];
        AUTO_FREE char *above = text_copy(before->path), *to = path_join(view->sandbox->upper, before->path);
        char *slash = strrchr(above, '/');
        if (slash)
            *slash = '\0';
        struct before *parent = slash ? find_before(view, above) : NULL;
        if (before->status.st_nlink == 0 || (parent && parent->status.st_nlink != 0))
            continue;
        if (make_parents(view, before->path, error) < 0)
            return -1;
        if (mknod(to, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
            return error_set_errno(error, errno, "cannot note that %s was removed", before->path);
    }
    return 0;
}

/* Renaming changed a file's times, and not by the command. */
static void refresh_before(struct copy_view *view, const char *place, const char *path) {
    struct before *before = find_before(view, path);
    struct stat status;
    if (before && before->status.st_ino != 0 && lstat(place, &status) == 0 && status.st_ino == before->status.st_ino)
        before->status = status;
}

static int take_back_one(struct copy_view *view, const struct given *given, struct error *error) {
    AUTO_FREE char *place = path_join(view->root, given->point.path + 1);
    if (!given->source)
        return 0;
    /* The command may have moved it away or removed it, where a mount would have been busy. */
    if (renameat2(AT_FDCWD, place, AT_FDCWD, given->source, RENAME_EXCHANGE) < 0 &&
        (errno != ENOENT || (rename(given->source, place) < 0 && errno != ENOENT)))
        return error_set_errno(error, errno, "cannot take %s back out of the container", given->point.path);
    refresh_before(view, place, given->point.path + 1);
    return 0;
}

/* What was lent goes back. */
static int take_back(struct copy_view *view, struct error *error) {
    int result = 0;
    for (size_t i = view->given_count; i-- > 0;) {
        if (take_back_one(view, &view->given[i], error) < 0)
            result = -1;
        rootfs_forget(view->root, &view->given[i].point);
    }
    AUTO_FREE char *dev = path_join(view->root, "dev");
    AUTO_LIST struct text_list names = {0};
    if (directory_list(dev, &names, NULL) == 0)
        for (size_t i = 0; i < names.count; i++) {
            AUTO_FREE char *path = path_join(dev, names.items[i]);
            AUTO_FREE char *inside = path_join("dev", names.items[i]);
            if (!find_before(view, inside))
                tree_remove(path, NULL);
        }
    if (!find_before(view, "dev"))
        rmdir(dev);
    return result;
}

/* ---- the view ---- */

static void release(struct copy_view *view) {
    for (size_t i = 0; i < view->count; i++)
        free(view->before[i].path);
    for (size_t i = 0; i < view->given_count; i++) {
        free(view->given[i].point.path);
        free(view->given[i].point.created);
        free(view->given[i].source);
    }
    if (view->root_fd >= 0)
        close(view->root_fd);
    tree_remove(view->root, NULL);
    free(view->before);
    free(view->root);
    free(view);
}

static int fill(struct copy_view *view, const struct host_settings *host, struct error *error) {
    if (mkdir(view->root, 0755) < 0 || chmod(view->root, 0755) < 0)
        return error_set_errno(error, errno, "cannot make %s", view->root);
    for (size_t i = view->sandbox->lower_count; i-- > 0;)
        if (copy_directory(view->sandbox->lowers[i], view->root, error) < 0)
            return -1;
    view->root_fd = open(view->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (view->root_fd < 0)
        return error_set_errno(error, errno, "cannot open %s", view->root);
    if (remember(view, view->root, "", error) < 0)
        return -1;
    if (view->count)
        qsort(view->before, view->count, sizeof(*view->before), compare_before);
    give_devices(view);
    if ((host->ca_bundle && lend_copy(view, host->ca_bundle, HOST_CA_PATH, error) < 0) ||
        (file_exists("/etc/resolv.conf") && lend_copy(view, "/etc/resolv.conf", "/etc/resolv.conf", error) < 0) ||
        (file_exists("/etc/hosts") && lend_copy(view, "/etc/hosts", "/etc/hosts", error) < 0))
        return -1;
    return lend_mounts(view, error);
}

struct copy_view *copy_view_make(const struct sandbox *sandbox, const struct host_settings *host, struct error *error) {
    struct copy_view *view = memory_allocate(1, sizeof(*view));
    view->sandbox = sandbox;
    view->root = path_join(sandbox->scratch, "root");
    view->root_fd = -1;
    if (fill(view, host, error) == 0)
        return view;
    take_back(view, NULL);
    release(view);
    return NULL;
}

const char *copy_view_root(const struct copy_view *view) {
    return view->root;
}

int copy_view_finish(struct copy_view **pointer, struct error *error) {
    struct copy_view *view = *pointer;
    *pointer = NULL;
    int result = take_back(view, error);
    if (result == 0)
        result = take_changes(view, view->root, "", error);
    if (result == 0)
        result = take_removals(view, error);
    release(view);
    return result;
}
