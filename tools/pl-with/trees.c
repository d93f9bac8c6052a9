/* The words on a directory: its tree object is changed, nothing is laid on the disk. */
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/tree.h"
#include "tools/pl-with/with.h"

#include <string.h>

static int load(const struct with *with, struct tree *tree, struct error *error) {
    return tree_load((struct engine *)&with->session.engine, &with->artifact.digest, tree, error);
}

static int keep(struct with *with, const struct tree *tree, struct error *error) {
    struct digest digest;
    if (tree_store(&with->session.engine, tree, &digest, error) < 0)
        return -1;
    artifact_set_directory(&with->artifact, &digest);
    return 0;
}

/* "1000:1000" as numbers: a directory has no users of its own. */
static int set_owner(const struct with *with, struct tree *tree, struct error *error) {
    const char *owner = with->arguments->owner, *colon = owner ? strchr(owner, ':') : NULL;
    uint64_t uid = 0, gid = 0;
    int mode;
    if (with_mode(with, &mode, error) < 0)
        return -1;
    if (owner) {
        AUTO_FREE char *user = text_copy_length(owner, colon ? (size_t)(colon - owner) : strlen(owner));
        if (!text_to_u64(user, UINT32_MAX - 1, &uid) || (colon && !text_to_u64(colon + 1, UINT32_MAX - 1, &gid)))
            return error_set(error, ERROR_USAGE, "--owner %s: a directory knows no names, give numbers", owner);
        gid = colon ? gid : uid;
    }
    tree_own(tree, (uint32_t)uid, (uint32_t)gid, owner != NULL, mode);
    return 0;
}

/* Files without an owner of their own stay as they are. */
static bool sets_owner(const struct with *with) {
    return with->arguments->owner || with->arguments->mode;
}

static int lay(struct with *with, struct tree *what, const char *at, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if ((sets_owner(with) && set_owner(with, what, error) < 0) || load(with, &tree, error) < 0 ||
        tree_lay(&tree, what, at, error) < 0)
        return -1;
    return keep(with, &tree, error);
}

/* One file at a path; into a directory that is there, or is named with a slash, under its own name. */
static int lay_file(struct with *with, struct tree *file, const char *destination, struct error *error) {
    AUTO_FREE char *path = NULL, *folder = NULL;
    AUTO_TREE struct tree tree = {0};
    if (chain_path_inside(destination, &path, error) < 0 || load(with, &tree, error) < 0)
        return -1;
    const struct tree_entry *there = tree_find(&tree, path);
    if (!*path || chain_path_names_directory(destination) || (there && there->type == 'd'))
        return lay(with, file, path, error);
    size_t length = (size_t)(path_base(path) - path);
    folder = text_copy_length(path, length > 0 ? length - 1 : 0);
    free(file->entries[0].path);
    file->entries[0].path = text_copy(path_base(path));
    return lay(with, file, folder, error);
}

int tree_file(struct with *with, struct error *error) {
    AUTO_OPERAND struct operand operand = {0};
    struct selection_options options = with_selection(with);
    if (operand_need(&with->session.engine, with->operands[0], &options, false, &operand, error) < 0)
        return -1;
    return lay_file(with, &operand.tree, with->operands[1], error);
}

int tree_directory(struct with *with, struct error *error) {
    AUTO_OPERAND struct operand operand = {0};
    AUTO_FREE char *path = NULL;
    struct selection_options options = with_selection(with);
    if (operand_need(&with->session.engine, with->operands[0], &options, true, &operand, error) < 0 ||
        chain_path_inside(with->operands[1], &path, error) < 0)
        return -1;
    return lay(with, &operand.tree, path, error);
}

static int lay_entry(struct with *with, struct tree_entry entry, const char *path, struct error *error) {
    AUTO_TREE struct tree tree = {.entries = memory_allocate(1, sizeof(entry)), .count = 1};
    entry.path = text_copy("entry");
    tree.entries[0] = entry;
    if (chain_path_names_directory(path))
        return error_set(error, ERROR_USAGE, "%s is the path of a directory, not of a file", path);
    return lay_file(with, &tree, path, error);
}

int tree_new_file(struct with *with, struct error *error) {
    const char *text = with->operand_count > 1 ? with->operands[1] : "";
    struct tree_entry entry = {.type = 'f', .size = strlen(text)};
    if (store_put(with->session.engine.store, text, strlen(text), &entry.digest, error) < 0)
        return -1;
    return lay_entry(with, entry, with->operands[0], error);
}

int tree_symlink(struct with *with, struct error *error) {
    if (!*with->operands[0])
        return error_set(error, ERROR_USAGE, "a symbolic link needs a target");
    struct tree_entry entry = {.type = 'l', .target = text_copy(with->operands[0])};
    return lay_entry(with, entry, with->operands[1], error);
}

int tree_new_directory(struct with *with, struct error *error) {
    AUTO_FREE char *path = NULL;
    struct tree nothing = {0};
    if (chain_path_inside(with->operands[0], &path, error) < 0)
        return -1;
    return lay(with, &nothing, path, error);
}

int with_filter(struct with *with, struct error *error) {
    AUTO_TREE struct tree tree = {0}, chosen = {0};
    struct selection_options options = with_selection(with);
    if (options.include->count == 0 && options.exclude->count == 0 && !options.gitignore)
        return error_set(error, ERROR_USAGE, "filter needs --include, --exclude or --gitignore");
    if (load(with, &tree, error) < 0 || selection_filter(&with->session.engine, &tree, &options, &chosen, error) < 0)
        return -1;
    return keep(with, &chosen, error);
}

struct difference {
    const struct tree *old;
};

static bool is_different(void *context, const struct tree_entry *entry) {
    const struct difference *difference = context;
    const struct tree_entry *old = tree_find(difference->old, entry->path);
    return !old || old->type != entry->type || !digest_equal(&old->digest, &entry->digest) ||
           !text_equal(old->target, entry->target) || tree_entry_mode(old) != tree_entry_mode(entry) ||
           old->uid != entry->uid || old->gid != entry->gid;
}

int with_diff(struct with *with, struct error *error) {
    AUTO_OPERAND struct operand operand = {0};
    AUTO_TREE struct tree tree = {0}, chosen = {0};
    struct selection_options options = with_selection(with);
    struct difference difference = {&tree};
    if (operand_need(&with->session.engine, with->operands[0], &options, true, &operand, error) < 0 ||
        load(with, &tree, error) < 0)
        return -1;
    tree_select(&operand.tree, is_different, &difference, &chosen);
    return keep(with, &chosen, error);
}
