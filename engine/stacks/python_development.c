/* Development dependencies: what tests and linters need and the image does not.
 * Groups of pyproject.toml: https://packaging.python.org/en/latest/specifications/dependency-groups/ */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <string.h>

enum { GROUP_DEPTH_LIMIT = 16, REQUIREMENT_LIMIT = 10000 };

static const char *const requirement_files[] = {
    "requirements-dev.txt",  "requirements-test.txt",  "requirements-tests.txt", "requirements-lint.txt",
    "requirements_dev.txt",  "requirements_test.txt",  "dev-requirements.txt",   "test-requirements.txt",
    "dev_requirements.txt",  "test_requirements.txt",  "requirements/dev.txt",   "requirements/development.txt",
    "requirements/test.txt", "requirements/tests.txt", "requirements/local.txt", "requirements/testing.txt",
    "requirements/lint.txt", "tests/requirements.txt", "test/requirements.txt",
};

static bool is_development_name(const char *name) {
    static const char *const names[] = {"dev",     "develop", "development", "test",      "tests",   "testing", "lint",
                                        "linting", "typing",  "types",       "typecheck", "quality", "checks",  "ci"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(names[i], name))
            return true;
    return false;
}

struct finder {
    struct python_project *project;
    struct python_development *development;
};

static bool uses_pip(const struct python_project *project) {
    return project->manager == PYTHON_PIP || project->manager == PYTHON_PROJECT || project->manager == PYTHON_SETUP ||
           project->manager == PYTHON_NO_MANAGER;
}

static void add_requirement(struct finder *finder, const char *requirement) {
    struct python_development *development = finder->development;
    python_add_requirement(finder->project, requirement);
    development->is_declared = true;
    if (development->arguments.count < REQUIREMENT_LIMIT && uses_pip(finder->project) &&
        !text_list_contains(&development->arguments, requirement))
        text_list_add(&development->arguments, requirement);
}

/* Poetry's and Pipfile's form: {pytest = "^8", mypy = {version = "*"}} */
static void add_table(struct finder *finder, const struct json *table) {
    for (void *i = json_first(table); i; i = json_next(table, i)) {
        python_add_requirement(finder->project, json_key(i));
        finder->development->is_declared = true;
    }
}

/* ["pytest>=8", {include-group = "lint"}] */
static void add_group(struct finder *finder, const struct json *groups, const char *name, unsigned depth) {
    const struct json *group = json_get(groups, name);
    for (size_t i = 0; i < json_count(group) && depth < GROUP_DEPTH_LIMIT; i++) {
        const char *requirement = json_text(json_at(group, i));
        const char *included = json_get_text(json_at(group, i), "include-group", NULL);
        if (requirement)
            add_requirement(finder, requirement);
        else if (included)
            add_group(finder, groups, included, depth + 1);
    }
}

/* The extras in "shop[test,lint]", when that is the project itself. */
static bool refers_to_itself(const struct finder *finder, const char *requirement, struct text_list *extras) {
    const char *own = json_text(json_get_path(finder->project->pyproject, "project.name"));
    size_t length = strcspn(requirement, "[ <>=!~;");
    AUTO_FREE char *name = python_package_name(requirement, length);
    AUTO_FREE char *own_name = own ? python_package_name(own, strlen(own)) : NULL;
    if (!own_name || !text_equal(name, own_name) || requirement[length] != '[')
        return false;
    AUTO_FREE char *list = text_copy_length(requirement + length + 1, strcspn(requirement + length + 1, "]"));
    text_list_split(extras, list, ',');
    return true;
}

static void add_extra(struct finder *finder, const char *name, unsigned depth) {
    const struct json *extra =
        json_get(json_get_path(finder->project->pyproject, "project.optional-dependencies"), name + strspn(name, " "));
    for (size_t i = 0; i < json_count(extra) && depth < GROUP_DEPTH_LIMIT; i++) {
        const char *requirement = json_text(json_at(extra, i));
        AUTO_LIST struct text_list extras = {0};
        if (!requirement)
            continue;
        if (!refers_to_itself(finder, requirement, &extras))
            add_requirement(finder, requirement);
        for (size_t k = 0; k < extras.count; k++)
            add_extra(finder, extras.items[k], depth + 1);
    }
}

