/* What is built, with which script, and where the site comes to lie; or that the source is a server. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/jsonc.h"
#include "engine/stacks/node.h"

#include <string.h>

/* A framework that makes a site. `find` looks further; without it the output is `output`, or what the value of `key`
 * in its configuration says. */
struct node_framework {
    const char *name;
    const char *package; /* that the project depends on */
    const char *output;
    const char *configuration; /* "vite.config", without the ending */
    const char *key;           /* "outDir" */
    int (*find)(struct node_project *project, const char *text, struct error *error);
};

/* ---- configurations that are code ---- */

/* The configuration without its comments; *text NULL when there is none. The caller frees. */
static int read_configuration(struct node_project *project, const char *name, char **text, struct error *error) {
    static const char *const endings[] = {"ts", "js", "mjs", "mts", "cjs", "cts"};
    *text = NULL;
    for (size_t i = 0; name && i < ARRAY_LENGTH(endings) && !*text; i++) {
        AUTO_BUFFER struct buffer content = BUFFER(STACK_FILE_LIMIT);
        AUTO_FREE char *path = text_format("%s.%s", name, endings[i]);
        bool found;
        if (node_read(project, path, &content, &found, error) < 0)
            return -1;
        if (!found)
            continue;
        script_blank_comments(content.data, content.length);
        *text = buffer_take(&content);
    }
    return 0;
}

void node_add_output(struct node_project *project, const char *directory) {
    if (!text_list_contains(&project->outputs, directory))
        text_list_add(&project->outputs, directory);
}

/* "./build/", "../dist": as a path below the source; what lies outside is refused. `from`: the directory that it is
 * relative to. */
static int add_configured(struct node_project *project, const char *from, const char *path, const char *where,
                          struct error *error) {
    AUTO_FREE char *joined = *path == '/' || !*from ? text_copy(path) : text_format("%s/%s", from, path);
    AUTO_LIST struct text_list parts = {0}, kept = {0};
    AUTO_BUFFER struct buffer clean = BUFFER(4096);
    text_list_split(&parts, joined, '/');
    bool is_below = *joined != '/';
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, "..") && kept.count > 0)
            free(kept.items[--kept.count]);
        else if (text_equal(part, ".."))
            is_below = false;
        else if (*part && !text_equal(part, "."))
            text_list_add(&kept, part);
    }
    for (size_t i = 0; i < kept.count; i++)
        buffer_append_format(&clean, "%s%s", i > 0 ? "/" : "", kept.items[i]);
    if (!is_below || kept.count == 0) {
        error_set(error, ERROR_DATA, "%s writes the site outside of the project: %s", where, path);
        return error_next(error, "let it write into a directory of its own below the project, such as dist");
    }
    node_add_output(project, buffer_text(&clean));
    return 0;
}

/* ---- one framework each ---- */

static int find_vite(struct node_project *project, const char *text, struct error *error) {
    AUTO_FREE char *directory = NULL, *root = NULL;
    enum script_value has_root = script_find(text, "root", &root), found = script_find(text, "outDir", &directory);
    const char *from = root ? root : "";
    project->is_output_certain = found != SCRIPT_COMPUTED && has_root != SCRIPT_COMPUTED;
    if (root && *root == '/')
        from = "";
    return add_configured(project, from, directory ? directory : "dist", "vite.config", error);
}

static int find_next(struct node_project *project, const char *text, struct error *error) {
    AUTO_FREE char *output = NULL, *directory = NULL;
    enum script_value kind = script_find(text, "output", &output);
    enum script_value has_directory = script_find(text, "distDir", &directory);
    project->cache = text_copy(".next/cache");
    project->cache_name = text_format("next %.100s", json_get_text(project->package, "name", "app"));
    if (text_equal(output, "export")) {
        project->is_output_certain = has_directory != SCRIPT_COMPUTED;
        return add_configured(project, "", directory ? directory : "out", "next.config", error);
    }
    if (kind == SCRIPT_COMPUTED)
        plan_note(project->plan, "next.config computes \"output\": a server is assumed; {\"build\": {\"output\": "
                                 "\"out\"}} in pl.json makes it a site");
    project->is_server = true;
    return 0;
}

