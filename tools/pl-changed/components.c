#include "tools/pl-changed/components.h"

#include "common/file/file.h"
#include "engine/stacks/components.h"

#include <string.h>

enum { DEPTH_LIMIT = 3, COMPONENTS_LIMIT = 1000 };

void components_release(struct components *components) {
    for (size_t i = 0; i < components->count; i++) {
        free(components->items[i].name);
        text_list_release(&components->items[i].paths);
        text_list_release(&components->items[i].changed);
    }
    free(components->items);
}

static struct component *component_add(struct components *components, const char *name) {
    components->items = memory_resize(components->items, components->count + 1, sizeof(*components->items));
    components->items[components->count] = (struct component){.name = text_copy(name)};
    return &components->items[components->count++];
}

/* ---- paths ---- */

/* A path from here as one from the top of the work tree: "../libs/" in "apps/" is "libs". It need not exist any more.
 * The caller frees; NULL when it leads out of the work tree. */
static char *path_from_top(const char *prefix, const char *path) {
    AUTO_LIST struct text_list parts = {0};
    AUTO_FREE char *joined = text_format("%s%s", path[0] == '/' ? "" : prefix, path);
    AUTO_FREE char *out = memory_allocate(strlen(joined) + 2, 1);
    size_t length = 0; /* of what is in `out`, each part with a slash before it */
    text_list_split(&parts, joined, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, "..") && length == 0)
            return NULL;
        if (text_equal(part, "..")) {
            while (out[--length] != '/')
                continue;
        } else if (*part && !text_equal(part, ".")) {
            out[length++] = '/';
            memcpy(out + length, part, strlen(part));
            length += strlen(part);
        }
        out[length] = '\0';
    }
    return text_copy(length ? out + 1 : "");
}

bool path_lies_in(const char *file, const char *path) {
    size_t length = strlen(path);
    return length == 0 || (strncmp(file, path, length) == 0 && (file[length] == '/' || !file[length]));
}

int component_depend(struct component *component, const char *top, const char *prefix, const char *path,
                     struct error *error) {
    /* An absolute path must lie in the work tree, and is taken from there. */
    bool inside = path[0] == '/' && path_lies_in(path, top);
    char *from_top =
        path[0] == '/' ? (inside ? path_from_top("", path + strlen(top)) : NULL) : path_from_top(prefix, path);
    if (!from_top)
        return error_set(error, ERROR_USAGE, "%.200s lies outside of the work tree %s", path, top);
    text_list_take(&component->paths, from_top);
    return 0;
}

/* ---- components ---- */

/* "DIR[:PATH…]" */
static int read_operand(struct components *components, const char *top, const char *prefix, const char *operand,
                        struct error *error) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, operand, ':');
    struct component *component = component_add(components, parts.items[0]);
    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i] && component_depend(component, top, prefix, parts.items[i], error) < 0)
            return -1;
    return component->paths.count > 0 ? 0 : error_set(error, ERROR_USAGE, "an empty name of a component");
}

/* Directories below `path` with an application. One in another belongs to that. */
static int find_below(struct components *components, const char *path, int depth, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (*path && stack_kind_of(path) != STACK_UNKNOWN) {
        component_add(components, path);
        return components->count > COMPONENTS_LIMIT
                   ? error_set(error, ERROR_DATA, "more than %d components", COMPONENTS_LIMIT)
                   : 0;
    }
    if (depth == 0 || directory_list(*path ? path : ".", &names, NULL) < 0)
        return 0;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *inner = *path ? path_join(path, names.items[i]) : text_copy(names.items[i]);
        if (names.items[i][0] == '.' || stack_leaves_out(names.items[i], true) || !directory_exists(inner))
            continue;
        if (find_below(components, inner, depth - 1, error) < 0)
            return -1;
    }
    return 0;
}

int components_find(const struct command_context *context, const char *top, const char *prefix,
                    struct components *components, struct error *error) {
    for (size_t i = 0; i < context->operand_count; i++)
        if (read_operand(components, top, prefix, context->operands[i], error) < 0)
            return -1;
    if (context->operand_count > 0)
        return 0;
    if (find_below(components, "", DEPTH_LIMIT, error) < 0)
        return -1;
    for (size_t i = 0; i < components->count; i++)
        if (component_depend(&components->items[i], top, prefix, components->items[i].name, error) < 0)
            return -1;
    if (components->count > 0)
        return 0;
    error_set(error, ERROR_DATA, "no component found here");
    return error_next(error, "name them: pl-changed DIR...");
}
