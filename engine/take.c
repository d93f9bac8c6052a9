#include "engine/take.h"

#include "common/file/file.h"
#include "engine/layer.h"
#include "engine/sandbox/sandbox.h"
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <string.h>
#include <sys/stat.h>

enum { DEPTH_LIMIT = 12, SHOWN_LIMIT = 8, CANDIDATE_LIMIT = 100 };

/* ---- looking up and recording ---- */

static struct json *text_array(const struct text_list *list) {
    struct json *array = json_new_array();
    for (size_t i = 0; list && i < list->count; i++)
        json_append_text(array, list->items[i]);
    return array;
}

static struct json *new_definition(const char *operation, const struct container *from, const char *path) {
    struct json *definition = json_new_object();
    json_set_integer(definition, "pl", 1);
    json_set_text(definition, "operation", operation);
    json_set_text(definition, "input", digest_format(&from->digest).text);
    json_set_text(definition, "path", path);
    return definition;
}

static void key_of(const struct json *definition, char *key) {
    AUTO_FREE char *text = json_format(definition, JSON_CANONICAL);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

/* Whether the tree's files are all there: gc may have taken some of them. */
static bool is_complete(struct engine *engine, const struct digest *digest) {
    AUTO_TREE struct tree tree = {0};
    if (!store_has(engine->store, digest) || tree_load(engine, digest, &tree, NULL) < 0)
        return false;
    for (size_t i = 0; i < tree.count; i++)
        if ((tree.entries[i].type == 'f' || tree.entries[i].type == 'x') &&
            !store_has(engine->store, &tree.entries[i].digest))
            return false;
    return true;
}

static int find(struct engine *engine, const char *key, struct digest *tree, struct error *error) {
    AUTO_JSON struct json *value = NULL;
    if (engine->no_cache)
        return 0;
    if (store_name_read(engine->store, "taken", key, &value, error) < 0)
        return -1;
    return value && digest_parse(json_get_text(value, "tree", ""), tree, NULL) == 0 && is_complete(engine, tree);
}

static int record(struct engine *engine, const char *key, const char *name, const struct json *definition,
                  const struct digest *tree, struct error *error) {
    AUTO_JSON struct json *value = json_new_object();
    json_set_text(value, "name", name);
    json_set_text(value, "tree", digest_format(tree).text);
    json_set(value, "definition", json_copy_deep(definition));
    return store_name_write(engine->store, "taken", key, value, error);
}

/* What is taken is named by its content alone: who made it in the container says nothing. */
static int drop_owners(struct engine *engine, struct digest *digest, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if (tree_load(engine, digest, &tree, error) < 0)
        return -1;
    for (size_t i = 0; i < tree.count; i++)
        tree.entries[i].has_owner = false;
    return tree_store(engine, &tree, digest, error);
}

/* ---- the site ---- */

static bool is_site(struct engine *engine, const struct digest *digest, bool is_split) {
    AUTO_TREE struct tree tree = {0};
    if (tree_load(engine, digest, &tree, NULL) < 0)
        return false;
    for (size_t i = 0; i < tree.count; i++) {
        const struct tree_entry *entry = &tree.entries[i];
        const char *slash = strchr(entry->path, '/');
        bool is_file = entry->type == 'f' || entry->type == 'x';
        if (is_file && (text_equal(entry->path, "index.html") || (is_split && text_equal(slash, "/index.html"))))
            return true;
    }
    return false;
}

/* Tries one place: 1 when it is a site. */
static int try_place(struct engine *engine, const struct container *from, const struct take_site *site,
                     const char *place, struct digest *tree, struct error *error) {
    AUTO_FREE char *path = path_join(site->path, place);
    struct error failure = {0};
    bool is_directory;
    if (step_extract(engine, from, path, tree, &is_directory, &failure) < 0) {
        if (failure.kind == ERROR_DATA) /* it is not there */
            return 0;
        *error = failure;
        return -1;
    }
    if (!is_directory || !is_site(engine, tree, site->is_split))
        return 0;
    return drop_owners(engine, tree, error) < 0 ? -1 : 1;
}

/* Directories below `folder` with an index.html; what is hidden and what is installed is no site. */
static void list_candidates(const char *folder, const char *prefix, unsigned depth, struct text_list *found) {
    AUTO_LIST struct text_list names = {0};
    if (depth > DEPTH_LIMIT || found->count >= CANDIDATE_LIMIT || directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *full = path_join(folder, names.items[i]);
        struct stat status;
        if (lstat(full, &status) < 0)
            continue;
        if (S_ISREG(status.st_mode) && text_equal(names.items[i], "index.html") && *prefix)
            text_list_add(found, prefix);
        if (!S_ISDIR(status.st_mode) || *names.items[i] == '.' || text_equal(names.items[i], "node_modules"))
            continue;
        AUTO_FREE char *below = *prefix ? path_join(prefix, names.items[i]) : text_copy(names.items[i]);
        list_candidates(full, below, depth + 1, found);
    }
}

/* Of several that lie inside of each other the outermost is the site, the others are pages of it. */
static void keep_outermost(struct text_list *found) {
    struct text_list kept = {0};
    text_list_sort(found);
    for (size_t i = 0; i < found->count; i++) {
        const char *last = kept.count ? kept.items[kept.count - 1] : NULL;
        size_t length = last ? strlen(last) : 0;
        if (!last || strncmp(found->items[i], last, length) != 0 || found->items[i][length] != '/')
            text_list_add(&kept, found->items[i]);
    }
    text_list_release(found);
    *found = kept;
}

/* What the last step wrote is the topmost layer, if it wrote anything. */
static int find_candidates(struct engine *engine, const struct container *from, const struct take_site *site,
                           struct text_list *found, struct error *error) {
    const struct json *history = json_get(from->config, "history");
    const struct json *last = json_at(history, json_count(history) - 1);
    struct digest diff_id;
    AUTO_FREE char *layer = NULL;
    if (json_count(history) == 0 || json_get_bool(last, "empty_layer", false))
        return 0;
    if (container_layer(from, container_layer_count(from) - 1, &diff_id, error) < 0 ||
        layer_directory(engine, &diff_id, &layer, error) < 0)
        return -1;
    AUTO_FREE char *folder = path_join(layer, site->path);
    list_candidates(folder, "", 0, found);
    keep_outermost(found);
    return 0;
}

static int refuse(const struct take_site *site, const struct text_list *found, struct error *error) {
    AUTO_BUFFER struct buffer list = BUFFER(900), expected = BUFFER(300);
    for (size_t i = 0; i < found->count && i < SHOWN_LIMIT; i++)
        buffer_append_format(&list, "%s%s", i > 0 ? ", " : "", found->items[i]);
    for (size_t i = 0; i < site->places->count && (i == 0 || !site->is_certain); i++)
        buffer_append_format(&expected, "%s%s", i > 0 ? " or " : "", site->places->items[i]);
    if (found->count == 0) {
        error_set(error, ERROR_DATA, "the build passed, but it wrote no index.html: not in %s and nowhere else",
                  buffer_text(&expected));
        return error_next(error, "look at what the build script does; {\"build\": {\"script\": \"NAME\"}} in pl.json "
                                 "names another one");
    }
    error_set(error, ERROR_DATA, "the build passed, but there is no index.html in %s; it wrote one to: %s",
              buffer_text(&expected), buffer_text(&list));
    return error_next(error, "{\"build\": {\"output\": \"%s\"}} in pl.json says which one is the site",
                      found->items[0]);
}

static int make_site(struct engine *engine, const struct container *from, const struct take_site *site,
                     struct digest *tree, struct error *error) {
    if (sandbox_enter(error) < 0)
        return -1;
    for (size_t i = 0; i < site->places->count && (i == 0 || !site->is_certain); i++) {
        int found = try_place(engine, from, site, site->places->items[i], tree, error);
        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    AUTO_LIST struct text_list candidates = {0};
    if (find_candidates(engine, from, site, &candidates, error) < 0)
        return -1;
    if (site->is_certain || candidates.count != 1)
        return refuse(site, &candidates, error);
    progress_note(engine->progress, "%s is the only directory that the build wrote an index.html to: it is the site",
                  candidates.items[0]);
    int found = try_place(engine, from, site, candidates.items[0], tree, error);
    return found > 0 ? 0 : found < 0 ? -1 : refuse(site, &candidates, error);
}

/* ---- both ---- */

static int make_directory(struct engine *engine, const struct container *from, const struct take *take,
                          struct digest *tree, struct error *error) {
    bool is_directory = true;
    if (sandbox_enter(error) < 0 ||
        step_extract_except(engine, from, take->path, take->except, tree, &is_directory, error) < 0)
        return -1;
    if (!is_directory)
        return error_set(error, ERROR_DATA, "%s is no directory", take->path);
    return drop_owners(engine, tree, error);
}

/* Either `site` or `take`. */
static int look_up(struct engine *engine, const struct container *from, const struct take_site *site,
                   const struct take *take, const struct json *definition, struct digest *tree, struct error *error) {
    char key[DIGEST_HEX];
    const char *name = site ? site->name : take->name;
    key_of(definition, key);
    int state = find(engine, key, tree, error);
    if (state < 0)
        return -1;
    int step = progress_begin(engine->progress, "%s", name);
    if (state == 1) {
        progress_end(engine->progress, step, PROGRESS_CACHED);
        engine->steps_found++;
        return 0;
    }
    int result = site ? make_site(engine, from, site, tree, error) : make_directory(engine, from, take, tree, error);
    if (result == 0)
        result = record(engine, key, name, definition, tree, error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    engine->steps_made++;
    return result;
}

int take_directory(struct engine *engine, const struct container *from, const struct take *take, struct digest *tree,
                   struct error *error) {
    AUTO_JSON struct json *definition = new_definition("take", from, take->path);
    json_set(definition, "except", text_array(take->except));
    return look_up(engine, from, NULL, take, definition, tree, error);
}

int take_site(struct engine *engine, const struct container *from, const struct take_site *site, struct digest *tree,
              struct error *error) {
    AUTO_JSON struct json *definition = new_definition("take a site", from, site->path);
    json_set(definition, "places", text_array(site->places));
    json_set_bool(definition, "certain", site->is_certain);
    json_set_bool(definition, "split", site->is_split);
    return look_up(engine, from, site, NULL, definition, tree, error);
}