static int find_astro(struct node_project *project, const char *text, struct error *error) {
    AUTO_FREE char *directory = NULL;
    enum script_value found = script_find(text, "outDir", &directory);
    const char *output = directory ? directory : "dist";
    if (node_dependency(project, "@astrojs/node") && strstr(text, "@astrojs/node")) {
        project->is_server = true;
        text_list_add(&project->command, "node");
        text_list_take(&project->command,
                       text_format("%s/server/entry.mjs", output + (text_starts_with(output, "./") ? 2 : 0)));
        return 0;
    }
    project->is_output_certain = found != SCRIPT_COMPUTED;
    return add_configured(project, "", output, "astro.config", error);
}

static int find_angular(struct node_project *project, const char *text, struct error *error) {
    (void)text;
    return node_find_angular(project, error);
}

/* SvelteKit leaves the last step to an adapter; the one that its generator chooses knows only some clouds. */
static int find_svelte(struct node_project *project, const char *text, struct error *error) {
    AUTO_FREE char *directory = NULL;
    if (node_dependency(project, "@sveltejs/adapter-node")) {
        project->is_server = true;
        text_list_add(&project->command, "node");
        text_list_add(&project->command, "build");
        return 0;
    }
    if (!node_dependency(project, "@sveltejs/adapter-static")) {
        error_set(error, ERROR_DATA, "SvelteKit has no adapter here that makes a site or a server");
        return error_next(error,
                          "npm install --save-dev @sveltejs/adapter-static (a site) or @sveltejs/adapter-node (a "
                          "server), and name it in the configuration");
    }
    /* Without a svelte.config the adapter is in the one of Vite, which other values may look alike. */
    project->is_output_certain = *text && script_find(text, "pages", &directory) != SCRIPT_COMPUTED;
    return add_configured(project, "", directory ? directory : "build", "svelte.config", error);
}

/* What is more special comes first: most of them bring Vite too. */
static const struct node_framework frameworks[] = {
    {"Angular", "@angular/core", NULL, NULL, NULL, find_angular},
    {"Next.js", "next", NULL, "next.config", NULL, find_next},
    {"Astro", "astro", NULL, "astro.config", NULL, find_astro},
    {"SvelteKit", "@sveltejs/kit", NULL, "svelte.config", NULL, find_svelte},
    {"Create React App", "react-scripts", "build", NULL, NULL, NULL},
    {"Vue CLI", "@vue/cli-service", "dist", "vue.config", "outputDir", NULL},
    {"Vite", "vite", NULL, "vite.config", NULL, find_vite},
};

static int find_output(struct node_project *project, struct error *error) {
    const struct node_framework *framework = project->framework;
    AUTO_FREE char *text = NULL, *directory = NULL;
    if (read_configuration(project, framework->configuration, &text, error) < 0)
        return -1;
    if (framework->find)
        return framework->find(project, text ? text : "", error);
    enum script_value found = SCRIPT_ABSENT;
    if (text && framework->key)
        found = script_find(text, framework->key, &directory);
    project->is_output_certain = found != SCRIPT_COMPUTED;
    return add_configured(project, "", directory ? directory : framework->output, framework->configuration, error);
}

/* ---- the script ---- */

static bool is_script_name(const char *name) {
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-")] == '\0' &&
           *name != '-';
}

static int find_script(struct node_project *project, struct error *error) {
    const char *name;
    if (node_setting(project, "script", &name, error) < 0)
        return -1;
    if (name && (!is_script_name(name) || !node_script(project, name)))
        return error_set(error, ERROR_DATA, "pl.json: package.json has no script \"%s\"", name);
    name = name ? name : "build";
    const char *text = node_script(project, name);
    if (!text)
        return 0;
    project->script = text_copy(name);
    project->script_text = text_copy(text);
    return 0;
}

