/* Python: from the files of a source directory to a plan. */
#include "engine/stacks/python.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/start.h"

#include <string.h>

bool python_has(const struct python_project *project, const char *path) {
    const struct tree_entry *entry = tree_find(project->source->tree, path);
    return entry && (entry->type == 'f' || entry->type == 'x');
}

int python_read(const struct python_project *project, const char *path, struct buffer *text, bool *found,
                struct error *error) {
    *found = false;
    if (!python_has(project, path))
        return 0;
    AUTO_FREE char *full = path_join(project->source->directory, path);
    return file_read(full, text, found, error);
}

void python_project_release(struct python_project *project) {
    json_release(&project->settings);
    json_release(&project->pyproject);
    json_release(&project->pipfile);
    free(project->manifest);
    free(project->tool_version);
    free(project->version);
    free(project->allowed_versions);
    free(project->version_constraint);
    text_list_release(&project->files);
    text_list_release(&project->arguments);
    text_list_release(&project->packages);
    text_list_release(&project->command);
    python_application_release(&project->application);
}

static int read_settings(struct python_project *project, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    if (python_read(project, "pl.json", &text, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    AUTO_JSON struct json *settings = json_parse(buffer_text(&text), text.length, "pl.json", error);
    if (!settings)
        return -1;
    struct json *build = json_get(settings, "build");
    if (json_is_object(build))
        project->settings = json_share(build);
    return 0;
}

/* ---- the steps after the dependencies ---- */

/* What is copied: all but pl's own settings and the tests, which no service needs. */
static bool is_copied(const char *path) {
    return !text_equal(path, "pl.json") && !text_starts_with(path, "tests/") && !text_starts_with(path, "test/");
}

static void list_source(const struct python_project *project, struct text_list *files, size_t *left_out) {
    const struct tree *tree = project->source->tree;
    *left_out = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->entries[i].type == 'd')
            continue;
        if (is_copied(tree->entries[i].path))
            text_list_add(files, tree->entries[i].path);
        else
            *left_out += !text_equal(tree->entries[i].path, "pl.json");
    }
}

static void plan_copy(struct python_project *project, const struct text_list *files, size_t left_out) {
    struct plan_step *step = plan_add_step(project->plan, PLAN_COPY, "copy the source");
    step->input_name = text_copy("source");
    step->directory = text_copy("/app");
    text_list_add_all(&step->files, files);
    if (left_out > 0)
        plan_note(project->plan, "left out of the image: %zu file%s of tests", left_out, left_out > 1 ? "s" : "");
}

struct json *python_environment(const struct python_project *project) {
    struct json *environment = json_new_array();
    if (project->has_environment) {
        json_append_text(environment, "PATH=/opt/venv/bin:${PATH}");
        json_append_text(environment, "VIRTUAL_ENV=/opt/venv");
    }
    json_append_text(environment, "PYTHONUNBUFFERED=1");
    json_append_text(environment, "PYTHONDONTWRITEBYTECODE=1");
    if (project->application.add_src)
        json_append_text(environment, "PYTHONPATH=/app/src");
    /* The user has no home of its own, and the source belongs to root. */
    json_append_text(environment, "HOME=/tmp");
    /* uvicorn and gunicorn: Cloud Run's front end, which says who asks and over which scheme, is the only way in. */
    if (project->server)
        json_append_text(environment, "FORWARDED_ALLOW_IPS=*");
    return environment;
}

static const char *first_text(const struct json *object, const char *first, const char *second) {
    const char *text = json_text(json_get_path(object, first));
    return text ? text : json_text(json_get_path(object, second));
}

static struct json *labels_of(const struct python_project *project) {
    struct json *labels = json_new_object();
    const struct json *pyproject = project->pyproject;
    const char *name = first_text(pyproject, "project.name", "tool.poetry.name");
    if (project->source->name || !name)
        name = project->source->name ? project->source->name : path_base(project->source->directory);
    json_set_text(labels, "org.opencontainers.image.title", name);
    json_set_text(labels, "org.opencontainers.image.version",
                  first_text(pyproject, "project.version", "tool.poetry.version"));
    json_set_text(labels, "org.opencontainers.image.description",
                  first_text(pyproject, "project.description", "tool.poetry.description"));
    json_set_text(labels, "org.opencontainers.image.licenses",
                  first_text(pyproject, "project.license", "tool.poetry.license"));
    return labels;
}

static void plan_config(struct python_project *project) {
    AUTO_FREE char *directory =
        text_format("/app%s%s", *project->application.directory ? "/" : "", project->application.directory);
    start_plan_config(project->plan, directory, python_environment(project), &project->command, labels_of(project));
}

static int read_project(struct python_project *project, struct error *error) {
    return read_settings(project, error) < 0 || python_find_dependencies(project, error) < 0 ||
                   python_find_version(project, error) < 0
               ? -1
               : 0;
}

/* How the application starts decides which server is installed. A library starts nothing. */
static void find_start_quietly(struct python_project *project) {
    AUTO_PLAN struct stack_plan unspoken = {0};
    struct stack_plan *plan = project->plan;
    project->plan = &unspoken;
    struct error ignored;
    bool starts = python_find_start(project, &ignored) == 0;
    project->plan = plan;
    plan->port = starts ? unspoken.port : STACK_PORT;
    project->has_environment = true;
    if (!project->application.directory) {
        project->application.directory = text_copy("");
        project->application.add_src = python_has_src_layout(project);
    }
}

int python_begin_image_tests(struct python_project *project, struct error *error) {
    project->plan->stack = text_copy("python");
    return read_settings(project, error) < 0 ? -1 : python_find_dependencies(project, error);
}

int python_begin_tests(struct python_project *project, struct error *error) {
    AUTO_LIST struct text_list files = {0};
    size_t left_out;
    project->plan->stack = text_copy("python");
    if (read_project(project, error) < 0)
        return -1;
    find_start_quietly(project);
    list_source(project, &files, &left_out);
    python_plan_install(project, &files);
    return 0;
}

int python_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) {
    AUTO(python_project_release) struct python_project project = {.source = source, .plan = plan};
    plan->stack = text_copy("python");
    if (read_project(&project, error) < 0 || python_find_start(&project, error) < 0)
        return -1;
    AUTO_LIST struct text_list files = {0};
    size_t left_out;
    list_source(&project, &files, &left_out);
    python_plan_install(&project, &files);
    plan_copy(&project, &files, left_out);
    plan_config(&project);
    return 0;
}