static void find_groups(struct finder *finder) {
    const struct json *pyproject = finder->project->pyproject;
    const struct json *groups = json_get(pyproject, "dependency-groups");
    const struct json *extras = json_get_path(pyproject, "project.optional-dependencies");
    for (void *i = json_first(groups); i; i = json_next(groups, i))
        if (is_development_name(json_key(i))) {
            add_group(finder, groups, json_key(i), 0);
            text_list_add(&finder->development->groups, json_key(i));
        }
    for (void *i = json_first(extras); i; i = json_next(extras, i))
        if (is_development_name(json_key(i))) {
            add_extra(finder, json_key(i), 0);
            text_list_add(&finder->development->extras, json_key(i));
        }
}

/* What single managers declare in their own way. */
static void find_managers_own(struct finder *finder) {
    const struct python_project *project = finder->project;
    struct text_list *groups = &finder->development->groups;
    const struct json *poetry = json_get_path(project->pyproject, "tool.poetry.group");
    const struct json *pdm = json_get_path(project->pyproject, "tool.pdm.dev-dependencies");
    const struct json *uv = json_get_path(project->pyproject, "tool.uv.dev-dependencies");
    if (project->manager == PYTHON_POETRY) {
        for (void *i = json_first(poetry); i; i = json_next(poetry, i))
            if (is_development_name(json_key(i))) {
                add_table(finder, json_get(json_value(i), "dependencies"));
                text_list_add(groups, json_key(i));
            }
        /* The old form is Poetry's group dev, which is installed without being asked for. */
        add_table(finder, json_get_path(project->pyproject, "tool.poetry.dev-dependencies"));
    }
    for (void *i = json_first(pdm); project->manager == PYTHON_PDM && i; i = json_next(pdm, i)) {
        add_group(finder, pdm, json_key(i), 0);
        text_list_add(groups, json_key(i));
    }
    for (size_t i = 0; project->manager == PYTHON_UV && i < json_count(uv); i++)
        if (json_text(json_at(uv, i)))
            add_requirement(finder, json_text(json_at(uv, i)));
    if (project->manager == PYTHON_PIPENV)
        add_table(finder, json_get(project->pipfile, "dev-packages"));
}

static int find_requirement_files(struct finder *finder, struct error *error) {
    struct python_project *project = finder->project;
    for (size_t i = 0; i < ARRAY_LENGTH(requirement_files); i++) {
        const char *path = requirement_files[i];
        if (!python_has(project, path) || text_list_contains(&project->files, path))
            continue;
        if (python_read_requirements(project, path, error) < 0)
            return -1;
        text_list_add(&finder->development->files, path);
        finder->development->is_declared = true;
    }
    return 0;
}

static void note_files(const struct finder *finder) {
    const struct python_development *development = finder->development;
    AUTO_BUFFER struct buffer list = BUFFER(600);
    for (size_t i = 0; i < development->files.count && i < 10; i++)
        buffer_append_format(&list, "%s%s", list.length ? ", " : "", development->files.items[i]);
    for (size_t i = 0; i < development->groups.count && i < 10; i++)
        buffer_append_format(&list, "%sgroup %s", list.length ? ", " : "", development->groups.items[i]);
    for (size_t i = 0; i < development->extras.count && i < 10; i++)
        buffer_append_format(&list, "%sextra %s", list.length ? ", " : "", development->extras.items[i]);
    if (list.length)
        plan_note(finder->project->plan, "found development dependencies: %s", buffer_text(&list));
}

int python_find_development(struct python_project *project, struct python_development *development,
                            struct error *error) {
    struct finder finder = {project, development};
    *development = (struct python_development){0};
    find_groups(&finder);
    find_managers_own(&finder);
    if (uses_pip(project) && find_requirement_files(&finder, error) < 0)
        return -1;
    note_files(&finder);
    return 0;
}

void python_development_release(struct python_development *development) {
    free(development->added);
    text_list_release(&development->files);
    text_list_release(&development->arguments);
    text_list_release(&development->groups);
    text_list_release(&development->extras);
    *development = (struct python_development){0};
}
