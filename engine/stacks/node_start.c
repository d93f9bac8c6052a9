/* How a Node server starts. */
#include "common/base/text.h"
#include "engine/stacks/node.h"
#include "engine/stacks/start.h"

#include <string.h>

/* Adds the command that somebody wrote; `where` names the place. */
static void take_text(struct node_project *project, const char *text, const char *where) {
    start_add_shell(&project->command, text);
    start_take_port(project->plan, text, where);
}

static int take_procfile(struct node_project *project, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool exists;
    if (node_read(project, "Procfile", &text, &exists, error) < 0)
        return -1;
    AUTO_FREE char *command = exists ? start_procfile_command(buffer_text(&text)) : NULL;
    if (exists && !command)
        plan_note(project->plan, "found a Procfile without a line \"web: COMMAND\": it decides nothing");
    if (!command)
        return 0;
    plan_note(project->plan, "found a Procfile: %s", command);
    take_text(project, command, "the Procfile");
    return 0;
}

/* npm itself between the container and the program would keep signals from it: it is only asked when it has more to do
 * than to start one. */
static void take_script(struct node_project *project) {
    const char *script = node_script(project, "start");
    if (!script)
        return;
    if (node_script(project, "prestart") || node_script(project, "poststart"))
        take_text(project, "npm start", "package.json");
    else
        take_text(project, script, "\"start\" of package.json");
}

static void take_file(struct node_project *project, const char *file) {
    text_list_add(&project->command, "node");
    text_list_add(&project->command, file);
}

/* "main" of package.json, then the usual names. */
static void take_main(struct node_project *project) {
    static const char *const usual[] = {"server.js", "server.mjs", "index.js",      "index.mjs",
                                        "app.js",    "main.js",    "src/server.js", "src/index.js"};
    const char *file = json_get_text(project->package, "main", NULL);
    if (file && text_starts_with(file, "./"))
        file += 2;
    if (file && (node_has(project, file) || project->script)) {
        take_file(project, file);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(usual) && project->command.count == 0; i++)
        if (node_has(project, usual[i]))
            take_file(project, usual[i]);
}

int node_find_start(struct node_project *project, struct error *error) {
    const char *text;
    AUTO_LIST struct text_list found = {0};
    if (start_read_port(project->settings, &project->plan->port, error) < 0 ||
        start_read_setting(project->settings, &found, &text, error) < 0)
        return -1;
    if (text) {
        text_list_release(&project->command);
        text_list_add_all(&project->command, &found);
        start_take_port(project->plan, text, "pl.json");
        plan_note(project->plan, "found the start command in pl.json");
    }
    if (project->command.count == 0 && take_procfile(project, error) < 0)
        return -1;
    if (project->command.count == 0)
        take_script(project);
    if (project->command.count == 0)
        take_main(project);
    bool is_workspace = json_get(project->root, "workspaces") || node_has(project, "pnpm-workspace.yaml");
    if (project->command.count == 0 && is_workspace)
        return node_refuse_workspace(project, error);
    if (project->command.count == 0) {
        error_set(error, ERROR_DATA,
                  "found package.json, but nothing to serve: it has no script \"build\" or \"start\" and no \"main\", "
                  "and there is no index.html");
        return error_next(error, "write a script \"start\" (it must listen on $PORT), or {\"build\": {\"output\": "
                                 "\"DIRECTORY\"}} in pl.json for a site");
    }
    const char *last = project->command.items[project->command.count - 1];
    AUTO_FREE char *words = text_format("%s %s", project->command.items[0], last);
    plan_note(project->plan, "starts with: %s",
              text_equal(project->command.items[0], "/bin/sh") ? last + (text_starts_with(last, "exec ") ? 5 : 0)
                                                               : words);
    return 0;
}

/* Whether the start command runs a program of a package that only development needs ("tsx server.ts"). */
bool node_start_needs_development(const struct node_project *project) {
    const struct json *group = json_get(project->package, "devDependencies");
    const char *last = project->command.items[project->command.count - 1];
    for (void *i = json_first(group); i; i = json_next(group, i))
        if (start_names_program(last, json_key(i)))
            return true;
    return false;
}
