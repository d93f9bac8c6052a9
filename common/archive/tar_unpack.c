/* Tar, in: below one directory and nowhere else.
 *
 * Parents are resolved with openat2(RESOLVE_IN_ROOT), the last part of a path is never followed, metadata is set
 * through descriptors or with AT_SYMLINK_NOFOLLOW. Rules and cases: docs/hostile-archives in the tests of this folder.
 */
#include "common/archive/tar_read.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { DEPTH_LIMIT = 1000, BLOCK = 64 * 1024 };
#define DEFAULT_SIZE_LIMIT (20ULL << 30)
#define DEFAULT_ENTRY_LIMIT 5000000ULL

struct unpacking {
    int root;
    const struct unpack *options;
    struct tar_reader reader;
    uint64_t size, entries;
    struct text_list opaque; /* directories whose opaque mark was seen: a second one costs nothing */
    char *block;
};

static int open_in_root(int root, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

/* Takes "./" and a leading and a trailing '/' away; refuses "..", empty names and excessive depth. */
static int clean_path(const char *raw, char **path, struct error *error) {
    AUTO_LIST struct text_list parts = {0}, kept = {0};
    text_list_split(&parts, raw, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, ".."))
            return error_set(error, ERROR_DATA, "the entry \"%s\" leaves the archive's root", raw);
        if (strlen(part) > NAME_MAX)
            return error_set(error, ERROR_DATA, "the entry \"%.60s…\" has a name longer than %d bytes", raw, NAME_MAX);
        if (*part && !text_equal(part, "."))
            text_list_add(&kept, part);
    }
    if (kept.count > DEPTH_LIMIT || strlen(raw) >= PATH_MAX)
        return error_set(error, ERROR_DATA, "the entry \"%.60s…\" is nested too deep", raw);
    struct buffer out = BUFFER(PATH_MAX);
    for (size_t i = 0; i < kept.count; i++)
        buffer_append_format(&out, "%s%s", i ? "/" : "", kept.items[i]);
    *path = buffer_take(&out);
    return 0;
}

static void split_path(char *path, char **parent, char **name) {
    char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    *parent = slash ? path : (char *)"";
    if (slash)
        *slash = '\0';
}

/* Opens the directory of a parent path below the root, making what is missing. What is no directory on the way is
 * replaced, as an upper layer may put a directory where a lower one had a file. */
static int open_parent(struct unpacking *unpacking, const char *path, struct error *error) {
    int fd = open_in_root(unpacking->root, path, O_RDONLY | O_DIRECTORY);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(error, errno, "the entry below \"%s\" cannot be placed", path);
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, path, '/');
    AUTO_CLOSE int at = open_in_root(unpacking->root, "", O_RDONLY | O_DIRECTORY);
    AUTO_BUFFER struct buffer so_far = BUFFER(PATH_MAX);
    for (size_t i = 0; i < parts.count && at >= 0; i++) {
        buffer_append_format(&so_far, "%s%s", i ? "/" : "", parts.items[i]);
        int next = open_in_root(unpacking->root, buffer_text(&so_far), O_RDONLY | O_DIRECTORY);
        if (next < 0 && errno == ENOTDIR)
            unlinkat(at, parts.items[i], 0);
        if (next < 0 && (mkdirat(at, parts.items[i], 0755) == 0 || errno == EEXIST) &&
            fchmodat(at, parts.items[i], 0755, 0) == 0)
            next = open_in_root(unpacking->root, buffer_text(&so_far), O_RDONLY | O_DIRECTORY);
        close(at);
        at = next;
    }
    if (at < 0)
        return error_set_errno(error, errno, "the entry below \"%s\" cannot be placed", path);
    return take_fd(&at);
}

static int remove_at(int parent, const char *name, struct error *error) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_set_errno(error, errno, "cannot replace %s", name);
    char path[64 + NAME_MAX];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
    return tree_remove(path, error);
}

static int set_owner_and_attributes(struct unpacking *unpacking, int parent, const char *name,
                                    const struct tar_read_entry *entry, struct error *error) {
    const struct unpack *options = unpacking->options;
    if (options->keep_owners && fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0 &&
        !options->map_owners_to_self)
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

/* Mode after the owner: chown clears the set-id bits. */
static int finish(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                  struct error *error) {
    if (set_owner_and_attributes(unpacking, parent, name, entry, error) < 0)
        return -1;
    if (entry->type != '2' && fchmodat(parent, name, entry->mode, 0) < 0)
        return error_set_errno(error, errno, "cannot set the mode of %s", entry->path);
    struct timespec times[2] = {{.tv_sec = entry->mtime}, {.tv_sec = entry->mtime}};
    if (entry->type != '5')
        utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
    return 0;
}

static int write_file(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                      struct error *error) {
    if (remove_at(parent, name, error) < 0)
        return -1;
    AUTO_CLOSE int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write %s", entry->path);
    for (ssize_t got; (got = tar_reader_data(&unpacking->reader, unpacking->block, BLOCK, error)) != 0;)
        if (got < 0 || fd_write_all(fd, unpacking->block, (size_t)got, error) < 0)
            return -1;
    return finish(unpacking, parent, name, entry, error);
}

static int make_directory(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                          struct error *error) {
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode) &&
        remove_at(parent, name, error) < 0)
        return -1;
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return error_set_errno(error, errno, "cannot make the directory %s", entry->path);
    return finish(unpacking, parent, name, entry, error);
}

