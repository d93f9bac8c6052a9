/* Scanning a source directory. */
#include "common/file/file.h"
#include "engine/stat_cache.h"
#include "engine/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

enum { DEPTH_LIMIT = 200, SMALL_FILE = 256 * 1024, ENTRY_LIMIT = 5000000 };
#define DEFAULT_FILE_LIMIT (8ULL << 30)
#define DEFAULT_BYTE_LIMIT (32ULL << 30)

struct scanning {
    struct engine *engine;
    const struct tree_scan *scan;
    struct stat_cache *cache;
    struct tree *tree;
    size_t capacity;
    uint64_t bytes;
    char *block;
};

static struct tree_entry *add_entry(struct scanning *scanning, const char *path, char type) {
    struct tree *tree = scanning->tree;
    if (tree->count == scanning->capacity) {
        scanning->capacity = scanning->capacity ? scanning->capacity * 2 : 256;
        tree->entries = memory_resize(tree->entries, scanning->capacity, sizeof(*tree->entries));
    }
    struct tree_entry *entry = &tree->entries[tree->count++];
    *entry = (struct tree_entry){.path = text_copy(path), .type = type};
    return entry;
}

static void keep_owner(const struct scanning *scanning, struct tree_entry *entry, const struct stat *status) {
    if (scanning->scan->keeps_owners)
        tree_entry_set_owner(entry, status->st_uid, status->st_gid, status->st_mode);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool same_status(const struct stat *left, const struct stat *right) {
    return left->st_dev == right->st_dev && left->st_ino == right->st_ino && left->st_size == right->st_size &&
           left->st_mtim.tv_sec == right->st_mtim.tv_sec && left->st_mtim.tv_nsec == right->st_mtim.tv_nsec &&
           left->st_ctim.tv_sec == right->st_ctim.tv_sec && left->st_ctim.tv_nsec == right->st_ctim.tv_nsec;
}

static int changed(const char *path, struct error *error) {
    error_set(error, ERROR_DATA, "%s changed while it was read", path);
    return error_next(error, "stop what writes it, or leave it out in .dockerignore or .plignore, and build again");
}

/* A small file is hashed before it is written: most are in the store already. */
static int store_small(struct scanning *scanning, int fd, const char *path, const struct stat *status,
                       struct digest *digest, struct error *error) {
    size_t length = 0;
    for (ssize_t got; length <= SMALL_FILE; length += (size_t)got) {
        got = read(fd, scanning->block + length, SMALL_FILE + 1 - length);
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        if (got == 0)
            break;
    }
    if (length != (size_t)status->st_size)
        return changed(path, error);
    *digest = digest_of(scanning->block, length);
    if (store_has(scanning->engine->store, digest))
        return 0;
    return store_put(scanning->engine->store, scanning->block, length, digest, error);
}

static int store_large(struct scanning *scanning, int fd, const char *path, const struct stat *status,
                       struct digest *digest, struct error *error) {
    uint64_t size = (uint64_t)status->st_size;
    AUTO_WRITER struct store_writer *writer = store_put_begin(scanning->engine->store, NULL, size, error);
    if (!writer)
        return -1;
    for (ssize_t got; (got = read(fd, scanning->block, SMALL_FILE)) != 0;) {
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        if ((uint64_t)got > size)
            return changed(path, error);
        size -= (uint64_t)got;
        if (store_put_write(writer, scanning->block, (size_t)got, error) < 0)
            return -1;
        if (progress_cancelled(scanning->engine->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
    }
    return size ? changed(path, error) : store_put_commit(&writer, digest, NULL, error);
}

static int read_content(struct scanning *scanning, int folder, const char *name, const char *path,
                        const struct stat *status, struct digest *digest, struct error *error) {
    struct stat opened, after;
    AUTO_CLOSE int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &opened) < 0)
        return error_set_errno(error, errno, "cannot read %s", path);
    if (!same_status(status, &opened))
        return changed(path, error);
    int result = scanning->scan->only_hash       ? digest_of_fd(fd, digest, NULL, error)
                 : status->st_size <= SMALL_FILE ? store_small(scanning, fd, path, status, digest, error)
                                                 : store_large(scanning, fd, path, status, digest, error);
    if (result < 0)
        return -1;
    if (fstat(fd, &after) < 0 || !same_status(status, &after))
        return changed(path, error);
    return 0;
}

/* What changes after it was looked at is noticed when it is read. */
static bool may_be_read(const struct scanning *scanning, const char *path, struct stat_cache_content *content) {
    const struct tree_scan *scan = scanning->scan;
    if (!scan->inspect || content->passed == scan->rules)
        return true;
    enum tree_verdict verdict = scan->inspect(scan->inspect_context, path);
    content->passed = verdict == TREE_HARMLESS ? scan->rules : 0;
    return verdict != TREE_REFUSED;
}

static int scan_file(struct scanning *scanning, int folder, const char *name, const char *path,
                     const struct stat *status, struct error *error) {
    uint64_t file_limit = scanning->scan->file_limit ? scanning->scan->file_limit : DEFAULT_FILE_LIMIT;
    uint64_t byte_limit = scanning->scan->byte_limit ? scanning->scan->byte_limit : DEFAULT_BYTE_LIMIT;
    uint64_t size = (uint64_t)status->st_size;
    if (size > file_limit || size > byte_limit - scanning->bytes)
        return error_set(error, ERROR_DATA, "%s makes the source larger than allowed (%llu bytes)", path,
                         (unsigned long long)(size > file_limit ? file_limit : byte_limit));
    struct stat_cache_content content = {0};
    bool is_known = stat_cache_find(scanning->cache, path, status, &content);
    int64_t read_ns = is_known ? 0 : now();
    if (!may_be_read(scanning, path, &content))
        return 0;
    scanning->bytes += size;
    if (!is_known && read_content(scanning, folder, name, path, status, &content.digest, error) < 0)
        return -1;
    stat_cache_add(scanning->cache, path, status, &content, read_ns);
    struct tree_entry *entry = add_entry(scanning, path, status->st_mode & 0111 ? 'x' : 'f');
    entry->digest = content.digest;
    entry->size = size;
    keep_owner(scanning, entry, status);
    return 0;
}

/* Whether a link's target, read as text from the link's own directory, stays below the scanned one. */
static bool stays_inside(const char *path, const char *target) {
    if (*target == '/')
        return false;
    long depth = 0;
    for (const char *at = path; (at = strchr(at, '/')); at++)
        depth++;
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, target, '/');
    for (size_t i = 0; i < parts.count; i++) {
        if (text_equal(parts.items[i], ".."))
            depth--;
        else if (*parts.items[i] && !text_equal(parts.items[i], "."))
            depth++;
        if (depth < 0)
            return false;
    }
    return true;
}

