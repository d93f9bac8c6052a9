#include "engine/owner.h"

#include "engine/step.h"
#include "engine/tree.h"

#include <string.h>

enum { DATABASE_LIMIT = 1024 * 1024 };

static int read_database(struct engine *engine, const struct container *container, const char *path, struct buffer *out,
                         struct error *error) {
    AUTO_TREE struct tree tree = {0};
    struct digest digest;
    bool is_directory;
    if (step_extract(engine, container, path, &digest, &is_directory, error) < 0 ||
        tree_load(engine, &digest, &tree, error) < 0)
        return -1;
    if (is_directory || tree.count != 1)
        return error_set(error, ERROR_DATA, "%s of the image is no file", path);
    return store_read(engine->store, &tree.entries[0].digest, out, error);
}

/* Field `wanted` (2: the id, 3: a user's group) of the line that begins with NAME: (or has the id `name`). */
static bool find_field(const char *text, const char *name, size_t wanted, uint32_t *value) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        AUTO_LIST struct text_list fields = {0};
        uint64_t number;
        text_list_split(&fields, lines.items[i], ':');
        if (fields.count <= wanted ||
            !(text_equal(fields.items[0], name) || (wanted == 3 && text_equal(fields.items[2], name))))
            continue;
        if (!text_to_u64(fields.items[wanted], UINT32_MAX - 1, &number))
            return false;
        *value = (uint32_t)number;
        return true;
    }
    return false;
}

static int resolve_one(struct engine *engine, const struct container *container, const char *path, const char *name,
                       size_t field, uint32_t *value, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(DATABASE_LIMIT);
    if (read_database(engine, container, path, &text, error) < 0)
        return -1;
    if (!find_field(buffer_text(&text), name, field, value))
        return error_set(error, ERROR_DATA, "%s of the image does not know \"%s\"", path, name);
    return 0;
}

int owner_resolve(struct engine *engine, const struct container *container, const char *owner, uint32_t *uid,
                  uint32_t *gid, struct error *error) {
    const char *colon = strchr(owner, ':');
    AUTO_FREE char *user = text_copy_length(owner, colon ? (size_t)(colon - owner) : strlen(owner));
    uint64_t number;
    *uid = *gid = 0;
    if (text_to_u64(user, UINT32_MAX - 1, &number))
        *uid = *gid = (uint32_t)number;
    else if (*user && (resolve_one(engine, container, "/etc/passwd", user, 2, uid, error) < 0 ||
                       resolve_one(engine, container, "/etc/passwd", user, 3, gid, error) < 0))
        return -1;
    if (!colon || !colon[1])
        return 0;
    if (text_to_u64(colon + 1, UINT32_MAX - 1, &number)) {
        *gid = (uint32_t)number;
        return 0;
    }
    return resolve_one(engine, container, "/etc/group", colon + 1, 2, gid, error);
}
