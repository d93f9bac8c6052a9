/* Whether unpacked layers still are what their DiffIDs say. */
#include "engine/layer_internal.h"

#include <string.h>

/* "HEX-MODE". What another mode of the sandbox made cannot be read here as it was made; somebody else's tar cannot be
 * made again from its tree. */
static bool can_be_packed(struct engine *engine, const char *id, struct digest *diff_id, int64_t *epoch) {
    AUTO_JSON struct json *note = NULL;
    const char *mode = strchr(id, '-');
    AUTO_FREE char *hex = mode ? text_copy_length(id, (size_t)(mode - id)) : NULL;
    bool fits = hex && text_equal(mode + 1, sandbox_mode_name(sandbox_mode())) &&
                digest_parse_hex(hex, diff_id, NULL) == 0 &&
                store_name_read(engine->store, "layers", hex, &note, NULL) == 0 && note && !json_get(note, "blob");
    *epoch = json_get_integer(note, "epoch", 0);
    return fits;
}

static int verify_tree(struct engine *engine, const char *id, struct text_list *complaints, struct error *error) {
    struct digest diff_id;
    struct error found = {0};
    int64_t epoch;
    AUTO_FREE char *path = store_tree_path(engine->store, id);
    if (!path || !can_be_packed(engine, id, &diff_id, &epoch))
        return 0;
    AUTO_HASHER struct hasher *hasher = hasher_new();
    struct hashing hashing = {.hasher = hasher};
    if (layer_pack(path, epoch, hashing_sink, &hashing, NULL, &found) == 0) {
        struct digest now = hasher_finish(hasher);
        if (digest_equal(&now, &diff_id))
            return 0;
        error_set(&found, ERROR_DATA, "it has changed");
    }
    text_list_add_format(complaints, "trees/%s: %s: removed", id, found.text);
    return store_tree_remove(engine->store, id, error);
}

int layers_verify(struct engine *engine, struct text_list *complaints, struct error *error) {
    AUTO_LIST struct text_list ids = {0};
    if (store_tree_list(engine->store, &ids, error) < 0 || (ids.count > 0 && sandbox_enter(error) < 0))
        return -1;
    store_remove_leftovers(engine->store);
    for (size_t i = 0; i < ids.count; i++) {
        if (progress_cancelled(engine->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        if (verify_tree(engine, ids.items[i], complaints, error) < 0)
            return -1;
    }
    return 0;
}
