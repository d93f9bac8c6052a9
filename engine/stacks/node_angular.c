/* Angular: the project that is built and where it is written to, as angular.json says.
 *
 * Builders whose name ends in ":application" write the site into a directory "browser" of their own below outputPath;
 * the older ":browser" and ":browser-esbuild" write into outputPath itself. Without an outputPath it is dist/PROJECT.
 * https://angular.dev/reference/configs/workspace-config#output-path-configuration */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/node.h"

#include <string.h>

struct angular {
    struct node_project *project;
    const char *file;           /* "angular.json" */
    struct json *workspace;     /* owned */
    const char *name;           /* of the project */
    const struct json *target;  /* its "build" */
    struct text_list words;     /* of the script after "ng build" */
    const char *configurations; /* "production,de", or NULL */
    bool is_configured;         /* by the user, not by the script or angular.json */
    const char *output_path;    /* of the script's --output-path, or NULL */
};

static void angular_release(struct angular *angular) {
    json_release(&angular->workspace);
    text_list_release(&angular->words);
}

/* ---- the script ---- */

/* "ng build shop --configuration=staging && …": the words of the command after "ng build" (or "nx build"). */
static void read_script(struct angular *angular) {
    const char *script = angular->project->script_text, *at = script ? strstr(script, "ng build") : NULL;
    if (!at)
        return;
    at += strlen("ng build");
    AUTO_FREE char *command = text_copy_length(at, strcspn(at, "&|;\n"));
    AUTO_LIST struct text_list words = {0};
    text_list_split(&words, command, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (*words.items[i])
            text_list_add(&angular->words, words.items[i]);
}

/* The value of "--name value" or "--name=value" in the script, the last one. */
static const char *option_of(const struct angular *angular, const char *name, const char *other) {
    const char *value = NULL;
    const char *const names[] = {name, other};
    for (size_t i = 0; i < angular->words.count; i++) {
        const char *word = angular->words.items[i];
        for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
            size_t length = strlen(names[n]);
            if (text_equal(word, names[n]) && i + 1 < angular->words.count)
                value = angular->words.items[i + 1];
            else if (strncmp(word, names[n], length) == 0 && word[length] == '=')
                value = word + length + 1;
        }
    }
    return value;
}

/* ---- the project ---- */

static const struct json *build_target(const struct json *project) {
    const struct json *targets = json_get(project, "architect");
    return json_get(targets ? targets : json_get(project, "targets"), "build");
}

static bool is_application(const struct json *project) {
    return !text_equal(json_get_text(project, "projectType", "application"), "library") && build_target(project);
}

static int take_project(struct angular *angular, const char *name, struct error *error) {
    const struct json *found = json_get(json_get(angular->workspace, "projects"), name);
    if (!found)
        return error_set(error, ERROR_DATA, "%s has no project %s", angular->file, name);
    angular->target = build_target(found);
    if (!angular->target)
        return error_set(error, ERROR_DATA, "%s: the project %s has no target \"build\"", angular->file, name);
    angular->name = name;
    return 0;
}

static int refuse_several(const struct angular *angular, const struct text_list *names, struct error *error) {
    AUTO_BUFFER struct buffer list = BUFFER(600);
    for (size_t i = 0; i < names->count; i++)
        buffer_append_format(&list, "%s%s", i > 0 ? ", " : "", names->items[i]);
    error_set(error, ERROR_DATA, "%s has %zu applications and no default: %s", angular->file, names->count,
              buffer_text(&list));
    return error_next(error, "pl-build --project %s, or {\"build\": {\"project\": \"%s\"}} in pl.json", names->items[0],
                      names->items[0]);
}

