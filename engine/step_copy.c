/* Copy steps: a layer of files, and how it fits what the container has at the destination. */
#include "common/file/file.h"
#include "engine/layer_internal.h"
#include "engine/merged.h"
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <string.h>

/* ---- destinations that need no look ---- */

/* Directories that are symbolic links in the usual bases: only a look at the base tells. */
static bool may_be_link(const char *destination) {
    static const char *const names[] = {"/bin",   "/sbin",   "/lib",     "/lib32",
                                        "/lib64", "/libx32", "/var/run", "/var/lock"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(destination, names[i], length) == 0 && (destination[length] == '/' || destination[length] == '\0'))
            return true;
    }
    return false;
}

/* Directories that every base has, root's and 0755 in all of them. */
static bool is_usual(const char *path) {
    static const char *const usual[] = {"/etc",       "/usr",           "/usr/bin",         "/usr/lib",
                                        "/usr/local", "/usr/local/bin", "/usr/src",         "/usr/local/lib",
                                        "/usr/sbin",  "/usr/local/etc", "/usr/local/share", "/usr/share"};
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
        if (text_equal(path, usual[i]))
            return true;
    return false;
}

static bool needs_look(const struct step_copy *copy) {
    const char *destination = copy->content.destination;
    if (copy->only_missing && text_equal(destination, "/"))
        return false;
    return copy->looks && !(copy->is_fresh && (is_usual(destination) || text_starts_with(destination, "/usr/")));
}

/* ---- where it goes ---- */

struct landing {
    struct engine *engine;
    const struct step_copy *copy;
    struct layer_content content;
    char *destination;    /* what content.destination points to */
    struct json *parents; /* what content.parents points to */
    bool exists;          /* the destination is there already, a directory */
    struct merged root;
};

static void landing_release(struct landing *landing) {
    free(landing->destination);
    json_release(&landing->parents);
    text_list_release(&landing->root.folders);
}

static void set_destination(struct landing *landing, char *destination) {
    free(landing->destination);
    landing->destination = destination;
    landing->content.destination = destination;
}

/* The one file of the tree under another name. */
static int rename_file(struct landing *landing, const char *name, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if (tree_load(landing->engine, &landing->content.tree, &tree, error) < 0)
        return -1;
    if (tree.count != 1)
        return error_set(error, ERROR_INTERNAL, "a single file was expected");
    free(tree.entries[0].path);
    tree.entries[0].path = text_copy(name);
    return tree_store(landing->engine, &tree, &landing->content.tree, error);
}

/* "/a/new/name": the file "name" goes to /a/new. */
static int become_file(struct landing *landing, struct error *error) {
    AUTO_FREE char *path = text_copy(landing->content.destination);
    AUTO_FREE char *name = text_copy(path_base(path));
    size_t length = (size_t)(path_base(path) - path);
    set_destination(landing, text_copy_length(path, length > 1 ? length - 1 : length));
    return rename_file(landing, name, error);
}

static int not_a_directory(const char *path, struct error *error) {
    error_set(error, ERROR_DATA, "%s is no directory in the image", path);
    return error_next(error, "remove it in a RUN step before, or choose another destination");
}

/* Follows the links of the destination; *type as merged_lookup says. */
static int follow(struct landing *landing, char *type, struct error *error) {
    AUTO_FREE char *inside = text_format("%s/.", landing->content.destination);
    struct place place = {0};
    int result = merged_walk(&landing->root, inside, &place, error);
    *type = place.type;
    if (result == 0 && (place.type == 'd' || !place.type))
        set_destination(landing, text_copy(place.resolved.length ? buffer_text(&place.resolved) : "/"));
    place_release(&place);
    return result;
}

/* A file that is to be named like something that is no directory takes its place. */
static int resolve_destination(struct landing *landing, struct error *error) {
    char type;
    AUTO_FREE char *given = text_copy(landing->content.destination);
    if (follow(landing, &type, error) < 0)
        return -1;
    if (landing->copy->file_name && type != 'd') {
        set_destination(landing, text_copy(given));
        if (become_file(landing, error) < 0 || follow(landing, &type, error) < 0)
            return -1;
    }
    if (type && type != 'd')
        return not_a_directory(landing->content.destination, error);
    landing->exists = type == 'd';
    return 0;
}

