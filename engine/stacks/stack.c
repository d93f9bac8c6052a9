/* Which stack a source directory is. */
#include "engine/stacks/stack.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/components.h"
#include "engine/stacks/node.h"
#include "engine/stacks/python.h"

#include <string.h>

static bool has_file(const char *directory, const char *name) {
    AUTO_FREE char *path = path_join(directory, name);
    return file_exists(path);
}

static bool has_any(const char *directory, const char *const *files, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (has_file(directory, files[i]))
            return true;
    return false;
}

static const char *const python_manifests[] = {"requirements.txt",
                                               "pyproject.toml",
                                               "Pipfile",
                                               "setup.py",
                                               "manage.py",
                                               "requirements/base.txt",
                                               "requirements/prod.txt",
                                               "requirements/production.txt"};
static const char *const python_modules[] = {"main.py",   "app.py",      "wsgi.py",     "asgi.py",
                                             "server.py", "src/main.py", "app/main.py", "app/__init__.py",
                                             "run.py",    "runtime.txt", "start.py",    "__main__.py"};
static const char *const sites[] = {"index.html", "public/index.html"};

/* "build": {"stack": …} of pl.json. */
static int find_setting(const char *directory, enum stack_kind *kind, struct error *error) {
    if (!has_file(directory, "pl.json"))
        return 0;
    AUTO_FREE char *path = path_join(directory, "pl.json");
    AUTO_JSON struct json *settings = json_parse_file(path, STACK_FILE_LIMIT, error);
    if (!settings)
        return -1;
    const char *stack = json_text(json_get_path(settings, "build.stack"));
    if (text_equal(stack, "python"))
        *kind = STACK_PYTHON;
    else if (text_equal(stack, "dockerfile"))
        *kind = STACK_DOCKERFILE;
    else if (text_equal(stack, "node"))
        *kind = STACK_NODE;
    else if (stack)
        return error_set(error, ERROR_DATA, "pl.json: \"stack\" is python, node or dockerfile, not %s", stack);
    return 0;
}

enum stack_kind stack_kind_beside(const char *directory) {
    if (has_any(directory, python_manifests, ARRAY_LENGTH(python_manifests)))
        return STACK_PYTHON;
    if (has_file(directory, "package.json"))
        return STACK_NODE;
    if (has_any(directory, python_modules, ARRAY_LENGTH(python_modules)))
        return STACK_PYTHON;
    return has_any(directory, sites, ARRAY_LENGTH(sites)) ? STACK_NODE : STACK_UNKNOWN;
}

enum stack_kind stack_kind_of(const char *directory) {
    return has_file(directory, "Dockerfile") ? STACK_DOCKERFILE : stack_kind_beside(directory);
}

int stack_find(const char *directory, enum stack_kind *kind, struct error *error) {
    *kind = STACK_UNKNOWN;
    if (!file_exists(directory) && !directory_exists(directory))
        return error_set(error, ERROR_DATA, "%s does not exist", directory);
    if (!directory_exists(directory))
        return error_set(error, ERROR_DATA, "%s is not a directory", directory);
    if (find_setting(directory, kind, error) < 0)
        return -1;
    if (*kind == STACK_UNKNOWN)
        *kind = stack_kind_of(directory);
    return *kind == STACK_UNKNOWN ? components_refuse(directory, error) : 0;
}

int stack_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) {
    *plan = (struct stack_plan){0};
    if ((source->kind == STACK_NODE ? node_detect : python_detect)(source, plan, error) < 0) {
        stack_plan_release(plan);
        return -1;
    }
    return 0;
}
