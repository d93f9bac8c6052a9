/* What is in the source: applications, stages, projects of a workspace, commits; and files, variables, platforms. */
#include "tools/pl/complete.h"

#include "common/file/file.h"
#include "common/git/git.h"
#include "common/process/process.h"
#include "engine/dockerfile/parse.h"
#include "engine/stacks/components.h"
#include "engine/stacks/jsonc.h"
#include "tools/pl/tools.h"

#include <string.h>

extern char **environ;

enum { TEXT_LIMIT = 1 << 20, COMMITS_LIMIT = 256 * 1024, ENTRIES_MOST = 300, STATUS_SECONDS = 2 };

/* ---- directories ---- */

/* The part of a path that ends with its last slash; the caller frees. */
static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? text_copy_length(path, (size_t)(slash + 1 - path)) : text_copy("");
}

static void offer_application(struct completion *completion, const char *directory) {
    AUTO_FREE char *value = text_format("%s/", directory);
    static const char *const names[] = {
        [STACK_DOCKERFILE] = "Dockerfile", [STACK_PYTHON] = "Python", [STACK_NODE] = "Node"};
    enum stack_kind kind = stack_kind_of(directory);
    if (kind != STACK_UNKNOWN)
        complete_offer(completion, value, names[kind]);
}

void complete_applications(struct completion *completion) {
    AUTO_FREE char *parent = parent_of(completion->prefix);
    AUTO_LIST struct text_list names = {0};
    if (directory_list(*parent ? parent : ".", &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count && i < ENTRIES_MOST; i++) {
        AUTO_FREE char *path = text_format("%s%s", parent, names.items[i]);
        if (names.items[i][0] != '.' && text_starts_with(path, completion->prefix) && directory_exists(path))
            offer_application(completion, path);
    }
}

void complete_paths(struct completion *completion, const char *lead, bool only_directories) {
    AUTO_FREE char *parent = parent_of(completion->prefix + strlen(lead));
    AUTO_LIST struct text_list names = {0};
    if (directory_list(*parent ? parent : ".", &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = text_format("%s%s", parent, names.items[i]);
        bool is_directory = directory_exists(path);
        AUTO_FREE char *value = text_format("%s%s%s", lead, path, is_directory ? "/" : "");
        if (names.items[i][0] != '.' && (is_directory || !only_directories))
            complete_offer(completion, value, NULL);
    }
}

/* ---- a Dockerfile ---- */

static char *dockerfile_path(const struct completion *completion) {
    const char *file = complete_option(completion, "file");
    return file ? text_copy(file) : path_join(complete_directory(completion), "Dockerfile");
}

void complete_stages(struct completion *completion) {
    AUTO_FREE char *path = dockerfile_path(completion);
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    AUTO_DOCKERFILE struct dockerfile file = {0};
    if (file_read(path, &text, NULL, NULL) < 0 || dockerfile_parse(path, buffer_text(&text), &file, NULL) < 0)
        return;
    for (size_t i = 0; i < file.count; i++) {
        const struct instruction *instruction = &file.instructions[i];
        AUTO_LIST struct text_list words = {0};
        text_list_split(&words, instruction->rest ? instruction->rest : "", ' ');
        if (text_equal(instruction->name, "FROM") && words.count == 3 && strcasecmp(words.items[1], "as") == 0)
            complete_offer(completion, words.items[2], words.items[0]);
    }
}

/* ---- an Angular workspace ---- */

static struct json *read_angular(const struct completion *completion) {
    AUTO_FREE char *path = path_join(complete_directory(completion), "angular.json");
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    if (file_read(path, &text, NULL, NULL) < 0 || !text.data)
        return NULL;
    return jsonc_parse(text.data, text.length, path, NULL);
}

void complete_angular_projects(struct completion *completion) {
    AUTO_JSON struct json *workspace = read_angular(completion);
    const struct json *projects = json_get(workspace, "projects");
    for (void *at = json_first(projects); at; at = json_next(projects, at))
        complete_offer(completion, json_key(at), json_get_text(json_value(at), "projectType", NULL));
}

void complete_angular_configurations(struct completion *completion) {
    AUTO_JSON struct json *workspace = read_angular(completion);
    const struct json *projects = json_get(workspace, "projects");
    const char *wanted = complete_option(completion, "project");
    for (void *at = json_first(projects); at; at = json_next(projects, at)) {
        if (wanted && !text_equal(wanted, json_key(at)))
            continue;
        struct json *build = json_get_path(json_value(at), "architect.build");
        build = build ? build : json_get_path(json_value(at), "targets.build");
        const struct json *configurations = json_get(build, "configurations");
        for (void *one = json_first(configurations); one; one = json_next(configurations, one))
            complete_offer(completion, json_key(one), json_key(at));
    }
}

/* ---- git ---- */

void complete_commits(struct completion *completion) {
    static const char *const arguments[] = {"for-each-ref", "--count=500", "--sort=-committerdate",
                                            "--format=%(refname:short)%09%(contents:subject)", NULL};
    AUTO_BUFFER struct buffer out = BUFFER(COMMITS_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    if (git_run(NULL, arguments, &out, NULL) < 0)
        return;
    text_list_split(&lines, buffer_text(&out), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *tab = strchr(lines.items[i], '\t');
        if (tab)
            *tab = '\0';
        complete_offer(completion, lines.items[i], tab ? tab + 1 : NULL);
    }
}

/* ---- the machine ---- */

void complete_platforms(struct completion *completion) {
    static const char *const platforms[] = {"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386"};
    for (size_t i = 0; i < ARRAY_LENGTH(platforms); i++)
        complete_offer(completion, platforms[i], NULL);
}

void complete_secret_sources(struct completion *completion) {
    if (text_starts_with(completion->prefix, "file:")) {
        complete_paths(completion, "file:", false);
        return;
    }
    complete_offer(completion, "env:", "a variable of the environment");
    complete_offer(completion, "file:", "the content of a file");
    complete_offer(completion, "cmd:", "what a command prints");
    if (text_starts_with(completion->tool, "pl-with"))
        complete_offer(completion, "gcp:projects/", "of Secret Manager");
    if (!text_starts_with(completion->prefix, "env:"))
        return;
    for (char **variable = environ; *variable; variable++) {
        AUTO_FREE char *value = text_format("env:%.*s", (int)strcspn(*variable, "="), *variable);
        complete_offer(completion, value, NULL);
    }
}

/* Lines of pl-local status: "service NAME …" and "job NAME …". */
void complete_local_workloads(struct completion *completion) {
    const char *state = complete_option(completion, "state");
    AUTO_FREE char *tool = tools_find("pl-local");
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    const char *const argv[] = {tool, "status", state ? "--state" : NULL, state, NULL};
    struct process process = {.argv = argv, .out = &out, .timeout = STATUS_SECONDS, .lead_group = true};
    int status = 1;
    if (!tool || process_run(&process, &status, NULL) < 0)
        return;
    text_list_split(&lines, buffer_text(&out), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char kind[16], name[256];
        if (sscanf(lines.items[i], "%15s %255s", kind, name) == 2 &&
            (text_equal(kind, "service") || text_equal(kind, "job")))
            complete_offer(completion, name, kind);
    }
}

void complete_tools(struct completion *completion) {
    AUTO_LIST struct text_list names = {0};
    tools_names(&names);
    for (size_t i = 0; i < names.count; i++)
        complete_offer(completion, names.items[i] + strlen("pl-"), NULL);
}
