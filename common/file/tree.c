/* Listing and removing directories (declared in file.h). */
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
