#include "chain/tree_edit.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

static struct tree_entry copy_entry(const struct tree_entry *from, const char *path) {
    struct tree_entry copy = *from;
    copy.path = text_copy(path);
    copy.target = text_copy(from->target);
    return copy;
}

static void entry_release(struct tree_entry *entry) {
    free(entry->path);
    free(entry->target);
}

static int compare_entries(const void *left, const void *right) {
    return strcmp(((const struct tree_entry *)left)->path, ((const struct tree_entry *)right)->path);
}

/* What is new is collected behind the entries that are sorted. */
struct laying {
    struct tree *tree;
    struct tree added;
};

static const struct tree_entry *find(const struct laying *laying, const char *path) {
    const struct tree_entry *entry = tree_find(laying->tree, path);
    /* Directories above the destination come first, topmost first. */
    for (size_t i = 0; !entry && i < laying->added.count; i++)
        if (text_equal(laying->added.entries[i].path, path))
            entry = &laying->added.entries[i];
    return entry;
}

static int make_parents(struct laying *laying, const char *at, struct error *error) {
    size_t length = strlen(at);
    for (size_t i = 1; i <= length; i++) {
        if (i < length && at[i] != '/')
            continue;
        AUTO_FREE char *path = text_copy_length(at, i);
        const struct tree_entry *entry = find(laying, path);
        if (entry && entry->type != 'd') {
            error_set(error, ERROR_DATA, "%s is no directory", path);
            return error_next(error, "remove it before (pl-with without file %s), or choose another destination", path);
        }
        if (!entry)
            laying->added.entries[laying->added.count++] =
                (struct tree_entry){.path = take_pointer(&path), .type = 'd'};
    }
    return 0;
}

static int lay_entry(struct laying *laying, const struct tree_entry *entry, const char *at, struct error *error) {
    AUTO_FREE char *path = *at ? path_join(at, entry->path) : text_copy(entry->path);
    struct tree_entry *old = (struct tree_entry *)tree_find(laying->tree, path);
    if (!old) {
        laying->added.entries[laying->added.count++] = copy_entry(entry, path);
        return 0;
    }
    if ((old->type == 'd') != (entry->type == 'd')) {
        error_set(error, ERROR_DATA, "%s is %s and would become %s", path,
                  old->type == 'd' ? "a directory" : "no directory", entry->type == 'd' ? "one" : "a file");
        return error_next(error, "remove it before, or choose another destination");
    }
    struct tree_entry fresh = copy_entry(entry, path);
    entry_release(old);
    *old = fresh;
    return 0;
}

int tree_lay(struct tree *tree, const struct tree *what, const char *at, struct error *error) {
    struct laying laying = {.tree = tree};
    laying.added.entries = memory_allocate(what->count + strlen(at) + 1, sizeof(*tree->entries));
    int result = make_parents(&laying, at, error);
    for (size_t i = 0; result == 0 && i < what->count; i++)
        result = lay_entry(&laying, &what->entries[i], at, error);
    tree->entries = memory_resize(tree->entries, tree->count + laying.added.count + 1, sizeof(*tree->entries));
    memcpy(tree->entries + tree->count, laying.added.entries, laying.added.count * sizeof(*tree->entries));
    tree->count += laying.added.count;
    free(laying.added.entries);
    qsort(tree->entries, tree->count, sizeof(*tree->entries), compare_entries);
    return result;
}

static bool is_at_or_below(const char *path, const char *top) {
    size_t length = strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool tree_drop(struct tree *tree, const char *path) {
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (is_at_or_below(tree->entries[i].path, path))
            entry_release(&tree->entries[i]);
        else
            tree->entries[kept++] = tree->entries[i];
    bool dropped = kept < tree->count;
    tree->count = kept;
    return dropped;
}

bool tree_below(const struct tree *tree, const char *path, struct tree *below) {
    const struct tree_entry *top = *path ? tree_find(tree, path) : NULL;
    size_t length = *path ? strlen(path) + 1 : 0;
    *below = (struct tree){.entries = memory_allocate(tree->count + 1, sizeof(*below->entries))};
    if (*path && !top)
        return false;
    if (top && top->type != 'd') {
        below->entries[below->count++] = copy_entry(top, path_base(path));
        return true;
    }
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        if (length == 0 || (is_at_or_below(entry->path, path) && strlen(entry->path) > length))
            below->entries[below->count++] = copy_entry(entry, entry->path + length);
    }
    return true;
}

void tree_own(struct tree *tree, uint32_t uid, uint32_t gid, bool has_owner, int mode) {
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[i];
        bool sets_mode = mode >= 0 && entry->type != 'l';
        if (sets_mode && entry->type != 'd')
            entry->type = mode & 0111 ? 'x' : 'f';
        unsigned now = sets_mode ? (unsigned)mode : tree_entry_mode(entry);
        tree_entry_set_owner(entry, has_owner ? uid : entry->uid, has_owner ? gid : entry->gid, now);
    }
}