/* A hard link's target is a path of the archive, which must exist already and is itself not followed. */
static int make_link(struct unpacking *unpacking, int parent, const char *name, const struct tar_read_entry *entry,
                     struct error *error) {
    AUTO_FREE char *target = NULL;
    if (clean_path(entry->target, &target, error) < 0)
        return -1;
    char *folder, *file;
    split_path(target, &folder, &file);
    AUTO_CLOSE int from = open_in_root(unpacking->root, folder, O_RDONLY | O_DIRECTORY);
    struct stat status;
    if (from < 0 || !*file || fstatat(from, file, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(status.st_mode))
        return error_set(error, ERROR_DATA, "%s is a hard link to %s, which the archive does not have", entry->path,
                         entry->target);
    struct stat own;
    if (fstatat(parent, name, &own, AT_SYMLINK_NOFOLLOW) == 0 && own.st_ino == status.st_ino &&
        own.st_dev == status.st_dev)
        return error_set(error, ERROR_DATA, "%s is a hard link to itself", entry->path);
    if (remove_at(parent, name, error) < 0)
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
    if (remove_at(parent, name, error) < 0)
        return -1;
    mode_t type = entry->type == '6' ? S_IFIFO : character ? S_IFCHR : S_IFBLK;
    dev_t device = makedev(entry->device_major, entry->device_minor);
    bool allowed = type == S_IFIFO || unpacking->options->devices == DEVICES_MADE;
    if (allowed && mknodat(parent, name, type | 0600, type == S_IFIFO ? 0 : device) == 0)
        return finish(unpacking, parent, name, entry, error);
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
    if (remove_at(parent, name, error) < 0)
        return -1;
    if (symlinkat(entry->target, parent, name) < 0)
        return error_set_errno(error, errno, "cannot make the link %s", entry->path);
    return finish(unpacking, parent, name, entry, error);
}

/* ---- whiteouts ---- */

static int mark_opaque(struct unpacking *unpacking, int parent, const char *parent_path, struct error *error) {
    if (text_list_contains(&unpacking->opaque, parent_path))
        return 0;
    text_list_add(&unpacking->opaque, parent_path);
    if (unpacking->options->whiteouts == WHITEOUTS_APPLY) {
        char path[40];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", parent);
        AUTO_LIST struct text_list names = {0};
        if (directory_list(path, &names, error) < 0)
            return -1;
        for (size_t i = 0; i < names.count; i++)
            if (remove_at(parent, names.items[i], error) < 0)
                return -1;
        return 0;
    }
    const char *attribute =
        unpacking->options->whiteouts == WHITEOUTS_USER ? "user.overlay.opaque" : "trusted.overlay.opaque";
    if (fsetxattr(parent, attribute, "y", 1, 0) < 0)
        return error_set_errno(error, errno, "cannot mark a directory as opaque");
    return 0;
}

static int apply_whiteout(struct unpacking *unpacking, int parent, const char *parent_path, const char *name,
                          const struct tar_read_entry *entry, struct error *error) {
    const char *hidden = name + strlen(".wh.");
    if (unpacking->options->whiteouts == WHITEOUTS_NONE)
        return error_set(error, ERROR_DATA, "%s: a whiteout does not belong here", entry->path);
    if (text_equal(name, ".wh..wh..opq"))
        return mark_opaque(unpacking, parent, parent_path, error);
    if (!*hidden || text_equal(hidden, ".") || text_equal(hidden, "..") || text_starts_with(hidden, ".wh.") ||
        entry->size > 0 || entry->type != '0')
        return error_set(error, ERROR_DATA, "the whiteout \"%s\" is malformed", entry->path);
    if (unpacking->options->whiteouts == WHITEOUTS_APPLY)
        return remove_at(parent, hidden, error);
    struct stat status;
    /* What the same layer holds stays. */
    if (fstatat(parent, hidden, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (mknodat(parent, hidden, S_IFCHR, makedev(0, 0)) < 0)
        return error_set_errno(error, errno, "cannot make the whiteout %s", entry->path);
    return 0;
}

static int unpack_root(struct unpacking *unpacking, const struct tar_read_entry *entry, struct error *error) {
    if (entry->type != '5')
        return error_set(error, ERROR_DATA, "the archive's root is not a directory");
    if (fchmod(unpacking->root, entry->mode) < 0)
        return error_set_errno(error, errno, "cannot set the mode of the root");
    return 0;
}

static int unpack_entry(struct unpacking *unpacking, const struct tar_read_entry *entry, struct error *error) {
    AUTO_FREE char *path = NULL;
    if (!*entry->path)
        return error_set(error, ERROR_DATA, "an entry has no name");
    if (clean_path(entry->path, &path, error) < 0)
        return -1;
    if (!*path)
        return unpack_root(unpacking, entry, error);
    char *parent_path, *name;
    split_path(path, &parent_path, &name);
    AUTO_CLOSE int parent = open_parent(unpacking, parent_path, error);
    if (parent < 0)
        return -1;
    if (text_starts_with(name, ".wh."))
        return apply_whiteout(unpacking, parent, parent_path, name, entry, error);
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

/* The stream is read to its end, so that a digest over it covers all of it; nothing but zeros may follow. */
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
    text_list_release(&unpacking.opaque);
    free(unpacking.block);
    return found;
}
