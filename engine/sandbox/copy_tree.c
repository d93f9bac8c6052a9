/* Copying what layers hold, owners, capabilities and whiteouts included. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

int copy_content(const char *from, const char *to, const struct stat *status, struct error *error) {
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

int copy_metadata(const char *from, const char *to, const struct stat *status, struct error *error) {
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

int copy_directory(const char *from, const char *to, struct error *error) {
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
