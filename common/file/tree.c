/* Directories with all below: listing, removing, making durable (declared in file.h). */
#include "common/base/text.h"
#include "common/file/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

static void cleanup_directory(DIR **directory) {
    if (*directory)
        closedir(*directory);
}

int directory_list(const char *path, struct text_list *names, struct error *error) {
    AUTO(cleanup_directory) DIR *directory = opendir(path);
    if (!directory)
        return error_set_errno(error, errno, "cannot read the directory %s", path);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(directory)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            text_list_add(names, entry->d_name);
    if (errno)
        return error_set_errno(error, errno, "cannot read the directory %s", path);
    text_list_sort(names);
    return 0;
}

/* ---- removing ---- */

/* A directory on the way down, to be found again on the way up: one is open at a time, however deep they lie. */
struct above {
    char *name; /* of the directory below it */
    dev_t device;
    ino_t inode;
};

struct removal {
    DIR *at;
    struct above *above;
    size_t depth, capacity;
    dev_t device;
};

static int open_removable(int parent, const char *name, dev_t device, struct error *error) {
    AUTO_CLOSE int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set_errno(error, errno, "cannot remove %s", name);
    if (status.st_dev != device)
        return error_set(error, ERROR_TEMPORARY, "cannot remove %s: something is mounted there", name);
    /* Children can only be unlinked from a directory that its owner may write. */
    if ((status.st_mode & 0700) != 0700)
        (void)!fchmod(fd, 0700);
    return take_fd(&fd);
}

static int enter(struct removal *removal, int fd, const char *name, struct error *error) {
    DIR *directory = fdopendir(fd);
    if (!directory) {
        error_set_errno(error, errno, "cannot remove %s", name);
        close(fd);
        return -1;
    }
    if (removal->at)
        closedir(removal->at);
    removal->at = directory;
    return 0;
}

static int go_down(struct removal *removal, const char *name, struct error *error) {
    struct stat status;
    int fd = open_removable(dirfd(removal->at), name, removal->device, error);
    if (fd < 0)
        return -1;
    if (fstat(dirfd(removal->at), &status) < 0) {
        close(fd);
        return error_set_errno(error, errno, "cannot remove %s", name);
    }
    if (removal->depth == removal->capacity) {
        removal->capacity = removal->capacity ? removal->capacity * 2 : 16;
        removal->above = memory_resize(removal->above, removal->capacity, sizeof(*removal->above));
    }
    removal->above[removal->depth++] = (struct above){text_copy(name), status.st_dev, status.st_ino};
    return enter(removal, fd, name, error);
}

/* Out of an empty directory, which is removed. Nobody may have moved it meanwhile. */
static int go_up(struct removal *removal, struct error *error) {
    struct above *above = &removal->above[--removal->depth];
    AUTO_FREE char *name = above->name;
    struct stat status;
    int fd = openat(dirfd(removal->at), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_dev != above->device || status.st_ino != above->inode) {
        if (fd >= 0)
            close(fd);
        return error_set(error, ERROR_TEMPORARY, "cannot remove %s: it was moved meanwhile", name);
    }
    if (enter(removal, fd, name, error) < 0)
        return -1;
    if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove %s", name);
    return 0;
}

static int remove_children(struct removal *removal, struct error *error) {
    for (;;) {
        const struct dirent *entry = readdir(removal->at);
        if (!entry && removal->depth == 0)
            return 0;
        int result = 0;
        if (!entry)
            result = go_up(removal, error);
        else if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                 unlinkat(dirfd(removal->at), entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        else if (errno != EISDIR && errno != EPERM)
            result = error_set_errno(error, errno, "cannot remove %s", entry->d_name);
        else
            result = go_down(removal, entry->d_name, error);
        if (result < 0)
            return -1;
    }
}

static int remove_directory(const char *path, dev_t device, struct error *error) {
    struct removal removal = {.device = device};
    int fd = open_removable(AT_FDCWD, path, device, error);
    int result = fd < 0 || enter(&removal, fd, path, error) < 0 ? -1 : remove_children(&removal, error);
    while (removal.depth > 0)
        free(removal.above[--removal.depth].name);
    free(removal.above);
    cleanup_directory(&removal.at);
    if (result == 0 && rmdir(path) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove %s", path);
    return result;
}

int tree_remove(const char *path, struct error *error) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_set_errno(error, errno, "cannot remove %s", path);
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_set_errno(error, errno, "cannot remove %s", path);
    return remove_directory(path, status.st_dev, error);
}

/* ---- making durable ---- */

enum synced { SYNC_FAILED = -1, SYNC_UNCERTAIN, SYNC_DONE };

static enum synced sync_entry(int parent, const char *name, unsigned *left);

static enum synced sync_children(int fd, unsigned *left) {
    int listed = dup(fd);
    AUTO(cleanup_directory) DIR *directory = listed < 0 ? NULL : fdopendir(listed);
    if (!directory && listed >= 0)
        close(listed);
    if (!directory)
        return SYNC_UNCERTAIN;
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(directory)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        enum synced synced = sync_entry(fd, entry->d_name, left);
        if (synced != SYNC_DONE)
            return synced;
    }
    return errno ? SYNC_UNCERTAIN : SYNC_DONE;
}

/* Uncertain: there are too many, or what cannot be opened (a link, a device). */
static enum synced sync_entry(int parent, const char *name, unsigned *left) {
    struct stat status;
    if (*left == 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return SYNC_UNCERTAIN;
    (*left)--;
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return SYNC_UNCERTAIN;
    AUTO_CLOSE int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return SYNC_UNCERTAIN;
    enum synced below = S_ISDIR(status.st_mode) ? sync_children(fd, left) : SYNC_DONE;
    if (below != SYNC_DONE)
        return below;
    return fsync(fd) == 0 ? SYNC_DONE : SYNC_FAILED;
}

int tree_sync(const char *path, unsigned limit, struct error *error) {
    enum synced synced = sync_entry(AT_FDCWD, path, &limit);
    if (synced == SYNC_DONE)
        return 0;
    /* An fsync that failed says so once: a second try might succeed without anything having been written. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (synced == SYNC_FAILED || fd < 0 || syncfs(fd) < 0)
        return error_set_errno(error, errno, "cannot make %s durable", path);
    return 0;
}
