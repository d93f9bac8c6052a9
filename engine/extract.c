/* Looking into a container's file system without mounting it: its layers merged directory by directory. */
#include "common/file/file.h"
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { LINK_LIMIT = 40, DEPTH_LIMIT = 200, ENTRY_LIMIT = 5000000 };
#define FILE_LIMIT (8ULL << 30)

/* The directories of several layers, topmost first, that together are one directory of the container. */
struct merged {
    struct text_list folders;
};

static bool is_whiteout(const struct stat *status) {
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

static bool is_opaque(const char *path) {
    char value[4];
    return (lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y') ||
           (lgetxattr(path, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y');
}

/* Looks a name up: 'd' with *below filled, 'f' or 'l' with *path, 0 when there is none. */
static char lookup(const struct merged *in, const char *name, struct merged *below, char **path, struct stat *status) {
    *path = NULL;
    char type = 0;
    for (size_t i = 0; i < in->folders.count; i++) {
        AUTO_FREE char *full = path_join(in->folders.items[i], name);
        struct stat found;
        if (lstat(full, &found) < 0)
            continue;
        if (is_whiteout(&found) || (type == 'd' && !S_ISDIR(found.st_mode)))
            break;
        if (!S_ISDIR(found.st_mode)) {
            *status = found;
            *path = take_pointer(&full);
            return S_ISREG(found.st_mode) ? 'f' : S_ISLNK(found.st_mode) ? 'l' : 's';
        }
        type = 'd';
        text_list_add(&below->folders, full);
        if (is_opaque(full))
            break;
    }
    return type;
}

static int open_root(struct engine *engine, const struct container *container, struct merged *root,
                     struct error *error) {
    for (size_t i = container_layer_count(container); i-- > 0;) {
        struct digest diff_id;
        char *path = NULL;
        if (container_layer(container, i, &diff_id, error) < 0 || layer_directory(engine, &diff_id, &path, error) < 0)
            return -1;
        text_list_take(&root->folders, path);
    }
    return 0;
}

static void merged_copy(const struct merged *from, struct merged *to) {
    text_list_release(&to->folders);
    text_list_add_all(&to->folders, &from->folders);
}

/* Puts the parts of `path` in front of what is still to be walked. */
static void push_parts(struct text_list *rest, const char *path) {
    struct text_list joined = {0};
    text_list_split(&joined, path, '/');
    text_list_add_all(&joined, rest);
    text_list_release(rest);
    *rest = joined;
}

static void pop_part(char *resolved) {
    char *slash = strrchr(resolved, '/');
    if (slash)
        *slash = '\0';
}

static char *take_first(struct text_list *rest) {
    char *first = rest->items[0];
    memmove(rest->items, rest->items + 1, rest->count * sizeof(*rest->items));
    rest->count--;
    return first;
}

/* Where a walk has arrived. */
struct place {
    struct merged folder; /* when type is 'd' */
    char type;            /* 'd', 'f', 'l', 's', or 0: does not exist */
    char *path;           /* on the disk, of a file or link */
    struct stat status;
    struct buffer resolved; /* absolute path in the container, without links on the way */
};

static void place_release(struct place *place) {
    text_list_release(&place->folder.folders);
    free(place->path);
    buffer_release(&place->resolved);
}

static void return_to_root(struct place *place, const struct merged *root) {
    merged_copy(root, &place->folder);
    buffer_clear(&place->resolved);
    place->type = 'd';
}

/* One part of the path. Sets *link (owned) when the part is a link to be followed. */
static int walk_part(struct place *place, const char *part, bool is_last, char **link, struct error *error) {
    struct merged below = {0};
    free(place->path);
    place->path = NULL;
    char type = place->type == 'd' ? lookup(&place->folder, part, &below, &place->path, &place->status) : 0;
    if (type == 'l' && !is_last) {
        char target[PATH_MAX];
        ssize_t length = readlink(place->path, target, sizeof(target) - 1);
        if (length <= 0)
            return error_set_errno(error, errno, "cannot read a link of the container");
        *link = text_copy_length(target, (size_t)length);
        return 0;
    }
    buffer_append_format(&place->resolved, "/%s", part);
    text_list_release(&place->folder.folders);
    place->folder = below;
    place->type = type;
    return 0;
}

static int walk(const struct merged *root, const char *path, struct place *place, struct error *error) {
    AUTO_LIST struct text_list rest = {0};
    *place = (struct place){.resolved = BUFFER(PATH_MAX)};
    text_list_split(&rest, path, '/');
    return_to_root(place, root);
    for (unsigned links = 0; rest.count > 0;) {
        AUTO_FREE char *part = take_first(&rest), *link = NULL;
        if (!*part || text_equal(part, "."))
            continue;
        if (text_equal(part, "..")) {
            AUTO_FREE char *up = buffer_take(&place->resolved);
            place->resolved = BUFFER(PATH_MAX);
            pop_part(up);
            push_parts(&rest, up);
            return_to_root(place, root);
            continue;
        }
        if (walk_part(place, part, rest.count == 0, &link, error) < 0)
            return -1;
        if (!link)
            continue;
        if (++links > LINK_LIMIT)
            return error_set(error, ERROR_DATA, "%s leads through too many symbolic links", path);
        AUTO_FREE char *from = *link == '/' ? NULL : text_copy(buffer_text(&place->resolved));
        push_parts(&rest, link);
        if (from)
            push_parts(&rest, from);
        return_to_root(place, root);
    }
    return buffer_check(&place->resolved, "a path", error);
}

int container_resolve(struct engine *engine, const struct container *container, const char *path, char **resolved,
                      struct error *error) {
    struct merged root = {0};
    struct place place = {0};
    *resolved = NULL;
    int result = open_root(engine, container, &root, error);
    /* The slash makes the last part be followed too: it is a directory to copy into. */
    AUTO_FREE char *folder = text_format("%s/.", path);
    if (result == 0)
        result = walk(&root, folder, &place, error);
    if (result == 0)
        *resolved = place.resolved.length ? text_copy(buffer_text(&place.resolved)) : text_copy("/");
    place_release(&place);
    text_list_release(&root.folders);
    return result;
}

/* ---- extraction ---- */

struct extraction {
    struct engine *engine;
    struct tree tree;
    size_t capacity;
    bool is_directory;
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
    return 0;
}

static int add_link(struct extraction *extraction, const char *full, const char *path, struct error *error) {
    char target[PATH_MAX];
    ssize_t length = readlink(full, target, sizeof(target) - 1);
    if (length <= 0)
        return error_set_errno(error, errno, "cannot read the link /%s of the container", path);
    target[length] = '\0';
    add_entry(extraction, path, 'l')->target = text_copy(target);
    return 0;
}

/* The names of all layers' directories; which of them are hidden is found at the lookup. */
static int list_merged(const struct merged *folder, struct text_list *names, struct error *error) {
    AUTO_LIST struct text_list all = {0};
    for (size_t i = 0; i < folder->folders.count; i++)
        if (directory_list(folder->folders.items[i], &all, error) < 0)
            return -1;
    text_list_sort(&all);
    for (size_t i = 0; i < all.count; i++)
        if (i == 0 || !text_equal(all.items[i], all.items[i - 1]))
            text_list_add(names, all.items[i]);
    return 0;
}

static int add_folder(struct extraction *extraction, const struct merged *folder, const char *prefix, unsigned depth,
                      struct error *error);

static int add_item(struct extraction *extraction, const struct merged *folder, const char *prefix, const char *name,
                    unsigned depth, struct error *error) {
    struct merged below = {0};
    struct stat status;
    AUTO_FREE char *full = NULL, *path = *prefix ? path_join(prefix, name) : text_copy(name);
    char type = lookup(folder, name, &below, &full, &status);
    int result = 0;
    if (extraction->tree.count > ENTRY_LIMIT)
        result = error_set(error, ERROR_DATA, "more than %d files to copy", ENTRY_LIMIT);
    else if (type == 'd') {
        add_entry(extraction, path, 'd');
        result = add_folder(extraction, &below, path, depth + 1, error);
    } else if (type == 'f')
        result = add_file(extraction, full, path, &status, error);
    else if (type == 'l')
        result = add_link(extraction, full, path, error);
    text_list_release(&below.folders);
    return result;
}

static int add_folder(struct extraction *extraction, const struct merged *folder, const char *prefix, unsigned depth,
                      struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (depth > DEPTH_LIMIT)
        return error_set(error, ERROR_DATA, "/%.80s… is nested too deep", prefix);
    if (list_merged(folder, &names, error) < 0)
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
    int result = walk(root, path, &place, error);
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
        pop_part(folder);
        AUTO_FREE char *next = *target == '/' ? text_copy(target) : text_format("%s/%s", folder, target);
        place_release(&place);
        result = walk(root, next, &place, error);
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

int step_extract(struct engine *engine, const struct container *from, const char *path, struct digest *tree,
                 bool *is_directory, struct error *error) {
    struct merged root = {0};
    struct extraction extraction = {.engine = engine};
    int result = open_root(engine, from, &root, error);
    if (result == 0)
        result = store_batch_begin(engine->store, error);
    if (result == 0) {
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