/* Servers for the one who develops: they are not what a container starts. */
static bool is_development_server(const char *command) {
    static const char *const words[] = {"ng serve",
                                        "ng s",
                                        "react-scripts start",
                                        "craco start",
                                        "vite",
                                        "astro dev",
                                        "astro preview",
                                        "next dev",
                                        "webpack serve",
                                        "webpack-dev-server",
                                        "vue-cli-service serve",
                                        "parcel",
                                        "http-server",
                                        "live-server",
                                        "serve ",
                                        "nodemon",
                                        "lite-server",
                                        "browser-sync",
                                        "gatsby develop",
                                        "astro"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        const char *at = strstr(command, words[i]);
        if (at && (at == command || at[-1] == ' ' || at[-1] == '/'))
            return true;
    }
    return false;
}

static bool has_server_script(const struct node_project *project) {
    const char *start = node_script(project, "start");
    return start && !is_development_server(start);
}

/* ---- what it all comes to ---- */

/* A start command that somebody wrote makes it a server. */
static bool is_told_to_serve(const struct node_project *project) {
    return json_get(project->settings, "start") || node_has(project, "Procfile");
}

/* "output" of pl.json decides, whatever was found. */
static int take_output(struct node_project *project, bool *taken, struct error *error) {
    const char *output;
    if (node_setting(project, "output", &output, error) < 0)
        return -1;
    *taken = output != NULL;
    if (!output)
        return 0;
    text_list_release(&project->outputs);
    text_list_release(&project->command);
    project->is_server = false;
    project->is_output_certain = true;
    plan_note(project->plan, "found the output in pl.json: %s", output);
    return add_configured(project, "", output, "pl.json", error);
}

static void find_framework(struct node_project *project) {
    for (size_t i = 0; i < ARRAY_LENGTH(frameworks) && !project->framework; i++)
        if (node_dependency(project, frameworks[i].package))
            project->framework = &frameworks[i];
}

/* Somebody else's build: the usual names, and whatever it turns out to have written. */
static int find_unknown(struct node_project *project) {
    static const char *const usual[] = {"dist", "build", "out", "public", "_site"};
    if (has_server_script(project) || !project->script) {
        project->is_server = true;
        return 0;
    }
    const char *hosting = json_text(json_get_path(project->firebase, "hosting.public"));
    if (hosting && path_is_below(hosting))
        node_add_output(project, hosting);
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
        node_add_output(project, usual[i]);
    return 0;
}

static void cross_check(const struct node_project *project) {
    const char *hosting = json_text(json_get_path(project->firebase, "hosting.public"));
    if (!hosting || project->outputs.count == 0)
        return;
    size_t length = strlen(hosting);
    while (length > 0 && hosting[length - 1] == '/')
        length--;
    const char *output = project->outputs.items[0];
    if (strlen(output) == length && strncmp(output, hosting, length) == 0)
        plan_note(project->plan, "firebase.json serves the same directory: %s", output);
    else
        plan_note(project->plan, "firebase.json serves %.200s, but the build writes to %s: that is taken", hosting,
                  output);
}

static int find_by_framework(struct node_project *project, struct error *error) {
    bool may_serve = !project->framework || project->framework->find == find_vite;
    if (project->framework)
        plan_note(project->plan, "found %s", project->framework->name);
    if (may_serve && has_server_script(project)) {
        project->is_server = true;
        return 0;
    }
    return project->framework ? find_output(project, error) : find_unknown(project);
}

int node_find_build(struct node_project *project, struct error *error) {
    bool taken = false;
    if (find_script(project, error) < 0)
        return -1;
    find_framework(project);
    if (is_told_to_serve(project)) {
        project->is_server = true;
        return 0;
    }
    if (find_by_framework(project, error) < 0 || take_output(project, &taken, error) < 0)
        return -1;
    if (!project->is_server)
        cross_check(project);
    return 0;
}