/* --project, pl.json, the script, "defaultProject", the only application, the one that is called like the package. */
static int choose_project(struct angular *angular, struct error *error) {
    const struct node_project *project = angular->project;
    const struct json *projects = json_get(angular->workspace, "projects");
    const char *set;
    if (node_setting(project, "project", &set, error) < 0)
        return -1;
    if (project->source->project)
        set = project->source->project;
    if (!set && angular->words.count > 0 && *angular->words.items[0] != '-')
        set = angular->words.items[0];
    if (!set)
        set = json_get_text(angular->workspace, "defaultProject", NULL);
    if (set)
        return take_project(angular, set, error);
    AUTO_LIST struct text_list names = {0};
    for (void *i = json_first(projects); i; i = json_next(projects, i))
        if (is_application(json_value(i)))
            text_list_add(&names, json_key(i));
    if (names.count == 0)
        return error_set(error, ERROR_DATA, "%s has no application with a target \"build\"", angular->file);
    const char *package = json_get_text(project->package, "name", "");
    for (void *i = json_first(projects); i; i = json_next(projects, i))
        if (is_application(json_value(i)) && (names.count == 1 || text_equal(json_key(i), package)))
            return take_project(angular, json_key(i), error);
    return refuse_several(angular, &names, error);
}

/* ---- the output ---- */

/* The option as the last of the configurations that has it says, else the target's own. */
static const struct json *target_option(const struct angular *angular, const char *key) {
    const struct json *value = json_get_path(angular->target, "options");
    value = json_get(value, key);
    AUTO_LIST struct text_list names = {0};
    if (angular->configurations)
        text_list_split(&names, angular->configurations, ',');
    for (size_t i = 0; i < names.count; i++) {
        const struct json *own = json_get(json_get(json_get(angular->target, "configurations"), names.items[i]), key);
        value = own ? own : value;
    }
    return value;
}

static int check_configurations(const struct angular *angular, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    const struct json *known = json_get(angular->target, "configurations");
    if (!angular->configurations)
        return 0;
    text_list_split(&names, angular->configurations, ',');
    for (size_t i = 0; i < names.count; i++) {
        if (json_get(known, names.items[i]))
            continue;
        AUTO_BUFFER struct buffer list = BUFFER(600);
        for (void *k = json_first(known); k; k = json_next(known, k))
            buffer_append_format(&list, "%s%s", list.length ? ", " : "", json_key(k));
        error_set(error, ERROR_DATA, "%s: the project %s has no configuration %s", angular->file, angular->name,
                  names.items[i]);
        return list.length ? error_next(error, "it has: %s", buffer_text(&list)) : -1;
    }
    return 0;
}

/* "dist/shop/browser" of "./dist/shop/": what angular.json says is a path below its own directory. */
static int add_output(const struct angular *angular, const char *base, const char *below, struct error *error) {
    AUTO_FREE char *joined = text_format("%s%s%s", base, *below ? "/" : "", below);
    AUTO_LIST struct text_list parts = {0};
    AUTO_BUFFER struct buffer path = BUFFER(4096);
    text_list_split(&parts, joined, '/');
    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i] && !text_equal(parts.items[i], "."))
            buffer_append_format(&path, "%s%s", path.length ? "/" : "", parts.items[i]);
    if (*joined == '/' || !path_is_below(buffer_text(&path))) {
        error_set(error, ERROR_DATA, "%s: the outputPath of %s lies outside of the project: %s", angular->file,
                  angular->name, joined);
        return error_next(error, "write it as a path below the directory of %s, such as dist/%s", angular->file,
                          angular->name);
    }
    node_add_output(angular->project, buffer_text(&path));
    return buffer_check(&path, "the outputPath", error);
}

