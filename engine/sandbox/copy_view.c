/* Containers where nothing may be mounted: the layers are copied into one directory, which becomes the root by
 * chroot(2). What the command changed is found by comparing, and moved to the upper directory in overlay form. Caches
 * are moved in and out; a whiteout is a character device 0:0 here too, which the kernel lets anybody make. */
#include "engine/sandbox/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
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
    const char *moved_from; /* a cache's own directory, moved into the root */
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

/* ---- copying ---- */

static int copy_content(const char *from, const char *to, const struct stat *status, struct error *error) {
    char block[64 * 1024];
    AUTO_CLOSE int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        return error_set_errno(error, errno, "cannot copy %s", from);
    if (status->st_size > 0 && ioctl(out, FICLONE, in) == 0)
        return 0;
    for (ssize_t got; (got = read(in, block, sizeof(block))) != 0;)
        if (got < 0 || fd_write_all(out, block, (size_t)got, error) < 0)
            return got < 0 ? error_set_errno(error, errno, "cannot copy %s", from) : -1;
    return 0;
}

static int copy_metadata(const char *from, const char *to, const struct stat *status, struct error *error) {
    char value[4096];
    ssize_t length = lgetxattr(from, "security.capability", value, sizeof(value));
    (void)!lchown(to, status->st_uid, status->st_gid);
    if (length > 0)
        (void)!lsetxattr(to, "security.capability", value, (size_t)length, 0);
    if (!S_ISLNK(status->st_mode) && chmod(to, status->st_mode & 07777) < 0)
        return error_set_errno(error, errno, "cannot set the mode of %s", to);
    const struct timespec times[2] = {status->st_mtim, status->st_mtim};
    if (!S_ISDIR(status->st_mode))
        (void)!utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
    return 0;
}

static bool is_opaque(const char *path) {
    char value[4];
    return (lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y') ||
           (lgetxattr(path, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y');
}

static int copy_directory(const char *from, const char *to, struct error *error);

static int copy_item(const char *from, const char *to, struct error *error) {
    struct stat status, there;
    char target[PATH_MAX];
    if (lstat(from, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", from);
    bool exists = lstat(to, &there) == 0;
    if (exists && !(S_ISDIR(there.st_mode) && S_ISDIR(status.st_mode)) && tree_remove(to, error) < 0)
        return -1;
    if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0))
        return 0;
    int result = 0;
    if (S_ISDIR(status.st_mode)) {
        if (exists && S_ISDIR(there.st_mode) && is_opaque(from) && tree_remove(to, error) < 0)
            return -1;
        if (mkdir(to, 0700) < 0 && errno != EEXIST)
            return error_set_errno(error, errno, "cannot make %s", to);
        result = copy_directory(from, to, error);
    } else if (S_ISREG(status.st_mode)) {
        result = copy_content(from, to, &status, error);
    } else if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(from, target, sizeof(target) - 1);
        if (length < 0)
            return error_set_errno(error, errno, "cannot read %s", from);
        target[length] = '\0';
        result = symlink(target, to) < 0 ? error_set_errno(error, errno, "cannot make %s", to) : 0;
    } else if (mknod(to, status.st_mode, status.st_rdev) < 0) {
        return 0; /* devices of an image are of no use here */
    }
    return result < 0 ? -1 : copy_metadata(from, to, &status, error);
}

static int copy_directory(const char *from, const char *to, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(from, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *source = path_join(from, names.items[i]), *target = path_join(to, names.items[i]);
        if (copy_item(source, target, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- what takes the place of mounts ---- */

static int give_file(struct copy_view *view, const char *source, const char *target, struct error *error) {
    struct given *given = &view->given[view->given_count];
    struct stat status;
    if (stat(source, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", source);
    if (view->given_count == MOUNT_POINT_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d mounts", MOUNT_POINT_LIMIT);
    *given = (struct given){0};
    if (rootfs_place(view->root_fd, target, S_ISDIR(status.st_mode), &given->point, error) < 0)
        return -1;
    view->given_count++;
    AUTO_FREE char *place = path_join(view->root, given->point.path + 1);
    if (S_ISDIR(status.st_mode))
        return copy_directory(source, place, error);
    /* Over a file of the image nothing is put: without mounts it could not be kept out of the layer. */
    if (!given->point.created)
        return 0;
    return unlink(place) < 0 || copy_content(source, place, &status, error) < 0
               ? -1
               : copy_metadata(source, place, &status, error);
}

/* A cache is on the same file system as the root: it changes places with an empty directory. */
static int give_cache(struct copy_view *view, const struct sandbox_mount *mount, struct error *error) {
    struct given *given = &view->given[view->given_count];
    if (view->given_count == MOUNT_POINT_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d mounts", MOUNT_POINT_LIMIT);
    *given = (struct given){0};
    if (rootfs_place(view->root_fd, mount->target, true, &given->point, error) < 0)
        return -1;
    view->given_count++;
    AUTO_FREE char *place = path_join(view->root, given->point.path + 1);
    if (renameat2(AT_FDCWD, mount->source, AT_FDCWD, place, RENAME_EXCHANGE) < 0)
        return error_set_errno(error, errno, "cannot move the cache %s into the container", mount->target);
    given->moved_from = mount->source;
    return 0;
}

static int give_mounts(struct copy_view *view, struct error *error) {
    for (size_t i = 0; i < view->sandbox->mount_count; i++) {
        const struct sandbox_mount *mount = &view->sandbox->mounts[i];
        if (mount->type == SANDBOX_TMPFS)
            continue;
        int result = mount->writable && directory_exists(mount->source)
                         ? give_cache(view, mount, error)
                         : give_file(view, mount->source, mount->target, error);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int give_devices(struct copy_view *view) {
    static const struct {
        const char *name;
        unsigned major, minor;
    } devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"random", 1, 8}, {"urandom", 1, 9}};
    AUTO_FREE char *folder = path_join(view->root, "dev");
    mkdir(folder, 0755);
    for (size_t i = 0; i < ARRAY_LENGTH(devices); i++) {
        AUTO_FREE char *path = path_join(folder, devices[i].name);
        if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) == 0)
            (void)!chmod(path, 0666);
    }
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

/* Caches go back, everything that was only lent is removed. */
static int take_back(struct copy_view *view, struct error *error) {
    int result = 0;
    for (size_t i = view->given_count; i-- > 0;) {
        struct given *given = &view->given[i];
        AUTO_FREE char *place = path_join(view->root, given->point.path + 1);
        if (given->moved_from && renameat2(AT_FDCWD, place, AT_FDCWD, given->moved_from, RENAME_EXCHANGE) < 0)
            result = error_set_errno(error, errno, "cannot move a cache back");
        if (!given->moved_from && given->point.created) {
            tree_remove(place, NULL);
            given->point.directory ? mkdir(place, 0755) : mknod(place, S_IFREG | 0600, 0);
        }
        rootfs_forget(view->root, &given->point);
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
    if ((host->ca_bundle && give_file(view, host->ca_bundle, HOST_CA_PATH, error) < 0) ||
        (file_exists("/etc/resolv.conf") && give_file(view, "/etc/resolv.conf", "/etc/resolv.conf", error) < 0) ||
        (file_exists("/etc/hosts") && give_file(view, "/etc/hosts", "/etc/hosts", error) < 0))
        return -1;
    return give_mounts(view, error);
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
