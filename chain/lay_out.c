#include "chain/lay_out.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { BLOCK = 64 * 1024, NAME_LENGTH = 40 };

/* The directory of an entry, kept open for those that follow. */
struct folder {
    int root, fd;
    char *path; /* NULL: none is open */
};

static void folder_release(struct folder *folder) {
    if (folder->path && folder->fd >= 0)
        close(folder->fd);
    free(folder->path);
}

static int open_below(int root, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

static int enter(struct folder *folder, const char *path, struct error *error) {
    size_t length = (size_t)(path_base(path) - path);
    AUTO_FREE char *above = text_copy_length(path, length > 0 ? length - 1 : 0);
    if (folder->path && text_equal(folder->path, above))
        return 0;
    int fd = open_below(folder->root, above);
    if (fd < 0 && (errno == ELOOP || errno == EXDEV || errno == ENOTDIR)) {
        error_set(error, ERROR_DATA, "%s leads through a link or something that is no directory", path);
        return error_next(error, "remove it there, or export without --merge");
    }
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the directory of %s", path);
    folder_release(folder);
    folder->fd = fd;
    folder->path = take_pointer(&above);
    return 0;
}

/* ---- one entry ---- */

static int copy_content(struct engine *engine, const struct tree_entry *file, int to, struct error *error) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    AUTO_CLOSE int from = store_open_object(engine->store, &file->digest, NULL, error);
    if (from < 0)
        return -1;
    for (ssize_t got; (got = read(from, block, BLOCK)) != 0;) {
        if (got < 0)
            return error_set_errno(error, errno, "cannot read from the store");
        hasher_add(hasher, block, (size_t)got);
        if (fd_write_all(to, block, (size_t)got, error) < 0)
            return error_wrap(error, "%s", file->path);
    }
    struct digest found = hasher_finish(hasher);
    if (digest_equal(&found, &file->digest))
        return 0;
    error_set(error, ERROR_DATA, "%s in the store is not what its digest says", file->path);
    return error_next(error, "run: pl-cache verify");
}

static int finish_file(const struct tree_entry *file, int fd, int64_t epoch, struct error *error) {
    const struct timespec times[2] = {{.tv_sec = epoch}, {.tv_sec = epoch}};
    if (fchmod(fd, tree_entry_mode(file) & 0777) < 0 || (epoch != 0 && futimens(fd, times) < 0))
        return error_set_errno(error, errno, "cannot write %s", file->path);
    return 0;
}

/* Another name first: what is there is whole at every moment, and a link there is not followed. */
int lay_out_file(struct engine *engine, const struct tree_entry *file, int folder, const char *name, int64_t epoch,
                 struct error *error) {
    char temporary[NAME_LENGTH];
    snprintf(temporary, sizeof(temporary), ".pl-export-%ld", (long)getpid());
    AUTO_CLOSE int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write %s", file->path);
    int result = copy_content(engine, file, fd, error);
    if (result == 0)
        result = finish_file(file, fd, epoch, error);
    if (result == 0 && renameat(folder, temporary, folder, name) < 0)
        result = error_set_errno(error, errno, "cannot write %s", file->path);
    if (result < 0)
        unlinkat(folder, temporary, 0);
    return result;
}

static int lay_out_link(const struct tree_entry *entry, int folder, const char *name, struct error *error) {
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode))
        unlinkat(folder, name, 0);
    return symlinkat(entry->target, folder, name) < 0 ? error_set_errno(error, errno, "cannot write %s", entry->path)
                                                      : 0;
}

static int lay_out_directory(const struct tree_entry *entry, int folder, const char *name, struct error *error) {
    struct stat status;
    if (mkdirat(folder, name, 0755) == 0)
        return 0;
    if (errno == EEXIST && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
        return 0;
    if (errno == EEXIST || errno == 0) {
        error_set(error, ERROR_DATA, "%s is there, and is no directory", entry->path);
        return error_next(error, "remove it there, or export without --merge");
    }
    return error_set_errno(error, errno, "cannot write %s", entry->path);
}

static int lay_out_entry(struct engine *engine, const struct tree_entry *entry, struct folder *folder, int64_t epoch,
                         struct error *error) {
    const char *name = path_base(entry->path);
    if (!path_is_below(entry->path))
        return error_set(error, ERROR_DATA, "the entry %s leaves the directory", entry->path);
    if (enter(folder, entry->path, error) < 0)
        return -1;
    if (entry->type == 'd')
        return lay_out_directory(entry, folder->fd, name, error);
    if (entry->type == 'l')
        return lay_out_link(entry, folder->fd, name, error);
    return lay_out_file(engine, entry, folder->fd, name, epoch, error);
}

/* Modes of directories come last: one that nobody may write to is complete by then. */
static int set_modes(const struct tree *tree, int root, struct error *error) {
    for (size_t i = tree->count; i-- > 0;) {
        const struct tree_entry *entry = &tree->entries[i];
        if (entry->type != 'd' || !entry->has_owner)
            continue;
        AUTO_CLOSE int fd = open_below(root, entry->path);
        if (fd < 0 || fchmod(fd, tree_entry_mode(entry) & 01777) < 0)
            return error_set_errno(error, errno, "cannot write %s", entry->path);
    }
    return 0;
}

int lay_out(struct engine *engine, const struct tree *tree, int root, int64_t epoch, struct error *error) {
    struct folder folder = {.root = root, .fd = -1};
    int result = 0;
    for (size_t i = 0; result == 0 && i < tree->count; i++)
        result = progress_cancelled(engine->progress) ? error_set(error, ERROR_CANCELLED, "cancelled")
                                                      : lay_out_entry(engine, &tree->entries[i], &folder, epoch, error);
    folder_release(&folder);
    return result < 0 ? -1 : set_modes(tree, root, error);
}
