/* From an upper directory (overlay form) to a tar stream: sorted, numeric owners, times clamped, hard links kept,
 * whiteouts translated (https://github.com/opencontainers/image-spec/blob/main/layer.md). */
#include "common/file/file.h"
#include "engine/layer_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { BLOCK = 128 * 1024, ATTRIBUTE_LIMIT = 32, ATTRIBUTE_BYTES = 64 * 1024, DEPTH_LIMIT = 900 };

struct link {
    dev_t device;
    ino_t inode;
    char *path;
};

struct packing {
    struct tar_writer *writer;
    int64_t epoch;
    uint64_t entries;
    char *block;
    struct link *links;
    size_t link_count, link_capacity;
};

struct attributes {
    struct tar_attribute items[ATTRIBUTE_LIMIT + 1];
    struct text_list names;
    struct buffer values;
};

static bool is_kept_attribute(const char *name) {
    return text_equal(name, "security.capability") ||
           (text_starts_with(name, "user.") && !text_starts_with(name, "user.overlay."));
}

static void attributes_release(struct attributes *attributes) {
    text_list_release(&attributes->names);
    buffer_release(&attributes->values);
}

/* Sorted by name; values live in one buffer, whose addresses are set when it no longer grows. */
static int read_attributes(const char *path, struct attributes *attributes, struct error *error) {
    char list[16 * 1024], value[ATTRIBUTE_BYTES];
    size_t offsets[ATTRIBUTE_LIMIT];
    ssize_t length = llistxattr(path, list, sizeof(list));
    for (const char *name = list; length > 0 && name < list + length; name += strlen(name) + 1)
        if (is_kept_attribute(name))
            text_list_add(&attributes->names, name);
    text_list_sort(&attributes->names);
    if (attributes->names.count > ATTRIBUTE_LIMIT)
        return error_set(error, ERROR_DATA, "%s has more than %d extended attributes", path, ATTRIBUTE_LIMIT);
    for (size_t i = 0; i < attributes->names.count; i++) {
        ssize_t got = lgetxattr(path, attributes->names.items[i], value, sizeof(value));
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s of %s", attributes->names.items[i], path);
        offsets[i] = attributes->values.length;
        attributes->items[i] = (struct tar_attribute){.name = attributes->names.items[i], .length = (size_t)got};
        buffer_append(&attributes->values, value, (size_t)got);
        buffer_append_byte(&attributes->values, '\0');
    }
    for (size_t i = 0; i < attributes->names.count; i++)
        attributes->items[i].value = attributes->values.data + offsets[i];
    return buffer_check(&attributes->values, "the extended attributes of a file", error);
}