/* Builders of others are called like those that they extend: @angular-builders/custom-esbuild:application. */
static int find_output(const struct angular *angular, struct error *error) {
    const char *builder = json_get_text(angular->target, "builder", NULL);
    builder = builder ? builder : json_get_text(angular->target, "executor", "");
    const struct json *path = target_option(angular, "outputPath");
    AUTO_FREE char *usual = text_format("dist/%s", angular->name);
    const char *base = json_is_object(path) ? json_get_text(path, "base", usual)
                       : json_text(path)    ? json_text(path)
                                            : usual;
    base = angular->output_path ? angular->output_path : base;
    bool has_own = text_ends_with(builder, ":application") || target_option(angular, "browser");
    plan_note(angular->project->plan, "found %s: project %s, builder %s", angular->file, angular->name, builder);
    return add_output(angular, base, !has_own ? "" : json_get_text(path, "browser", "browser"), error);
}

/* What renders pages at run time is a server, and what is written for the browser only a part of it. */
static bool renders_on_server(const struct angular *angular) {
    const struct json *mode = target_option(angular, "outputMode"), *ssr = target_option(angular, "ssr");
    if (text_equal(json_text(mode), "static"))
        return false;
    return text_equal(json_text(mode), "server") || json_is_object(ssr) || json_truth(ssr);
}

static void plan_server(const struct angular *angular, const struct text_list *outputs) {
    struct node_project *project = angular->project;
    /* dist/shop/browser → dist/shop/server/server.mjs */
    const char *browser = outputs->items[0];
    size_t length = strlen(path_base(browser));
    project->is_server = true;
    text_list_add(&project->command, "node");
    text_list_take(&project->command, text_format("%.*sserver/server.mjs", (int)(strlen(browser) - length), browser));
    plan_note(project->plan, "pages are rendered on a server: a container is made");
}

static void set_arguments(struct angular *angular) {
    struct node_project *project = angular->project;
    bool is_named = angular->words.count > 0 && *angular->words.items[0] != '-';
    const struct json *projects = json_get(angular->workspace, "projects");
    if (!project->script) {
        text_list_add(&project->arguments, "ng");
        text_list_add(&project->arguments, "build");
    }
    if (json_count(projects) > 1 && !is_named)
        text_list_add(&project->arguments, angular->name);
    if (angular->is_configured) {
        text_list_add(&project->arguments, "--configuration");
        text_list_add(&project->arguments, angular->configurations);
    }
}

static int choose_configurations(struct angular *angular, struct error *error) {
    const char *set, *script = option_of(angular, "--configuration", "-c");
    if (node_setting(angular->project, "configuration", &set, error) < 0)
        return -1;
    if (angular->project->source->configuration)
        set = angular->project->source->configuration;
    const char *usual = json_get_text(angular->target, "defaultConfiguration", NULL);
    angular->configurations = set ? set : script ? script : usual;
    angular->is_configured = set != NULL;
    if (set && check_configurations(angular, error) < 0)
        return -1;
    if (set)
        plan_note(angular->project->plan, "builds the configuration %s", set);
    return 0;
}

int node_find_angular(struct node_project *project, struct error *error) {
    AUTO(angular_release) struct angular angular = {.project = project};
    static const char *const files[] = {"angular.json", ".angular.json", "workspace.json"};
    for (size_t i = 0; i < ARRAY_LENGTH(files) && !angular.file; i++)
        if (node_has(project, files[i]))
            angular.file = files[i];
    if (!angular.file)
        return error_set(error, ERROR_DATA, "package.json builds with Angular, but there is no angular.json");
    if (node_read_json(project, angular.file, &angular.workspace, error) < 0)
        return -1;
    read_script(&angular);
    angular.output_path = option_of(&angular, "--output-path", "--outputPath");
    if (choose_project(&angular, error) < 0 || choose_configurations(&angular, error) < 0 ||
        find_output(&angular, error) < 0)
        return -1;
    project->is_output_certain = true;
    const struct json *localize = target_option(&angular, "localize");
    project->is_split_by_language = json_is_array(localize) || json_truth(localize);
    if (renders_on_server(&angular))
        plan_server(&angular, &project->outputs);
    set_arguments(&angular);
    project->cache = text_copy(".angular/cache");
    project->cache_name = text_format("angular %s", angular.name);
    return 0;
}
