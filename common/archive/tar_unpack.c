/* Tar, in: below one directory and nowhere else.
 *
 * Parents are resolved with openat2(RESOLVE_IN_ROOT), the last part of a path is never followed, metadata is set
 * through descriptors or with AT_SYMLINK_NOFOLLOW. The cases by name: tests/unit/test_unpack_*.c.
 */
#include "common/archive/tar_place.h"
#include "common/archive/tar_read.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { BLOCK = 64 * 1024 };
#define DEFAULT_SIZE_LIMIT (20ULL << 30)
#define DEFAULT_ENTRY_LIMIT 5000000ULL

struct unpacking {
    int root;
    const struct unpack *options;
    struct tar_reader reader;
    uint64_t size, entries;
    char *block;
};

/* The attribute that hides what lower layers have in a directory, or NULL where there are none. */
static const char *opaque_attribute(const struct unpacking *unpacking) {
    switch (unpacking->options->whiteouts) {
    case WHITEOUTS_OVERLAY:
        return "trusted.overlay.opaque";
    case WHITEOUTS_USER:
        return "user.overlay.opaque";
    default:
        return NULL;
    }
}

static int set_owner_and_attributes(struct unpacking *unpacking, int parent, const char *name,
                                    const struct tar_read_entry *entry, struct error *error) {
    if (unpacking->options->keep_owners && fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(error, errno, "cannot give %s to %u:%u", entry->path, entry->uid, entry->gid);
    char path[64 + NAME_MAX];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
    for (size_t i = 0; i < entry->attribute_count; i++) {
        const struct tar_read_attribute *attribute = &entry->attributes[i];
        if (lsetxattr(path, attribute->name, attribute->value, attribute->length, 0) < 0 && errno != ENOTSUP &&
            errno != EPERM)
            return error_set_errno(error, errno, "cannot set %s of %s", attribute->name, entry->path);
    }
    return 0;
}

/* Mode after the owner: chown clears the set-id bits. `fd` is that of the file or directory itself (one that was opened
 * with O_PATH does, too), or -1 for a link, which has none. */
static int finish(struct unpacking *unpacking, int parent, const char *name, int fd, const struct tar_read_entry *entry,
                  struct error *error) {
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    if (set_owner_and_attributes(unpacking, parent, name, entry, error) < 0)
        return -1;
    if (fd >= 0 && fchmod(fd, entry->mode) < 0 && (errno != EBADF || chmod(self, entry->mode) < 0))
        return error_set_errno(error, errno, "cannot set the mode of %s", entry->path);
    struct timespec times[2] = {{.tv_sec = entry->mtime}, {.tv_sec = entry->mtime}};
    if (entry->type != '5')
        utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
    return 0;
}

static int write_file(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                      struct error *error) {
    if (tar_place_remove(parent, name, error) < 0)
        return -1;
    AUTO_CLOSE int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write %s", entry->path);
    for (ssize_t got; (got = tar_reader_data(&unpacking->reader, unpacking->block, BLOCK, error)) != 0;)
        if (got < 0 || fd_write_all(fd, unpacking->block, (size_t)got, error) < 0)
            return -1;
    return finish(unpacking, parent, name, fd, entry, error);
}

static int make_directory(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                          struct error *error) {
    AUTO_CLOSE int fd = tar_place_directory(parent, name, opaque_attribute(unpacking), error);
    return fd < 0 ? -1 : finish(unpacking, parent, name, fd, entry, error);
}

/* A hard link's target is a path of the archive, which must exist already and is itself not followed. */
static int make_link(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                     struct error *error) {
    AUTO_FREE char *target = NULL;
    if (tar_place_clean(entry->target, &target, error) < 0)
        return error_wrap(error, "the hard link %s", entry->path);
    char *folder, *file;
    tar_place_split(target, &folder, &file);
    AUTO_CLOSE int from = tar_place_open(unpacking->root, folder);
    struct stat status;
    if (from < 0 || !*file || fstatat(from, file, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(status.st_mode))
        return error_set(error, ERROR_DATA, "%s is a hard link to %s, which the archive does not have", entry->path,
                         entry->target);
    struct stat own;
    if (fstatat(parent, name, &own, AT_SYMLINK_NOFOLLOW) == 0 && own.st_ino == status.st_ino &&
        own.st_dev == status.st_dev)
        return error_set(error, ERROR_DATA, "%s is a hard link to itself", entry->path);
    if (tar_place_remove(parent, name, error) < 0)
        return -1;
    if (linkat(from, file, parent, name, 0) < 0)
        return error_set_errno(error, errno, "cannot link %s", entry->path);
    return 0;
}

static int make_device(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                       struct error *error) {
    bool character = entry->type == '3';
    if (character && entry->device_major == 0 && entry->device_minor == 0)
        return error_set(error, ERROR_DATA, "%s is an overlay whiteout, which does not belong in a layer", entry->path);
    if (tar_place_remove(parent, name, error) < 0)
        return -1;
    mode_t type = entry->type == '6' ? S_IFIFO : character ? S_IFCHR : S_IFBLK;
    dev_t device = type == S_IFIFO ? 0 : makedev(entry->device_major, entry->device_minor);
    bool allowed = type == S_IFIFO || unpacking->options->devices == DEVICES_MADE;
    if (allowed && mknodat(parent, name, type | 0600, device) == 0) {
        /* Never opened: a FIFO would wait, a device act. */
        AUTO_CLOSE int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_set_errno(error, errno, "cannot make %s", entry->path)
                      : finish(unpacking, parent, name, fd, entry, error);
    }
    if (allowed && errno != EPERM)
        return error_set_errno(error, errno, "cannot make %s", entry->path);
    if (unpacking->options->skipped_devices)
        ++*unpacking->options->skipped_devices;
    if (unpacking->options->devices == DEVICES_LEFT_OUT)
        return 0;
    AUTO_CLOSE int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? error_set_errno(error, errno, "cannot make %s", entry->path) : 0;
}

static int make_symlink(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                        struct error *error) {
    if (!*entry->target || strlen(entry->target) >= PATH_MAX)
        return error_set(error, ERROR_DATA, "%s is a link to nowhere", entry->path);
    if (tar_place_remove(parent, name, error) < 0)
        return -1;
    if (symlinkat(entry->target, parent, name) < 0)
        return error_set_errno(error, errno, "cannot make the link %s", entry->path);
    return finish(unpacking, parent, name, -1, entry, error);
}

/* ---- whiteouts ---- */

static int mark_opaque(const struct unpacking *unpacking, int directory, struct error *error) {
    if (fsetxattr(directory, opaque_attribute(unpacking), "y", 1, 0) < 0)
        return error_set_errno(error, errno, "cannot mark a directory as opaque");
    return 0;
}

/* What the same layer holds stays; of a directory that it holds, only what lower layers have there is hidden. */
static int hide(const struct unpacking *unpacking, int parent, const char *hidden, const struct tar_read_entry *entry,
                struct error *error) {
    struct stat status;
    if (fstatat(parent, hidden, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (mknodat(parent, hidden, S_IFCHR, makedev(0, 0)) < 0)
            return error_set_errno(error, errno, "cannot make the whiteout %s", entry->path);
        return 0;
    }
    if (!S_ISDIR(status.st_mode))
        return 0;
    AUTO_CLOSE int fd = openat(parent, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? error_set_errno(error, errno, "cannot make the whiteout %s", entry->path)
                  : mark_opaque(unpacking, fd, error);
}

static int apply_whiteout(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                          struct error *error) {
    const char *hidden = name + strlen(".wh.");
    if (!opaque_attribute(unpacking))
        return error_set(error, ERROR_DATA, "%s: a whiteout does not belong here", entry->path);
    bool opaque = text_equal(name, ".wh..wh..opq");
    if (entry->size > 0 || entry->type != '0' ||
        (!opaque &&
         (!*hidden || text_equal(hidden, ".") || text_equal(hidden, "..") || text_starts_with(hidden, ".wh."))))
        return error_set(error, ERROR_DATA, "the whiteout \"%s\" is malformed", entry->path);
    return opaque ? mark_opaque(unpacking, parent, error) : hide(unpacking, parent, hidden, entry, error);
}

/* A directory by the name of a whiteout would be one to whoever reads the layer after us. */
static bool has_whiteout_above(const char *path) {
    return text_starts_with(path, ".wh.") || strstr(path, "/.wh.");
}

static int unpack_root(struct unpacking *unpacking, const struct tar_read_entry *entry, struct error *error) {
    if (entry->type != '5')
        return error_set(error, ERROR_DATA, "the entry \"%s\": the archive's root is not a directory", entry->path);
    if (fchmod(unpacking->root, entry->mode) < 0)
        return error_set_errno(error, errno, "cannot set the mode of the root");
    return 0;
}

static int unpack_entry(struct unpacking *unpacking, const struct tar_read_entry *entry, struct error *error) {
    AUTO_FREE char *path = NULL;
    if (!*entry->path)
        return error_set(error, ERROR_DATA, "an entry has no name");
    if (tar_place_clean(entry->path, &path, error) < 0)
        return -1;
    if (!*path)
        return unpack_root(unpacking, entry, error);
    char *parent_path, *name;
    tar_place_split(path, &parent_path, &name);
    if (has_whiteout_above(parent_path))
        return error_set(error, ERROR_DATA, "the entry \"%s\" lies in a whiteout", entry->path);
    AUTO_CLOSE int parent = tar_place_make(unpacking->root, parent_path, opaque_attribute(unpacking), error);
    if (parent < 0)
        return -1;
    if (text_starts_with(name, ".wh."))
        return apply_whiteout(unpacking, parent, name, entry, error);
    switch (entry->type) {
    case '0':
        return write_file(unpacking, parent, name, entry, error);
    case '1':
        return make_link(unpacking, parent, name, entry, error);
    case '2':
        return make_symlink(unpacking, parent, name, entry, error);
    case '5':
        return make_directory(unpacking, parent, name, entry, error);
    default:
        return make_device(unpacking, parent, name, entry, error);
    }
}

static int check_limits(struct unpacking *unpacking, const struct tar_read_entry *entry, struct error *error) {
    uint64_t size_limit = unpacking->options->size_limit ? unpacking->options->size_limit : DEFAULT_SIZE_LIMIT;
    uint64_t entry_limit = unpacking->options->entry_limit ? unpacking->options->entry_limit : DEFAULT_ENTRY_LIMIT;
    if (entry->size > size_limit - unpacking->size)
        return error_set(error, ERROR_DATA, "the archive unpacks to more than %llu bytes",
                         (unsigned long long)size_limit);
    if (++unpacking->entries > entry_limit)
        return error_set(error, ERROR_DATA, "the archive has more than %llu entries", (unsigned long long)entry_limit);
    unpacking->size += entry->size;
    return 0;
}

/* The stream is read to its end, so that a digest over it covers all of it. What follows the end of the archive is
 * nobody's: every reader of tar passes over it. */
static int read_to_end(struct unpacking *unpacking, struct error *error) {
    for (ssize_t got; (got = unpacking->reader.source(unpacking->reader.context, unpacking->block, BLOCK, error)) != 0;)
        if (got < 0)
            return -1;
    return 0;
}

int tar_unpack(archive_source *source, void *context, int root_fd, const struct unpack *options, struct error *error) {
    struct unpacking unpacking = {
        .root = root_fd, .options = options, .reader = {.source = source, .context = context}};
    unpacking.block = memory_allocate(1, BLOCK);
    int found;
    do {
        struct tar_read_entry entry;
        found = tar_reader_next(&unpacking.reader, &entry, error);
        if (found == 1 && (check_limits(&unpacking, &entry, error) < 0 || unpack_entry(&unpacking, &entry, error) < 0))
            found = -1;
        tar_read_entry_release(&entry);
    } while (found == 1);
    if (found == 0)
        found = read_to_end(&unpacking, error);
    free(unpacking.block);
    return found;
}