static void add_parent(struct landing *landing, uint32_t uid, uint32_t gid, unsigned mode) {
    struct json *parent = json_new_array();
    json_append(parent, json_new_integer(uid));
    json_append(parent, json_new_integer(gid));
    json_append(parent, json_new_integer(mode & 07777));
    json_append(landing->parents, parent);
}

/* Owner and mode of each directory down to the destination, as they are there or as they are made. */
static int look_at_parents(struct landing *landing, struct error *error) {
    AUTO_LIST struct text_list parts = {0};
    struct merged at = {0};
    int result = 0;
    text_list_add_all(&at.folders, &landing->root.folders);
    text_list_split(&parts, landing->destination + 1, '/');
    landing->parents = json_new_array();
    for (size_t i = 0; result == 0 && landing->destination[1] && i < parts.count; i++) {
        struct merged below = {0};
        struct stat status;
        AUTO_FREE char *path = NULL;
        char type = at.folders.count ? merged_lookup(&at, parts.items[i], &below, &path, &status) : 0;
        if (type && type != 'd')
            result = not_a_directory(landing->destination, error);
        else if (type && lstat(below.folders.items[0], &status) < 0)
            result = error_set_errno(error, errno, "cannot look at %s", landing->destination);
        else if (type)
            add_parent(landing, status.st_uid, status.st_gid, status.st_mode);
        else
            add_parent(landing, landing->content.uid, landing->content.gid, 0755);
        text_list_release(&at.folders);
        at = below;
    }
    text_list_release(&at.folders);
    landing->content.parents = landing->parents;
    return result;
}

/* Where the last entry's directory is in the container: its neighbours need no walk, and where it is absent, nothing
 * below it can be there. */
struct neighbourhood {
    char *path; /* NULL before the first */
    struct place place;
};

static void neighbourhood_release(struct neighbourhood *at) {
    free(take_pointer(&at->path));
    place_release(&at->place);
    at->place = (struct place){0};
}

static int enter_neighbourhood(struct landing *landing, const char *path, struct neighbourhood *at,
                               struct error *error) {
    size_t length = (size_t)(path_base(path) - path);
    if (at->path && strlen(at->path) == length && strncmp(at->path, path, length) == 0)
        return 0;
    neighbourhood_release(at);
    at->path = text_copy_length(path, length);
    AUTO_FREE char *inside = text_format("%s/%s.", landing->destination, at->path);
    return merged_walk(&landing->root, inside, &at->place, error);
}

static int check_entry(struct landing *landing, const struct tree_entry *entry, struct neighbourhood *at,
                       struct error *error) {
    AUTO_FREE char *path = NULL;
    struct merged below = {0};
    struct stat status;
    if (enter_neighbourhood(landing, entry->path, at, error) < 0)
        return -1;
    char type = at->place.type == 'd' && at->place.folder.folders.count
                    ? merged_lookup(&at->place.folder, path_base(entry->path), &below, &path, &status)
                    : 0;
    text_list_release(&below.folders);
    if (!type || (entry->type == 'd') == (type == 'd'))
        return 0;
    AUTO_FREE char *target = path_join(landing->destination, entry->path);
    if (entry->type == 'd')
        return not_a_directory(target, error);
    error_set(error, ERROR_DATA, "%s is a directory in the image, and a file in what is copied", target);
    return error_next(error, "remove it in a RUN step before, or choose another destination");
}

/* A directory must not take the place of a file or link, nor a file that of a directory: a base whose /lib is a link
 * would be broken. */
static int check_conflicts(struct landing *landing, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    AUTO(neighbourhood_release) struct neighbourhood at = {0};
    if (tree_load(landing->engine, &landing->content.tree, &tree, error) < 0)
        return -1;
    for (size_t i = 0; i < tree.count; i++)
        if (check_entry(landing, &tree.entries[i], &at, error) < 0)
            return -1;
    return 0;
}

