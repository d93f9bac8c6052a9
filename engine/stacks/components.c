#include "engine/stacks/components.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <limits.h>
#include <string.h>

enum { DEPTH = 2, COMPONENT_LIMIT = 12 };

struct component {
    char *path; /* absolute */
    enum stack_kind kind;
};

struct components {
    struct component items[COMPONENT_LIMIT];
    size_t count;
};

static void components_release(struct components *components) {
    for (size_t i = 0; i < components->count; i++)
        free(components->items[i].path);
}

static bool is_hidden_away(const char *name) {
    static const char *const names[] = {"dist", "build", "out", "target", "coverage", "tests", "test", "docs"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(name, names[i]))
            return true;
    return *name == '.' || stack_leaves_out(name, true);
}

/* A component is not searched for others. */
static void search(const char *directory, unsigned depth, struct components *found) {
    AUTO_LIST struct text_list names = {0};
    if (depth > DEPTH || directory_list(directory, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count && found->count < COMPONENT_LIMIT; i++) {
        AUTO_FREE char *path = path_join(directory, names.items[i]);
        if (is_hidden_away(names.items[i]) || !directory_exists(path))
            continue;
        enum stack_kind kind = stack_kind_of(path);
        if (kind == STACK_UNKNOWN)
            search(path, depth + 1, found);
        else
            found->items[found->count++] = (struct component){.path = take_pointer(&path), .kind = kind};
    }
}

/* As it is typed from where the user is. */
static const char *shown(const char *path) {
    char here[PATH_MAX];
    size_t length = getcwd(here, sizeof(here)) ? strlen(here) : 0;
    bool is_below = length > 1 && strncmp(path, here, length) == 0 && path[length] == '/';
    return is_below ? path + length + 1 : path;
}

static const char *kind_name(enum stack_kind kind) {
    return kind == STACK_DOCKERFILE ? "Dockerfile" : kind == STACK_PYTHON ? "Python" : "Node";
}

int components_refuse(const char *directory, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    AUTO(components_release) struct components found = {0};
    if (directory_list(directory, &names, error) < 0)
        return -1;
    if (names.count == 0) {
        error_set(error, ERROR_DATA, "%s is empty", directory);
        return error_next(error, "name the directory that holds the application");
    }
    search(directory, 1, &found);
    AUTO_BUFFER struct buffer list = BUFFER(1000), commands = BUFFER(400);
    for (size_t i = 0; i < found.count; i++) {
        const struct component *component = &found.items[i];
        buffer_append_format(&list, "%s%s (%s)", i > 0 ? ", " : "", component->path + strlen(directory) + 1,
                             kind_name(component->kind));
        if (commands.length < 300)
            buffer_append_format(&commands, "%spl-build %s", i > 0 ? ", or " : "", shown(component->path));
    }
    error_set(error, ERROR_DATA,
              "found no stack in %s: it has no Dockerfile, package.json, index.html, requirements.txt, pyproject.toml, "
              "Pipfile or main.py%s%s",
              directory, found.count ? "; below it there are " : "", buffer_text(&list));
    if (found.count > 0)
        return error_next(error, "%s", buffer_text(&commands));
    return error_next(error, "write a Dockerfile, or name one with --file");
}