static int scan_link(struct scanning *scanning, int folder, const char *name, const char *path,
                     const struct stat *status, struct error *error) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);
    /* It was a link a moment ago: EINVAL says that something else has taken its place. */
    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? changed(path, error)
                                                  : error_set_errno(error, errno, "cannot read the link %s", path);
    if (!may_be_read(scanning, path, &(struct stat_cache_content){0}))
        return 0;
    target[length] = '\0';
    if (scanning->scan->follow_nothing_outside && !stays_inside(path, target)) {
        error_set(error, ERROR_DATA, "%s is a symbolic link out of the source directory (to %s)", path, target);
        return error_next(error, "copy the file into the source, or leave the link out in .dockerignore or .plignore");
    }
    struct tree_entry *entry = add_entry(scanning, path, 'l');
    entry->target = text_copy(target);
    keep_owner(scanning, entry, status);
    return 0;
}

static int scan_directory(struct scanning *scanning, int parent, const char *name, struct buffer *path, unsigned depth,
                          struct error *error);

static int scan_entry(struct scanning *scanning, int folder, const char *name, struct buffer *path, unsigned depth,
                      struct error *error) {
    const char *text = buffer_text(path);
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? changed(text, error) : error_set_errno(error, errno, "cannot read %s", text);
    bool is_directory = S_ISDIR(status.st_mode), descend = false;
    bool wanted = scanning->scan->filter ? scanning->scan->filter(scanning->scan->context, text, is_directory, &descend)
                                         : !text_equal(text, ".git");
    if (!wanted && !(is_directory && descend))
        return 0;
    if (scanning->tree->count >= ENTRY_LIMIT)
        return error_set(error, ERROR_DATA, "the source has more than %d files", ENTRY_LIMIT);
    if (S_ISREG(status.st_mode))
        return scan_file(scanning, folder, name, text, &status, error);
    if (S_ISLNK(status.st_mode))
        return scan_link(scanning, folder, name, text, &status, error);
    if (!is_directory) {
        error_set(error, ERROR_DATA, "%s is neither a file nor a directory nor a link", text);
        return error_next(error, scanning->scan->is_temporary ? "take it out of the archive"
                                                              : "leave it out in .dockerignore or .plignore");
    }
    size_t before = scanning->tree->count;
    if (wanted)
        keep_owner(scanning, add_entry(scanning, text, 'd'), &status);
    if (scan_directory(scanning, folder, name, path, depth + 1, error) < 0)
        return -1;
    /* A left out directory in which something was re-included comes along. */
    if (!wanted && scanning->tree->count > before)
        add_entry(scanning, text, 'd');
    return 0;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Directories sort as if their name ended with '/', so that the walk meets files in the order of their paths' bytes, as
 * the stat cache wants them. */
static int list_names(int fd, struct text_list *names, const char *path, struct error *error) {
    DIR *stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return error_set_errno(error, errno, "cannot read %s", path);
    }
    errno = 0;
    for (struct dirent *item; (item = readdir(stream));) {
        if (text_equal(item->d_name, ".") || text_equal(item->d_name, ".."))
            continue;
        size_t length = strlen(item->d_name);
        char *copy = text_copy_length(item->d_name, length + 1); /* room for the slash */
        copy[length] = item->d_type == DT_DIR ? '/' : '\0';
        text_list_take(names, copy);
    }
    int failure = errno;
    closedir(stream);
    if (failure)
        return error_set_errno(error, failure, "cannot read %s", path);
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    for (size_t i = 0; i < names->count; i++) {
        size_t length = strlen(names->items[i]);
        if (names->items[i][length - 1] == '/')
            names->items[i][length - 1] = '\0';
    }
    return 0;
}

