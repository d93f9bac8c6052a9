/* What is taken away again: pl-with without KIND NAME... */
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"
#include "engine/tree.h"
#include "tools/pl-with/with.h"

#include <string.h>

/* ---- files ---- */

static int remove_from_tree(struct with *with, struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_TREE struct tree tree = {0};
    struct digest digest;
    if (tree_load(engine, &with->artifact.digest, &tree, error) < 0)
        return -1;
    for (size_t i = 1; i < with->operand_count; i++) {
        AUTO_FREE char *path = NULL;
        if (chain_path_inside(with->operands[i], &path, error) < 0)
            return -1;
        if (!*path)
            return error_set(error, ERROR_USAGE, "the root cannot be removed");
        if (!tree_drop(&tree, path))
            progress_note(engine->progress, "there is no %s to remove", path);
    }
    if (tree_store(engine, &tree, &digest, error) < 0)
        return -1;
    artifact_set_directory(&with->artifact, &digest);
    return 0;
}

static int remove_files(struct with *with, struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_LIST struct text_list paths = {0};
    AUTO_CONTAINER struct container output = {0};
    if (with->artifact.type == RECORD_DIRECTORY)
        return remove_from_tree(with, error);
    for (size_t i = 1; i < with->operand_count; i++) {
        char *path;
        if (with_path(with, with->operands[i], &path, error) < 0)
            return -1;
        text_list_take(&paths, path);
        if (text_equal(path, "/"))
            return error_set(error, ERROR_USAGE, "the root cannot be removed");
    }
    if (step_remove(engine, &with->artifact.container, &paths, with->title, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    json_remove(with->artifact.record, "fresh");
    return 0;
}

/* ---- settings ---- */

static int remove_variables(struct with *with, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    struct json *list = json_need_array(change, "Env");
    for (size_t i = 1; i < with->operand_count; i++)
        json_append_text(list, with->operands[i]);
    return with_change(with, change, error);
}

/* Members of an object of the config. */
static int remove_members(struct with *with, const char *object, const char *suffix, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    struct json *members = json_need_object(change, object);
    for (size_t i = 1; i < with->operand_count; i++) {
        const char *name = with->operands[i];
        AUTO_FREE char *full = strchr(name, '/') ? text_copy(name) : text_format("%s%s", name, suffix);
        json_set(members, full, json_new_null());
    }
    return with_change(with, change, error);
}

static int remove_annotations(struct with *with, struct error *error) {
    (void)error;
    struct json *annotations = json_need_object(with->artifact.record, "annotations");
    for (size_t i = 1; i < with->operand_count; i++)
        json_remove(annotations, with->operands[i]);
    if (json_count(annotations) == 0)
        json_remove(with->artifact.record, "annotations");
    return 0;
}

static int remove_setting(struct with *with, const char *name, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    json_set(change, name, json_new_null());
    return with_change(with, change, error);
}

static const struct kind {
    const char *name, *member, *suffix;
    enum { FILES, VARIABLES, MEMBERS, ANNOTATIONS, SETTING } form;
} kinds[] = {
    {"file", NULL, NULL, FILES},
    {"directory", NULL, NULL, FILES},
    {"env", NULL, NULL, VARIABLES},
    {"label", "Labels", "", MEMBERS},
    {"port", "ExposedPorts", "/tcp", MEMBERS},
    {"volume", "Volumes", "", MEMBERS},
    {"annotation", NULL, NULL, ANNOTATIONS},
    {"entrypoint", "Entrypoint", NULL, SETTING},
    {"cmd", "Cmd", NULL, SETTING},
    {"user", "User", NULL, SETTING},
    {"workdir", "WorkingDir", NULL, SETTING},
    {"health-check", "Healthcheck", NULL, SETTING},
    {"stop-signal", "StopSignal", NULL, SETTING},
};

static const struct kind *find_kind(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (text_equal(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static int unknown_kind(const char *name, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        text_list_add(&names, kinds[i].name);
    const char *near = text_nearest(name, (const char *const *)names.items);
    error_set(error, ERROR_USAGE, "without does not know \"%.60s\"", name);
    return error_next(error, "for example: pl-with without %s …", near ? near : "file");
}

int with_without(struct with *with, struct error *error) {
    const struct kind *kind = find_kind(with->operands[0]);
    if (!kind)
        return unknown_kind(with->operands[0], error);
    if ((with->operand_count == 1) != (kind->form == SETTING))
        return error_set(error, ERROR_USAGE, "without %s %s", kind->name,
                         kind->form == SETTING ? "takes no name" : "needs a name");
    if (kind->form != FILES && with->artifact.type != RECORD_CONTAINER)
        return error_set(error, ERROR_DATA, "a directory has no %s", kind->name);
    switch (kind->form) {
    case FILES:
        return remove_files(with, error);
    case VARIABLES:
        return remove_variables(with, error);
    case MEMBERS:
        return remove_members(with, kind->member, kind->suffix, error);
    case ANNOTATIONS:
        return remove_annotations(with, error);
    default:
        return remove_setting(with, kind->member, error);
    }
}
