/* Files of a container as a tree object. */
#include "common/file/file.h"
#include "engine/merged.h"
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum { LINK_LIMIT = 40, DEPTH_LIMIT = 200, ENTRY_LIMIT = 5000000 };
#define FILE_LIMIT (8ULL << 30)

struct extraction {
    struct engine *engine;
    struct tree tree;
    size_t capacity;
    bool is_directory;
    const struct text_list *except; /* names of directories; may be NULL */
};

static struct tree_entry *add_entry(struct extraction *extraction, const char *path, char type) {
    struct tree *tree = &extraction->tree;
    if (tree->count == extraction->capacity) {
        extraction->capacity = extraction->capacity ? extraction->capacity * 2 : 64;
        tree->entries = memory_resize(tree->entries, extraction->capacity, sizeof(*tree->entries));
    }
    struct tree_entry *entry = &tree->entries[tree->count++];
    *entry = (struct tree_entry){.path = text_copy(path), .type = type};
    return entry;
}

static int add_file(struct extraction *extraction, const char *full, const char *path, const struct stat *status,
                    struct error *error) {
    char block[64 * 1024];
    AUTO_CLOSE int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot read /%s of the container", path);
    AUTO_WRITER struct store_writer *writer = store_put_begin(extraction->engine->store, NULL, FILE_LIMIT, error);
    if (!writer)
        return -1;
    for (ssize_t got; (got = read(fd, block, sizeof(block))) != 0;)
        if (got < 0 || store_put_write(writer, block, (size_t)got, error) < 0)
            return got < 0 ? error_set_errno(error, errno, "cannot read /%s of the container", path) : -1;
    struct digest digest;
    uint64_t size;
    if (store_put_commit(&writer, &digest, &size, error) < 0)
        return -1;
    struct tree_entry *entry = add_entry(extraction, path, status->st_mode & 0111 ? 'x' : 'f');
    entry->digest = digest;
    entry->size = size;
    tree_entry_set_owner(entry, status->st_uid, status->st_gid, status->st_mode);
    tree_entry_read_capability(entry, full);
    return 0;
}

static int add_link(struct extraction *extraction, const char *full, const char *path, const struct stat *status,
                    struct error *error) {
    char target[PATH_MAX];
    ssize_t length = readlink(full, target, sizeof(target) - 1);
    if (length <= 0)
        return error_set_errno(error, errno, "cannot read the link /%s of the container", path);
    target[length] = '\0';
    struct tree_entry *entry = add_entry(extraction, path, 'l');
    entry->target = text_copy(target);
    tree_entry_set_owner(entry, status->st_uid, status->st_gid, 0777);
    return 0;
}

static int add_folder(struct extraction *extraction, const struct merged *folder, const char *prefix, unsigned depth,
                      struct error *error);

static int add_item(struct extraction *extraction, const struct merged *folder, const char *prefix, const char *name,
                    unsigned depth, struct error *error) {
    struct merged below = {0};
    struct stat status;
    AUTO_FREE char *full = NULL, *path = *prefix ? path_join(prefix, name) : text_copy(name);
    char type = merged_lookup(folder, name, &below, &full, &status);
    int result = 0;
    if (extraction->tree.count > ENTRY_LIMIT)
        result = error_set(error, ERROR_DATA, "more than %d files to copy", ENTRY_LIMIT);
    else if (type == 'd' && extraction->except && text_list_contains(extraction->except, name))
        result = 0;
    else if (type == 'd') {
        struct tree_entry *entry = add_entry(extraction, path, 'd');
        if (lstat(below.folders.items[0], &status) == 0)
            tree_entry_set_owner(entry, status.st_uid, status.st_gid, status.st_mode);
        result = add_folder(extraction, &below, path, depth + 1, error);
    } else if (type == 'f')
        result = add_file(extraction, full, path, &status, error);
    else if (type == 'l')
        result = add_link(extraction, full, path, &status, error);
    text_list_release(&below.folders);
    return result;
}

static int add_folder(struct extraction *extraction, const struct merged *folder, const char *prefix, unsigned depth,
                      struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (depth > DEPTH_LIMIT)
        return error_set(error, ERROR_DATA, "/%.80s… is nested too deep", prefix);
    if (merged_list(folder, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (add_item(extraction, folder, prefix, names.items[i], depth, error) < 0)
            return -1;
    return 0;
}

static int compare_entries(const void *left, const void *right) {
    return strcmp(((const struct tree_entry *)left)->path, ((const struct tree_entry *)right)->path);
}

static int extract_place(struct extraction *extraction, const struct merged *root, const char *path,
                         struct error *error) {
    struct place place;
    int result = merged_walk(root, path, &place, error);
    const char *name = path_base(buffer_text(&place.resolved));
    /* A link that is named itself is followed, as cp and COPY do. */
    for (unsigned links = 0; result == 0 && place.type == 'l'; links++) {
        AUTO_FREE char *folder = text_copy(buffer_text(&place.resolved));
        char target[PATH_MAX];
        ssize_t length = readlink(place.path, target, sizeof(target) - 1);
        if (length <= 0 || links == LINK_LIMIT) {
            result = error_set(error, ERROR_DATA, "%s leads through too many symbolic links", path);
            break;
        }
        target[length] = '\0';
        *strrchr(folder, '/') = '\0';
        AUTO_FREE char *next = *target == '/' ? text_copy(target) : text_format("%s/%s", folder, target);
        place_release(&place);
        result = merged_walk(root, next, &place, error);
        name = path_base(path);
    }
    extraction->is_directory = place.type == 'd';
    if (result == 0 && place.type == 'd')
        result = add_folder(extraction, &place.folder, "", 0, error);
    else if (result == 0 && place.type == 'f')
        result = add_file(extraction, place.path, name, &place.status, error);
    else if (result == 0)
        result = error_set(error, ERROR_DATA, "%s does not exist in the container", path);
    place_release(&place);
    return result;
}

int step_extract_except(struct engine *engine, const struct container *from, const char *path,
                        const struct text_list *except, struct digest *tree, bool *is_directory, struct error *error) {
    struct merged root = {0};
    struct extraction extraction = {.engine = engine, .except = except};
    int result = merged_open(engine, from, &root, error);
    if (result == 0) {
        store_batch_begin(engine->store);
        result = extract_place(&extraction, &root, path, error);
        struct error second;
        if (store_batch_end(engine->store, result == 0 ? error : &second) < 0)
            result = -1;
    }
    if (result == 0 && extraction.tree.count)
        qsort(extraction.tree.entries, extraction.tree.count, sizeof(*extraction.tree.entries), compare_entries);
    if (result == 0)
        result = tree_store(engine, &extraction.tree, tree, error);
    if (is_directory)
        *is_directory = extraction.is_directory;
    tree_release(&extraction.tree);
    text_list_release(&root.folders);
    return result;
}

int step_extract(struct engine *engine, const struct container *from, const char *path, struct digest *tree,
                 bool *is_directory, struct error *error) {
    return step_extract_except(engine, from, path, NULL, tree, is_directory, error);
}
