/* Files of a container: laid into it as layers. The same words on a directory are in trees.c. */
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/owner.h"
#include "engine/tree.h"
#include "tools/pl-with/with.h"

#include <string.h>

static int set_owner(const struct with *with, const char *owner, struct layer_content *content, struct error *error) {
    content->has_owner = owner != NULL;
    return owner ? owner_resolve((struct engine *)&with->session.engine, &with->artifact.container, owner,
                                 &content->uid, &content->gid, error)
                 : 0;
}

/* `file` is the name of the only entry of the tree, or NULL when the tree is a directory's. */
static int lay(struct with *with, const struct tree *tree, const char *file, const char *destination,
               struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_FREE char *path = NULL;
    AUTO_CONTAINER struct container output = {0};
    if (with_path(with, destination, &path, error) < 0)
        return -1;
    struct step_copy copy = {.name = with->title,
                             .input_name = with->operands[0],
                             .created_by = with->title,
                             .content = {.destination = path},
                             .looks = true,
                             .is_fresh = json_get_bool(with->artifact.record, "fresh", false),
                             .file_name = file && !chain_path_names_directory(destination) ? file : NULL};
    if (with_mode(with, &copy.content.mode, error) < 0 ||
        set_owner(with, with->arguments->owner, &copy.content, error) < 0 ||
        tree_store(engine, tree, &copy.content.tree, error) < 0 ||
        step_copy(engine, &with->artifact.container, &copy, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    return 0;
}

int with_file(struct with *with, struct error *error) {
    if (with->artifact.type == RECORD_DIRECTORY)
        return tree_file(with, error);
    AUTO_OPERAND struct operand operand = {0};
    struct selection_options options = with_selection(with);
    if (operand_need(&with->session.engine, with->operands[0], &options, false, &operand, error) < 0)
        return -1;
    return lay(with, &operand.tree, operand_file(&operand)->path, with->operands[1], error);
}

int with_directory(struct with *with, struct error *error) {
    if (with->artifact.type == RECORD_DIRECTORY)
        return tree_directory(with, error);
    AUTO_OPERAND struct operand operand = {0};
    struct selection_options options = with_selection(with);
    if (operand_need(&with->session.engine, with->operands[0], &options, true, &operand, error) < 0)
        return -1;
    return lay(with, &operand.tree, NULL, with->operands[1], error);
}

/* A tree of one entry, named like the end of `path`. */
static int name_entry(const char *path, struct tree *tree, struct error *error) {
    AUTO_FREE char *clean = NULL;
    if (chain_path("/", path, &clean, error) < 0)
        return -1;
    if (text_equal(clean, "/") || chain_path_names_directory(path))
        return error_set(error, ERROR_USAGE, "%s is the path of a directory, not of a file", path);
    tree->entries = memory_allocate(1, sizeof(*tree->entries));
    tree->entries[tree->count++] = (struct tree_entry){.path = text_copy(path_base(clean)), .type = 'f'};
    return 0;
}

int with_new_file(struct with *with, struct error *error) {
    if (with->artifact.type == RECORD_DIRECTORY)
        return tree_new_file(with, error);
    AUTO_TREE struct tree tree = {0};
    const char *text = with->operand_count > 1 ? with->operands[1] : "";
    int mode;
    if (name_entry(with->operands[0], &tree, error) < 0 || with_mode(with, &mode, error) < 0)
        return -1;
    tree.entries[0].size = strlen(text);
    tree.entries[0].type = mode >= 0 && (mode & 0111) ? 'x' : 'f';
    if (store_put(with->session.engine.store, text, strlen(text), &tree.entries[0].digest, error) < 0)
        return -1;
    return lay(with, &tree, tree.entries[0].path, with->operands[0], error);
}

int with_symlink(struct with *with, struct error *error) {
    if (with->artifact.type == RECORD_DIRECTORY)
        return tree_symlink(with, error);
    AUTO_TREE struct tree tree = {0};
    if (name_entry(with->operands[1], &tree, error) < 0)
        return -1;
    if (!*with->operands[0])
        return error_set(error, ERROR_USAGE, "a symbolic link needs a target");
    tree.entries[0].type = 'l';
    tree.entries[0].target = text_copy(with->operands[0]);
    return lay(with, &tree, tree.entries[0].path, with->operands[1], error);
}

/* A directory that is made when it is missing, with a change of the config. */
static int make_directory(struct with *with, const char *path, const char *owner, const struct json *change,
                          struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_CONTAINER struct container output = {0};
    struct tree nothing = {0};
    struct step_copy copy = {.name = with->title,
                             .created_by = with->title,
                             .content = {.destination = path, .mode = -1},
                             .looks = true,
                             .is_fresh = json_get_bool(with->artifact.record, "fresh", false),
                             .only_missing = true,
                             .change = change};
    if (tree_store(engine, &nothing, &copy.content.tree, error) < 0 ||
        set_owner(with, owner, &copy.content, error) < 0 ||
        step_copy(engine, &with->artifact.container, &copy, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    return 0;
}

int with_new_directory(struct with *with, struct error *error) {
    AUTO_FREE char *path = NULL;
    if (with->artifact.type == RECORD_DIRECTORY)
        return tree_new_directory(with, error);
    if (with_path(with, with->operands[0], &path, error) < 0)
        return -1;
    return make_directory(with, path, with->arguments->owner, NULL, error);
}

/* It belongs to the container's user. */
int with_workdir(struct with *with, struct error *error) {
    AUTO_FREE char *path = NULL;
    AUTO_JSON struct json *change = json_new_object();
    if (with_path(with, with->operands[0], &path, error) < 0)
        return -1;
    json_set_text(change, "WorkingDir", path);
    return make_directory(with, path, with_setting(with, "User", NULL), change, error);
}

int with_rootfs(struct with *with, struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_OPERAND struct operand operand = {0};
    AUTO_CONTAINER struct container output = {0};
    struct selection_options options = with_selection(with);
    struct layer_content owner = {0};
    struct digest tree;
    int mode;
    if (operand_need(engine, with->operands[0], &options, true, &operand, error) < 0 ||
        with_mode(with, &mode, error) < 0 || set_owner(with, with->arguments->owner, &owner, error) < 0)
        return -1;
    tree_own(&operand.tree, owner.uid, owner.gid, owner.has_owner, mode);
    if (tree_store(engine, &operand.tree, &tree, error) < 0 ||
        step_replace_root(engine, &with->artifact.container, &tree, with->title, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    json_remove(with->artifact.record, "fresh");
    return 0;
}