bool layer_is_opaque(const char *path) {
    char value[4];
    return (lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y') ||
           (lgetxattr(path, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y');
}

/* The path under which this inode was written before, or NULL; then it is remembered. */
static const char *earlier_link(struct packing *packing, const struct stat *status, const char *path) {
    for (size_t i = 0; i < packing->link_count; i++)
        if (packing->links[i].inode == status->st_ino && packing->links[i].device == status->st_dev)
            return packing->links[i].path;
    if (packing->link_count == packing->link_capacity) {
        packing->link_capacity = packing->link_capacity ? packing->link_capacity * 2 : 64;
        packing->links = memory_resize(packing->links, packing->link_capacity, sizeof(*packing->links));
    }
    packing->links[packing->link_count++] =
        (struct link){.device = status->st_dev, .inode = status->st_ino, .path = text_copy(path)};
    return NULL;
}

static int write_whiteout(struct packing *packing, const char *parent, const char *name, struct error *error) {
    AUTO_FREE char *path = *parent ? text_format("%s/.wh.%s", parent, name) : text_format(".wh.%s", name);
    struct tar_entry entry = {.path = path, .mode = S_IFREG, .mtime = 0};
    packing->entries++;
    return tar_writer_entry(packing->writer, &entry, error);
}

static int write_content(struct packing *packing, const char *full, uint64_t size, struct error *error) {
    AUTO_CLOSE int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot read %s", full);
    while (size > 0) {
        ssize_t got = read(fd, packing->block, BLOCK);
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", full);
        if (got == 0 || (uint64_t)got > size)
            return error_set(error, ERROR_INTERNAL, "%s changed while it was packed", full);
        if (tar_writer_data(packing->writer, packing->block, (size_t)got, error) < 0)
            return -1;
        size -= (uint64_t)got;
    }
    return 0;
}

static int write_entry(struct packing *packing, const char *full, const char *path, const struct stat *status,
                       struct error *error) {
    char target[PATH_MAX] = "";
    struct attributes attributes = {.values = BUFFER(ATTRIBUTE_LIMIT * ATTRIBUTE_BYTES)};
    if (read_attributes(full, &attributes, error) < 0) {
        attributes_release(&attributes);
        return -1;
    }
    struct tar_entry entry = {.path = path,
                              .mode = status->st_mode,
                              .uid = status->st_uid,
                              .gid = status->st_gid,
                              .size = S_ISREG(status->st_mode) ? (uint64_t)status->st_size : 0,
                              .mtime =
                                  status->st_mtim.tv_sec < packing->epoch ? status->st_mtim.tv_sec : packing->epoch,
                              .device_major = major(status->st_rdev),
                              .device_minor = minor(status->st_rdev),
                              .attributes = attributes.items};
    const char *earlier = status->st_nlink > 1 && S_ISREG(status->st_mode) ? earlier_link(packing, status, path) : NULL;
    ssize_t length = S_ISLNK(status->st_mode) ? readlink(full, target, sizeof(target) - 1) : 0;
    int result = 0;
    if (length < 0)
        result = error_set_errno(error, errno, "cannot read %s", full);
    entry.target = earlier ? earlier : S_ISLNK(status->st_mode) ? target : NULL;
    entry.is_hardlink = earlier != NULL;
    if (earlier)
        entry.size = 0;
    if (entry.mtime < 0)
        entry.mtime = 0;
    packing->entries++;
    if (result == 0)
        result = tar_writer_entry(packing->writer, &entry, error);
    if (result == 0 && entry.size)
        result = write_content(packing, full, entry.size, error);
    attributes_release(&attributes);
    return result;
}

static int pack_directory(struct packing *packing, const char *full, const char *path, unsigned depth,
                          struct error *error);

static int pack_item(struct packing *packing, const char *full_parent, const char *parent, const char *name,
                     unsigned depth, struct error *error) {
    AUTO_FREE char *full = path_join(full_parent, name), *path = *parent ? path_join(parent, name) : text_copy(name);
    struct stat status;
    if (lstat(full, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", full);
    if (S_ISSOCK(status.st_mode))
        return 0;
    if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0))
        return write_whiteout(packing, parent, name, error);
    if (text_starts_with(name, ".wh."))
        return error_set(error, ERROR_STEP, "the step made /%s: names that begin with .wh. cannot be kept in a layer",
                         path);
    if (write_entry(packing, full, path, &status, error) < 0)
        return -1;
    return S_ISDIR(status.st_mode) ? pack_directory(packing, full, path, depth + 1, error) : 0;
}

static int pack_directory(struct packing *packing, const char *full, const char *path, unsigned depth,
                          struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (depth > DEPTH_LIMIT)
        return error_set(error, ERROR_DATA, "/%.80s… is nested too deep", path);
    if (directory_list(full, &names, error) < 0)
        return -1;
    if (depth > 0 && layer_is_opaque(full) && write_whiteout(packing, path, ".wh..opq", error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (pack_item(packing, full, path, names.items[i], depth, error) < 0)
            return -1;
    return 0;
}

int layer_pack(const char *directory, int64_t epoch, archive_sink *sink, void *context, uint64_t *entries,
               struct error *error) {
    AUTO_TAR_WRITER struct tar_writer *writer = tar_writer_new(sink, context);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct packing packing = {.writer = writer, .epoch = epoch, .block = block};
    int result = pack_directory(&packing, directory, "", 0, error);
    if (result == 0)
        result = tar_writer_finish(writer, error);
    for (size_t i = 0; i < packing.link_count; i++)
        free(packing.links[i].path);
    free(packing.links);
    if (entries)
        *entries = packing.entries;
    return result;
}
