#include "common/file/file.h"

#include "common/base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int read_blocks(int fd, const char *path, char *block, size_t size, struct buffer *out, struct error *error) {
    for (;;) {
        ssize_t got = read(fd, block, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        if (got == 0)
            return buffer_check(out, path, error);
        buffer_append(out, block, (size_t)got);
        if (out->failed)
            return buffer_check(out, path, error);
    }
}

static int read_open_file(int fd, const char *path, struct buffer *out, struct error *error) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_DATA, "%s is not a regular file", path);
    char block[16 * 1024];
    int result = read_blocks(fd, path, block, sizeof(block), out, error);
    if (out->secret)
        memory_wipe(block, sizeof(block));
    return result;
}

int file_read(const char *path, struct buffer *out, bool *found, struct error *error) {
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (found)
        *found = fd >= 0;
    if (fd < 0 && found && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    return read_open_file(fd, path, out, error);
}

int fd_write_all(int fd, const void *data, size_t length, struct error *error) {
    const char *at = data;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_set_errno(error, errno, "cannot write");
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return text_copy(".");
    return slash == path ? text_copy("/") : text_copy_length(path, (size_t)(slash - path));
}

int directory_sync(const char *path, struct error *error) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(error, errno, "cannot make %s durable", path);
    return 0;
}

static int write_and_rename(int fd, const char *temporary, const char *path, const void *data, size_t length,
                            mode_t mode, bool durable, struct error *error) {
    if (fd_write_all(fd, data, length, error) < 0)
        return error_wrap(error, "%s", path);
    if (fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0) || rename(temporary, path) < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    return 0;
}

static int replace(const char *path, const void *data, size_t length, mode_t mode, bool durable, struct error *error) {
    AUTO_FREE char *temporary = text_format("%s.XXXXXX", path);
    AUTO_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    if (write_and_rename(fd, temporary, path, data, length, mode, durable, error) == 0)
        return 0;
    unlink(temporary);
    return -1;
}

int file_write_atomic(const char *path, const void *data, size_t length, mode_t mode, struct error *error) {
    if (replace(path, data, length, mode, true, error) < 0)
        return -1;
    AUTO_FREE char *parent = parent_of(path);
    return directory_sync(parent, error);
}

int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct error *error) {
    return replace(path, data, length, mode, false, error);
}

int directory_make(const char *path, mode_t mode, struct error *error) {
    if (mkdir(path, mode) == 0 || (errno == EEXIST && directory_exists(path)))
        return 0;
    if (errno != ENOENT)
        return error_set_errno(error, errno, "cannot make the directory %s", path);
    AUTO_FREE char *parent = parent_of(path);
    if (directory_make(parent, mode, error) < 0)
        return -1;
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return error_set_errno(error, errno, "cannot make the directory %s", path);
    return 0;
}

char *path_join(const char *left, const char *right) {
    size_t length = strlen(left);
    while (length > 1 && left[length - 1] == '/')
        length--;
    while (*right == '/')
        right++;
    size_t added = strlen(right);
    bool has_separator = added > 0 && !(length == 1 && left[0] == '/');
    char *joined = memory_allocate(length + has_separator + added + 1, 1);
    if (length)
        memcpy(joined, left, length);
    if (has_separator)
        joined[length] = '/';
    memcpy(joined + length + has_separator, right, added);
    return joined;
}

const char *path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_resolve(const char *path, struct error *error) {
    char *resolved = realpath(path, NULL);
    if (!resolved)
        error_set_errno(error, errno, "cannot open %s", path);
    return resolved;
}

bool path_is_below(const char *path) {
    if (*path == '/' || *path == '\0')
        return false;
    for (const char *part = path;; part++) {
        const char *end = strchrnul(part, '/');
        size_t length = (size_t)(end - part);
        if (length == 0 || length > NAME_MAX || (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (!*end)
            return true;
        part = end;
    }
}

void file_keep(int parent, const char *path) {
    enum { DAY = 24 * 60 * 60 };
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    struct stat status;
    if (fstatat(parent, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mtim.tv_sec + DAY < time(NULL))
        (void)!utimensat(parent, path, times, AT_SYMLINK_NOFOLLOW);
}

bool file_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool directory_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}