static int scan_directory(struct scanning *scanning, int parent, const char *name, struct buffer *path, unsigned depth,
                          struct error *error) {
    if (depth > DEPTH_LIMIT)
        return error_set(error, ERROR_DATA, "%s is nested deeper than %d directories", buffer_text(path), DEPTH_LIMIT);
    if (progress_cancelled(scanning->engine->progress))
        return error_set(error, ERROR_CANCELLED, "cancelled");
    AUTO_CLOSE int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int listed = fd < 0 ? -1 : dup(fd);
    AUTO_LIST struct text_list names = {0};
    if (listed < 0)
        return error_set_errno(error, errno, "cannot read %s", *buffer_text(path) ? buffer_text(path) : name);
    if (list_names(listed, &names, buffer_text(path), error) < 0)
        return -1;
    size_t length = path->length;
    for (size_t i = 0; i < names.count; i++) {
        if (length)
            buffer_append_byte(path, '/');
        buffer_append_text(path, names.items[i]);
        if (buffer_check(path, "a path", error) < 0 || scan_entry(scanning, fd, names.items[i], path, depth, error) < 0)
            return -1;
        path->length = length;
        path->data[length] = '\0';
    }
    return 0;
}

static int compare_entries(const void *left, const void *right) {
    return strcmp(((const struct tree_entry *)left)->path, ((const struct tree_entry *)right)->path);
}

int tree_scan(struct engine *engine, const struct tree_scan *scan, struct tree *tree, struct error *error) {
    *tree = (struct tree){0};
    AUTO_FREE char *block = memory_allocate(1, SMALL_FILE + 1);
    /* What a usual scan remembers is in the store as well; what this one remembers is not. */
    AUTO_FREE char *name =
        scan->only_hash ? text_format("%s\nonly hashes", scan->directory) : text_copy(scan->directory);
    AUTO_STAT_CACHE struct stat_cache *cache = stat_cache_load(engine->store, name);
    AUTO_BUFFER struct buffer path = BUFFER(PATH_MAX);
    struct scanning scanning = {.engine = engine, .scan = scan, .cache = cache, .tree = tree, .block = block};
    store_batch_begin(engine->store);
    int result = scan_directory(&scanning, AT_FDCWD, scan->directory, &path, 0, error);
    /* What was read is kept even when a later file fails: it is right all the same. */
    struct error second;
    if (store_batch_end(engine->store, result == 0 ? error : &second) < 0)
        result = -1;
    else if (!scan->is_temporary)
        stat_cache_keep(&cache);
    if (result < 0)
        tree_release(tree);
    else if (tree->count)
        qsort(tree->entries, tree->count, sizeof(*tree->entries), compare_entries);
    return result;
}
