/* Node.js and static files: from the files of a source directory to a plan. */
#include "engine/stacks/node.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/jsonc.h"
#include "engine/stacks/start.h"

#include <string.h>

/* ---- reading ---- */

char *node_path(const struct node_project *project, const char *path) {
    return *project->member ? path_join(project->member, path) : text_copy(path);
}

char *node_directory(const struct node_project *project) {
    return *project->member ? path_join("/app", project->member) : text_copy("/app");
}

bool node_has_root(const struct node_project *project, const char *path) {
    const struct tree_entry *entry = tree_find(project->source->tree, path);
    return entry && (entry->type == 'f' || entry->type == 'x');
}

bool node_has(const struct node_project *project, const char *path) {
    AUTO_FREE char *full = node_path(project, path);
    return node_has_root(project, full);
}

int node_read_root(const struct node_project *project, const char *path, struct buffer *text, bool *found,
                   struct error *error) {
    *found = false;
    if (!node_has_root(project, path))
        return 0;
    AUTO_FREE char *full = path_join(project->source->directory, path);
    return file_read(full, text, found, error);
}

int node_read(const struct node_project *project, const char *path, struct buffer *text, bool *found,
              struct error *error) {
    AUTO_FREE char *full = node_path(project, path);
    return node_read_root(project, full, text, found, error);
}

