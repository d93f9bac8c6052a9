/* Directories with all below: listing, removing, making durable (declared in file.h). */
#include "common/base/text.h"
#include "common/file/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

/* Deeper trees are refused rather than allowed to exhaust descriptors. */
enum { DEPTH_LIMIT = 1000 };

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

static int remove_entry(int parent, const char *name, dev_t device, int depth, struct error *error);

static int remove_children(int fd, const char *name, dev_t device, int depth, struct error *error) {
    AUTO(cleanup_directory) DIR *directory = fdopendir(fd);
    if (!directory) {
        error_set_errno(error, errno, "cannot remove %s", name);
        close(fd);
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            remove_entry(dirfd(directory), entry->d_name, device, depth + 1, error) < 0)
            return -1;
    return 0;
}

static int remove_directory(int parent, const char *name, dev_t device, int depth, struct error *error) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot remove %s", name);
    struct stat status;
    if (fstat(fd, &status) < 0 || status.st_dev != device) {
        close(fd);
        return error_set(error, ERROR_TEMPORARY, "cannot remove %s: something is mounted there", name);
    }
    /* Children can only be unlinked from a directory that its owner may write. */
    if ((status.st_mode & 0700) != 0700)
        (void)!fchmod(fd, 0700);
    if (remove_children(fd, name, device, depth, error) < 0)
        return -1;
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove %s", name);
    return 0;
}

static int remove_entry(int parent, const char *name, dev_t device, int depth, struct error *error) {
    if (depth > DEPTH_LIMIT)
        return error_set(error, ERROR_DATA, "cannot remove %s: nested deeper than %d", name, DEPTH_LIMIT);
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_set_errno(error, errno, "cannot remove %s", name);
    return remove_directory(parent, name, device, depth, error);
}

int tree_remove(const char *path, struct error *error) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_set_errno(error, errno, "cannot remove %s", path);
    return remove_entry(AT_FDCWD, path, status.st_dev, 0, error);
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
