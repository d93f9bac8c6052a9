/* Steps that take files away: a layer of whiteouts, written as a tar stream, the same in every mode of the sandbox. */
#include "common/file/file.h"
#include "engine/layer_internal.h"
#include "engine/merged.h"
#include "engine/step_internal.h"

#include <string.h>

enum { LAYER_LIMIT = 64 << 20 };

/* ---- what is there ---- */

/* The paths that exist, without links on the way, sorted; none below another. */
static int resolve(const struct merged *root, const struct text_list *paths, struct text_list *found,
                   struct error *error) {
    AUTO_LIST struct text_list all = {0};
    for (size_t i = 0; i < paths->count; i++) {
        struct place place = {0};
        int result = merged_walk(root, paths->items[i], &place, error);
        if (result == 0 && place.type && place.resolved.length > 0)
            text_list_add(&all, buffer_text(&place.resolved));
        place_release(&place);
        if (result < 0)
            return -1;
    }
    text_list_sort(&all);
    for (size_t i = 0; i < all.count; i++) {
        const char *last = found->count ? found->items[found->count - 1] : NULL;
        size_t length = last ? strlen(last) : 0;
        if (!last || strncmp(all.items[i], last, length) != 0 || (all.items[i][length] && all.items[i][length] != '/'))
            text_list_add(found, all.items[i]);
    }
    return 0;
}

/* ---- the layer ---- */

struct removal {
    struct engine *engine;
    const struct merged *root;
    struct tar_writer *tar;
    struct text_list written; /* directories */
};

/* A layer that passes through a directory says whose it is. */
static int write_directory(struct removal *removal, const char *path, struct error *error) {
    struct place place = {0};
    struct stat status;
    AUTO_FREE char *inside = text_format("/%s", path);
    int result = merged_walk(removal->root, inside, &place, error);
    if (result == 0 && (place.type != 'd' || lstat(place.folder.folders.items[0], &status) < 0))
        result = error_set(error, ERROR_INTERNAL, "%s has gone", inside);
    place_release(&place);
    if (result < 0)
        return -1;
    struct tar_entry entry = {.path = path,
                              .mode = status.st_mode,
                              .uid = status.st_uid,
                              .gid = status.st_gid,
                              .mtime = removal->engine->epoch};
    return tar_writer_entry(removal->tar, &entry, error);
}

static int write_parents(struct removal *removal, const char *path, struct error *error) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *folder = text_copy_length(path, (size_t)(slash - path));
        if (text_list_contains(&removal->written, folder))
            continue;
        if (write_directory(removal, folder, error) < 0)
            return -1;
        text_list_add(&removal->written, folder);
    }
    return 0;
}

static int write_whiteout(struct removal *removal, const char *path, struct error *error) {
    size_t folder = (size_t)(path_base(path) - path);
    AUTO_FREE char *name = text_format("%.*s.wh.%s", (int)folder, path, path + folder);
    struct tar_entry entry = {.path = name, .mode = S_IFREG | 0644, .mtime = removal->engine->epoch};
    if (write_parents(removal, path, error) < 0)
        return -1;
    return tar_writer_entry(removal->tar, &entry, error);
}

static int buffer_sink(void *context, const void *data, size_t length, struct error *error) {
    buffer_append(context, data, length);
    return buffer_check(context, "the layer", error);
}

static int make_layer(struct engine *engine, const struct merged *root, const struct text_list *found,
                      struct digest *diff_id, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(LAYER_LIMIT);
    AUTO_TAR_WRITER struct tar_writer *tar = tar_writer_new(buffer_sink, &out);
    struct removal removal = {.engine = engine, .root = root, .tar = tar};
    struct layer_descriptor blob = {.media_type = "application/vnd.oci.image.layer.v1.tar", .is_local = true};
    int result = 0;
    for (size_t i = 0; result == 0 && i < found->count; i++)
        result = write_whiteout(&removal, found->items[i] + 1, error);
    text_list_release(&removal.written);
    if (result < 0 || tar_writer_finish(tar, error) < 0 ||
        store_put(engine->store, buffer_text(&out), out.length, diff_id, error) < 0)
        return -1;
    blob.digest = *diff_id;
    blob.size = out.length;
    return layer_from_blob(engine, diff_id, &blob, error);
}

static int make_removal(struct engine *engine, const struct container *input, const void *what, const char *name,
                        struct container *output, struct error *error) {
    const struct text_list *paths = what;
    AUTO_LIST struct text_list found = {0};
    struct merged root = {0};
    struct digest layer;
    int result = merged_open(engine, input, &root, error);
    if (result == 0)
        result = resolve(&root, paths, &found, error);
    if (result == 0 && found.count == 0)
        *output = container_share(input);
    else if (result == 0)
        result = make_layer(engine, &root, &found, &layer, error);
    text_list_release(&root.folders);
    if (result < 0 || found.count == 0)
        return result;
    return step_append(engine, input, &layer, name, NULL, output, error);
}

/* ---- the steps ---- */

typedef int maker(struct engine *engine, const struct container *input, const void *what, const char *name,
                  struct container *output, struct error *error);

static int find_or_make(struct engine *engine, const struct json *definition, const char *name, maker *make_it,
                        const struct container *input, const void *what, struct container *output,
                        struct error *error) {
    char key[DIGEST_HEX];
    *output = (struct container){0};
    int state = step_find(engine, definition, key, output, error);
    if (state < 0)
        return -1;
    step_explain(engine, name, definition, state == 1);
    if (state == 1) {
        step_tell_found(engine, name, key);
        return 0;
    }
    int step = progress_begin(engine->progress, "%s", name);
    int result = make_it(engine, input, what, name, output, error);
    if (result == 0)
        result = step_record_container(engine, key, definition, name, output, error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    engine->steps_made++;
    return result;
}

int step_remove(struct engine *engine, const struct container *input, const struct text_list *paths, const char *name,
                struct container *output, struct error *error) {
    AUTO_JSON struct json *definition = step_definition(engine, "remove", input);
    struct json *list = json_need_array(definition, "paths");
    for (size_t i = 0; i < paths->count; i++)
        json_append_text(list, paths->items[i]);
    return find_or_make(engine, definition, name, make_removal, input, paths, output, error);
}

static int make_root(struct engine *engine, const struct container *input, const void *what, const char *name,
                     struct container *output, struct error *error) {
    struct layer_content content = {.tree = *(const struct digest *)what, .destination = "/", .mode = -1};
    struct json *config = json_copy_deep(input->config);
    struct digest layer;
    if (layer_from_content(engine, &content, &layer, error) < 0) {
        json_release(&config);
        return -1;
    }
    json_set(json_need_object(config, "rootfs"), "diff_ids", json_new_array());
    json_set(config, "history", json_new_array());
    return step_append(engine, input, &layer, name, config, output, error);
}

int step_replace_root(struct engine *engine, const struct container *input, const struct digest *tree, const char *name,
                      struct container *output, struct error *error) {
    AUTO_JSON struct json *definition = step_definition(engine, "root", input);
    json_set_text(definition, "tree", digest_format(tree).text);
    return find_or_make(engine, definition, name, make_root, input, tree, output, error);
}
