/* Waiting for other processes: locks by name, and the cache mounts that have one each. */
#include "common/file/file.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

enum { POLL_MILLISECONDS = 20 };

/* The first 64 bits of the digest tell a handful of names apart. */
static void short_name(const char *text, char name[17]) {
    struct digest digest = digest_of(text, strlen(text));
    snprintf(name, 17, "%.16s", digest_format_hex(&digest).text);
}

static int open_lock(struct store *store, const char *name) {
    char hex[17], path[32];
    short_name(name, hex);
    snprintf(path, sizeof(path), "locks/%s", hex);
    int fd = openat(store->root_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOENT && mkdirat(store->root_fd, "locks", 0700) == 0)
        fd = openat(store->root_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd;
}

/* Asks again and again instead of sleeping in the kernel: the wait must end when the reader of our output goes away. */
static int wait_for_lock(int fd, const char *doing, struct progress *progress, struct error *error) {
    int result = 0, step = progress_begin(progress, "wait for another process: %s", doing);
    while (result == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            result = error_set_errno(error, errno, "cannot wait for another process (%s)", doing);
        else if (progress_cancelled(progress))
            result = error_set(error, ERROR_CANCELLED, "stopped while it waited for another process (%s)", doing);
        else
            nanosleep(&(struct timespec){.tv_nsec = POLL_MILLISECONDS * 1000000}, NULL);
    }
    progress_end(progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_CANCELLED);
    return result;
}

int store_lock(struct store *store, const char *name, const char *doing, struct progress *progress, int *fd,
               struct error *error) {
    *fd = open_lock(store, name);
    if (*fd < 0)
        return error_set_errno(error, errno, "cannot write to the store %s", store->path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int result = errno == EWOULDBLOCK
                     ? wait_for_lock(*fd, doing, progress, error)
                     : error_set_errno(error, errno, "cannot lock a file of the store %s", store->path);
    if (result < 0) {
        close(*fd);
        *fd = -1;
    }
    return result;
}

char *store_mount_folder(const char *id) {
    char hex[17];
    short_name(id, hex);
    return text_copy(hex);
}

int store_mount_lock(struct store *store, const char *id, struct progress *progress, char **path, int *lock_fd,
                     struct error *error) {
    char hex[17];
    short_name(id, hex);
    AUTO_FREE char *name = text_format("mount %s", id), *doing = text_format("it uses the cache %s", id);
    *path = text_format("%s/mounts/%s", store->path, hex);
    if (store_lock(store, name, doing, progress, lock_fd, error) < 0)
        return -1;
    if (directory_make(*path, 0700, error) == 0) {
        file_keep(AT_FDCWD, *path);
        return 0;
    }
    close(*lock_fd);
    *lock_fd = -1;
    return -1;
}