int node_read_json_root(const struct node_project *project, const char *path, struct json **json, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    *json = NULL;
    if (node_read_root(project, path, &text, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    buffer_append_text(&text, "");
    *json = jsonc_parse(text.data, text.length, path, error);
    return *json ? 0 : -1;
}

int node_read_json(const struct node_project *project, const char *path, struct json **json, struct error *error) {
    AUTO_FREE char *full = node_path(project, path);
    return node_read_json_root(project, full, json, error);
}

int node_setting(const struct node_project *project, const char *key, const char **text, struct error *error) {
    const struct json *value = json_get(project->settings, key);
    *text = json_text(value);
    if (value && text_is_empty(*text))
        return error_set(error, ERROR_DATA, "pl.json: \"%s\" must be a text", key);
    return 0;
}

const char *node_script(const struct node_project *project, const char *name) {
    const char *text = json_get_text(json_get(project->package, "scripts"), name, NULL);
    return text_is_empty(text) ? NULL : text;
}

const char *node_dependency(const struct node_project *project, const char *package) {
    static const char *const groups[] = {"dependencies", "devDependencies", "optionalDependencies"};
    const char *range = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(groups) && !range; i++)
        range = json_get_text(json_get(project->package, groups[i]), package, NULL);
    return range;
}

void node_project_release(struct node_project *project) {
    json_release(&project->settings);
    json_release(&project->package);
    json_release(&project->root);
    json_release(&project->firebase);
    free(project->manager_version);
    free(project->manager_hash);
    free(project->lock);
    free(project->script);
    free(project->script_text);
    free(project->cache);
    free(project->cache_name);
    text_list_release(&project->files);
    text_list_release(&project->arguments);
    text_list_release(&project->members);
    text_list_release(&project->outputs);
    text_list_release(&project->command);
}

static int read_project(struct node_project *project, struct error *error) {
    AUTO_JSON struct json *settings = NULL;
    if (node_read_json(project, "pl.json", &settings, error) < 0 ||
        node_read_json(project, "package.json", &project->package, error) < 0 ||
        node_read_json_root(project, "package.json", &project->root, error) < 0 ||
        node_read_json(project, "firebase.json", &project->firebase, error) < 0)
        return -1;
    struct json *build = json_get(settings, "build");
    if (json_is_object(build))
        project->settings = json_share(build);
    return 0;
}

/* ---- steps ---- */

static bool is_inside(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* What earlier builds left in the source: a site of today must not be one of yesterday. */
static bool is_left_over(const struct node_project *project, const char *path) {
    static const char *const folders[] = {".angular", ".next",  ".nuxt",         ".output",  ".astro", ".svelte-kit",
                                          ".vite",    ".turbo", ".parcel-cache", "coverage", "out-tsc"};
    if (*project->member && is_inside(path, project->member))
        path += strlen(project->member) + (path[strlen(project->member)] == '/');
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        if (is_inside(path, folders[i]))
            return true;
    /* When it is only a guess, the directory may be the source's own: public, say. */
    return project->is_output_certain && project->outputs.count > 0 && is_inside(path, project->outputs.items[0]);
}

void node_plan_source(struct node_project *project) {
    const struct tree *tree = project->source->tree;
    struct plan_step *step = plan_add_step(project->plan, PLAN_COPY, "copy the source");
    step->input_name = text_copy("source");
    step->directory = text_copy("/app");
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type != 'd' && !text_equal(tree->entries[i].path, "pl.json") &&
            !is_left_over(project, tree->entries[i].path))
            text_list_add(&step->files, tree->entries[i].path);
}

static struct json *labels_of(const struct node_project *project) {
    struct json *labels = json_new_object();
    const struct json *package = project->package;
    const char *name = project->source->name ? project->source->name : json_get_text(package, "name", "app");
    json_set_text(labels, "org.opencontainers.image.title", name);
    json_set_text(labels, "org.opencontainers.image.version", json_get_text(package, "version", NULL));
    json_set_text(labels, "org.opencontainers.image.description", json_get_text(package, "description", NULL));
    json_set_text(labels, "org.opencontainers.image.licenses", json_get_text(package, "license", NULL));
    return labels;
}

static void plan_config(struct node_project *project) {
    struct json *environment = json_new_array();
    AUTO_FREE char *directory = node_directory(project);
    AUTO_FREE char *path = text_format("PATH=%s/node_modules/.bin:%s${PATH}", directory,
                                       *project->member ? "/app/node_modules/.bin:" : "");
    json_append_text(environment, path);
    json_append_text(environment, "NODE_ENV=production");
    json_append_text(environment, "HOME=/tmp");
    /* Where Astro, Next.js and their like listen: on all addresses. */
    json_append_text(environment, "HOST=0.0.0.0");
    json_append_text(environment, "HOSTNAME=0.0.0.0");
    start_plan_config(project->plan, directory, environment, &project->command, labels_of(project));
}

/* What was built goes on without what building it needed. */
static void plan_second_stage(struct node_project *project, bool only_production) {
    struct plan_step *take = plan_add_step(project->plan, PLAN_TAKE, "take what was built");
    take->directory = text_copy("/app");
    text_list_add(&take->except, "node_modules");
    plan_add_step(project->plan, PLAN_RESTART, "start again from the base");
    node_plan_install(project, only_production);
    struct plan_step *copy = plan_add_step(project->plan, PLAN_COPY, "copy what was built");
    copy->input_name = text_copy("what was built");
    copy->directory = text_copy("/app");
    copy->copies_taken = true;
}

static int plan_server(struct node_project *project, struct error *error) {
    if (node_find_start(project, error) < 0)
        return -1;
    bool only_production = !node_start_needs_development(project);
    if (!only_production)
        plan_note(project->plan, "the start command needs what only development should need: all of it is installed");
    if (project->script) {
        node_plan_install(project, false);
        node_plan_source(project);
        node_plan_build(project);
        plan_second_stage(project, only_production);
    } else {
        node_plan_install(project, only_production);
        node_plan_source(project);
    }
    plan_config(project);
    return 0;
}

static void plan_take_site(struct node_project *project) {
    struct plan_step *step = plan_add_step(project->plan, PLAN_TAKE, "take the site");
    step->directory = node_directory(project);
    text_list_add_all(&step->places, &project->outputs);
    step->is_certain = project->is_output_certain;
    step->is_split = project->is_split_by_language;
    project->plan->is_site = true;
    if (project->is_output_certain)
        plan_note(project->plan, "the site is what is in %s", project->outputs.items[0]);
    else
        plan_note(project->plan, "the site is the directory with an index.html that the build writes: %s, for one",
                  project->outputs.items[0]);
}

/* ---- static files ---- */

static const char *const site_folders[] = {"", "public", "www", "site", "dist", "docs"};

/* The directory with an index.html that is a site as it is, or NULL. */
static const char *static_folder(const struct node_project *project) {
    const char *hosting = json_text(json_get_path(project->firebase, "hosting.public"));
    for (size_t i = 0; i <= ARRAY_LENGTH(site_folders); i++) {
        const char *folder = i > 0 ? site_folders[i - 1] : hosting && path_is_below(hosting) ? hosting : NULL;
        if (!folder)
            continue;
        AUTO_FREE char *path = *folder ? path_join(folder, "index.html") : text_copy("index.html");
        if (node_has(project, path))
            return folder;
    }
    return NULL;
}

static bool is_of_site(const char *path) {
    static const char *const names[] = {"pl.json", "firebase.json", "package.json", "package-lock.json", "README.md"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(path, names[i]))
            return false;
    return *path != '.' || text_starts_with(path, ".well-known/");
}

static void plan_static(struct node_project *project, const char *folder) {
    const struct tree *tree = project->source->tree;
    struct plan_step *step = plan_add_step(project->plan, PLAN_GATHER, "gather the site");
    step->directory = text_copy(folder);
    project->plan->is_site = true;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type != 'd' &&
            (*folder ? is_inside(tree->entries[i].path, folder) : is_of_site(tree->entries[i].path)))
            text_list_add(&step->files, tree->entries[i].path);
    plan_note(project->plan, "found %s%sindex.html and nothing to build: the files are the site", folder,
              *folder ? "/" : "");
}