static int look(struct landing *landing, const struct container *input, struct error *error) {
    if (merged_open(landing->engine, input, &landing->root, error) < 0 || resolve_destination(landing, error) < 0)
        return -1;
    if (landing->exists && landing->copy->only_missing)
        return 0;
    if (look_at_parents(landing, error) < 0)
        return -1;
    return landing->exists ? check_conflicts(landing, error) : 0;
}

/* Without a look: a place of which it is known what is there. */
static int assume(struct landing *landing, const struct container *input, struct error *error) {
    const char *destination = landing->content.destination;
    landing->exists = text_equal(destination, "/") || (landing->copy->looks && is_usual(destination));
    if (landing->copy->file_name)
        return landing->exists ? rename_file(landing, landing->copy->file_name, error) : become_file(landing, error);
    if (!may_be_link(destination))
        return 0;
    char *resolved = NULL;
    if (container_resolve(landing->engine, input, destination, &resolved, error) < 0)
        return -1;
    set_destination(landing, resolved);
    return 0;
}

int container_resolve(struct engine *engine, const struct container *container, const char *path, char **resolved,
                      struct error *error) {
    struct merged root = {0};
    struct place place = {0};
    *resolved = NULL;
    int result = merged_open(engine, container, &root, error);
    /* The last part is followed too: it is a directory to copy into. */
    AUTO_FREE char *folder = text_format("%s/.", path);
    if (result == 0)
        result = merged_walk(&root, folder, &place, error);
    if (result == 0)
        *resolved = text_copy(place.resolved.length ? buffer_text(&place.resolved) : "/");
    place_release(&place);
    text_list_release(&root.folders);
    return result;
}

/* ---- the step ---- */

static int make_copy(struct engine *engine, const struct container *input, const struct step_copy *copy,
                     struct container *output, struct error *error) {
    AUTO(landing_release) struct landing landing = {.engine = engine, .copy = copy, .content = copy->content};
    struct digest layer;
    if ((needs_look(copy) ? look(&landing, input, error) : assume(&landing, input, error)) < 0)
        return -1;
    bool lays = !(copy->only_missing && landing.exists);
    if (lays && layer_from_content(engine, &landing.content, &layer, error) < 0)
        return -1;
    struct json *config = NULL;
    if (copy->change) {
        config = json_copy_deep(input->config);
        step_change_config(config, copy->change);
    }
    return step_append(engine, input, lays ? &layer : NULL, copy->created_by ? copy->created_by : copy->name, config,
                       output, error);
}

static struct json *define_copy(struct engine *engine, const struct container *input, const struct step_copy *copy) {
    struct json *definition = step_definition(engine, "copy", input);
    json_set_text(definition, "name", copy->input_name);
    json_set(definition, "content", layer_content_json(&copy->content));
    json_set_text(definition, "file", copy->file_name);
    if (copy->looks)
        json_set_bool(definition, "looks", !copy->is_fresh);
    if (copy->only_missing)
        json_set_bool(definition, "missing", true);
    if (copy->change)
        json_set(definition, "change", json_copy_deep(copy->change));
    return definition;
}

int step_copy(struct engine *engine, const struct container *input, const struct step_copy *copy,
              struct container *output, struct error *error) {
    char key[DIGEST_HEX];
    AUTO_JSON struct json *definition = define_copy(engine, input, copy);
    *output = (struct container){0};
    int state = step_find(engine, definition, key, output, error);
    if (state < 0)
        return -1;
    step_explain(engine, copy->name, definition, state == 1);
    if (state == 1) {
        step_tell_found(engine, copy->name, key);
        return 0;
    }
    int step = progress_begin(engine->progress, "%s", copy->name);
    int result = make_copy(engine, input, copy, output, error);
    if (result == 0)
        result = step_record_container(engine, key, definition, copy->name, output, error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    engine->steps_made++;
    return result;
}
