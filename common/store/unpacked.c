/* Unpacked trees: complete only with their mark. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/store/internal.h"

#include <fcntl.h>
#include <string.h>

/* Up to so many files and directories, an fsync of each is cheaper than one barrier for the whole file system. */
enum { FEW_FILES = 16 };

static bool is_tree_id(const char *id) {
    size_t length = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-");
    return length >= 8 && length < 128 && id[length] == '\0';
}

int store_tree_begin(struct store *store, char **path, struct error *error) {
    char random[17];
    random_hex(random, sizeof(random));
    AUTO_FREE char *folder = text_format("%s/tmp/tree-%s", store->path, random);
    *path = path_join(folder, "tree");
    if (directory_make(folder, 0700, error) < 0 || directory_make(*path, 0755, error) < 0)
        return -1;
    /* The umask must not change what ends up in a layer. */
    if (chmod(*path, 0755) < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    return 0;
}

static char *folder_of(const char *path) {
    return text_copy_length(path, strlen(path) - strlen("/tree"));
}

void store_tree_abort(struct store *store, const char *path) {
    (void)store;
    if (!path || !text_ends_with(path, "/tree"))
        return;
    AUTO_FREE char *folder = folder_of(path);
    tree_remove(folder, NULL);
}

/* The mark, then all of it to the disk, then the rename: what carries a name is complete. A tree is a directory that
 * holds "tree" and "clean"; one that is not named yet is nobody's, so that its mark may lie. */
static int name_tree(struct store *store, const char *folder, const char *final, struct error *error) {
    AUTO_FREE char *mark = path_join(folder, "clean"), *trees = path_join(store->path, "trees");
    if (file_replace(mark, "", 0, 0400, error) < 0 || tree_sync(folder, FEW_FILES, error) < 0)
        return error_wrap(error, "the store %s", store->path);
    if (renameat2(AT_FDCWD, folder, AT_FDCWD, final, RENAME_NOREPLACE) < 0) {
        if (errno != EEXIST)
            return error_set_errno(error, errno, "cannot write to the store %s", store->path);
        tree_remove(folder, NULL);
    }
    return directory_sync(trees, error);
}

int store_tree_commit(struct store *store, const char *path, const char *id, struct error *error) {
    if (!is_tree_id(id) || !text_ends_with(path, "/tree"))
        return error_set(error, ERROR_INTERNAL, "\"%s\" cannot be the name of a tree", id);
    AUTO_FREE char *folder = folder_of(path), *final = text_format("%s/trees/%s", store->path, id);
    int result = name_tree(store, folder, final, error);
    if (result < 0)
        store_tree_abort(store, path);
    return result;
}

char *store_tree_path(struct store *store, const char *id) {
    if (!is_tree_id(id))
        return NULL;
    AUTO_FREE char *mark = text_format("trees/%s/clean", id);
    if (faccessat(store->root_fd, mark, F_OK, 0) < 0)
        return NULL;
    return text_format("%s/trees/%s/tree", store->path, id);
}

int store_tree_list(struct store *store, struct text_list *ids, struct error *error) {
    AUTO_FREE char *folder = path_join(store->path, "trees");
    return directory_list(folder, ids, error);
}

int store_tree_remove(struct store *store, const char *id, struct error *error) {
    if (!is_tree_id(id))
        return error_set(error, ERROR_INTERNAL, "\"%s\" cannot be the name of a tree", id);
    AUTO_FREE char *folder = text_format("%s/trees/%s", store->path, id), *mark = path_join(folder, "clean");
    if (unlink(mark) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove %s", folder);
    return tree_remove(folder, error);
}