/* ---- */

/* Nothing builds it and nothing serves it. */
static bool is_static(const struct node_project *project) {
    return !project->script && !node_script(project, "start") && !json_get(project->settings, "start") &&
           !node_has(project, "Procfile") && !project->framework && static_folder(project);
}

/* What a build writes is no part of the source. A project that cannot be built may well have tests. */
static void find_build_quietly(struct node_project *project) {
    AUTO_PLAN struct stack_plan unspoken = {0};
    struct stack_plan *plan = project->plan;
    struct error ignored;
    project->plan = &unspoken;
    if (node_find_build(project, &ignored) < 0)
        project->is_output_certain = false;
    project->plan = plan;
}

int node_begin_image_tests(struct node_project *project, struct error *error) {
    project->plan->stack = text_copy("node");
    return read_project(project, error) < 0 ? -1 : node_find_manager(project, error);
}

int node_begin_tests(struct node_project *project, struct error *error) {
    project->plan->stack = text_copy("node");
    if (read_project(project, error) < 0)
        return -1;
    find_build_quietly(project);
    if (node_find_manager(project, error) < 0 || node_find_version(project, error) < 0)
        return -1;
    node_find_lifecycle(project);
    if (node_find_members(project, &project->members, error) < 0)
        return -1;
    node_plan_install(project, false);
    return 0;
}

static int plan_all(struct node_project *project, struct error *error) {
    if (node_find_manager(project, error) < 0 || node_find_version(project, error) < 0)
        return -1;
    node_find_lifecycle(project);
    if (node_find_members(project, &project->members, error) < 0)
        return -1;
    if (project->is_server)
        return plan_server(project, error);
    node_plan_install(project, false);
    node_plan_source(project);
    node_plan_build(project);
    plan_take_site(project);
    return 0;
}

int node_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) {
    AUTO(node_project_release)
    struct node_project project = {.source = source, .plan = plan, .member = source->member ? source->member : ""};
    plan->stack = text_copy("node");
    if (read_project(&project, error) < 0 || node_find_build(&project, error) < 0)
        return -1;
    if (is_static(&project)) {
        plan_static(&project, static_folder(&project));
        return 0;
    }
    return plan_all(&project, error);
}
