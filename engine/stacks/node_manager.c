/* Which package manager it is, in which version, and which files it needs to see. */
#include "common/base/text.h"
#include "engine/stacks/node.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name; /* as in packageManager */
    enum node_manager manager;
} names[] = {{"npm", NODE_NPM}, {"pnpm", NODE_PNPM}, {"yarn", NODE_YARN}, {"bun", NODE_BUN}};

static const struct {
    const char *file;
    enum node_manager manager;
} locks[] = {{"package-lock.json", NODE_NPM}, {"npm-shrinkwrap.json", NODE_NPM},
             {"pnpm-lock.yaml", NODE_PNPM},   {"yarn.lock", NODE_YARN},
             {"bun.lock", NODE_BUN},          {"bun.lockb", NODE_BUN}};

const char *node_manager_name(enum node_manager manager) {
    static const char *const shown[] = {
        [NODE_NO_MANAGER] = "none",   [NODE_NPM] = "npm",   [NODE_PNPM] = "pnpm",
        [NODE_YARN_CLASSIC] = "yarn", [NODE_YARN] = "yarn", [NODE_BUN] = "bun",
    };
    return shown[manager];
}

/* Both yarns have one name and one name of the lock. */
static bool is_same(enum node_manager left, enum node_manager right) {
    return left == right || (left == NODE_YARN && right == NODE_YARN_CLASSIC) ||
           (left == NODE_YARN_CLASSIC && right == NODE_YARN);
}

static bool is_version(const char *text) {
    return isdigit((unsigned char)*text) &&
           text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-")] == '\0';
}

/* "pnpm@9.15.0+sha512.0123…" */
static int read_package_manager(struct node_project *project, struct error *error) {
    const char *text = json_get_text(project->root, "packageManager", NULL);
    if (text_is_empty(text))
        return 0;
    const char *at = strchr(text, '@'), *plus = strchr(text, '+');
    AUTO_FREE char *name = text_copy_length(text, at ? (size_t)(at - text) : strlen(text));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(names[i].name, name))
            project->manager = names[i].manager;
    if (at)
        project->manager_version =
            text_copy_length(at + 1, plus && plus > at ? (size_t)(plus - at - 1) : strlen(at + 1));
    if (project->manager == NODE_NO_MANAGER || !project->manager_version || !is_version(project->manager_version)) {
        error_set(error, ERROR_DATA, "package.json: \"packageManager\" is %.100s, which pl does not know", text);
        return error_next(error, "write it as \"npm@11.6.2\"; npm, pnpm, yarn and bun are known");
    }
    static const char *const kinds[] = {"sha1.", "sha224.", "sha256.", "sha384.", "sha512."};
    for (size_t i = 0; plus && plus > at && i < ARRAY_LENGTH(kinds); i++)
        if (text_starts_with(plus + 1, kinds[i]) &&
            plus[1 + strlen(kinds[i]) + strspn(plus + 1 + strlen(kinds[i]), "0123456789abcdef")] == '\0')
            project->manager_hash = text_copy(plus + 1);
    return 0;
}

static void find_lock(struct node_project *project) {
    struct stack_plan *plan = project->plan;
    for (size_t i = 0; i < ARRAY_LENGTH(locks); i++) {
        if (!node_has_root(project, locks[i].file))
            continue;
        if (project->manager == NODE_NO_MANAGER)
            project->manager = locks[i].manager;
        if (!project->lock && is_same(project->manager, locks[i].manager))
            project->lock = text_copy(locks[i].file);
        else
            plan_note(plan, "found %s too: %s decides", locks[i].file,
                      project->lock ? project->lock : "\"packageManager\" of package.json");
    }
    if (project->manager == NODE_NO_MANAGER)
        project->manager = NODE_NPM;
}

/* ---- versions ---- */

/* The number after the first `key` of the lock's beginning, or NULL. The caller frees. */
static int lock_version(const struct node_project *project, const char *key, char **version, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(256 << 20);
    bool found;
    *version = NULL;
    if (!project->lock || node_read_root(project, project->lock, &text, &found, error) < 0)
        return project->lock ? -1 : 0;
    const char *at = strstr(buffer_text(&text), key);
    if (!at || at - buffer_text(&text) > 2000)
        return 0;
    at += strlen(key);
    at += strspn(at, " :'\"\n");
    *version = text_copy_length(at, strspn(at, "0123456789."));
    return 0;
}

/* What pnpm wrote the lock: an older one does not read it, a newer one would write another. */
static int choose_pnpm(struct node_project *project, struct error *error) {
    AUTO_FREE char *format = NULL;
    if (lock_version(project, "lockfileVersion", &format, error) < 0)
        return -1;
    bool is_old = format && (text_starts_with(format, "5") || text_starts_with(format, "6."));
    project->manager_version = text_copy(!is_old ? "10.34.9" : text_starts_with(format, "6.0") ? "8.15.9" : "7.33.7");
    return 0;
}

static int choose_yarn(struct node_project *project, struct error *error) {
    if (project->manager_version) {
        project->manager = text_starts_with(project->manager_version, "1.") ? NODE_YARN_CLASSIC : NODE_YARN;
        return 0;
    }
    AUTO_FREE char *format = NULL;
    if (lock_version(project, "__metadata:\n  version", &format, error) < 0)
        return -1;
    if (!format && !node_has_root(project, ".yarnrc.yml")) {
        project->manager = NODE_YARN_CLASSIC;
        project->manager_version = text_copy("1.22.22");
        return 0;
    }
    bool is_old = format && strtoul(format, NULL, 10) < 7;
    project->manager_version = text_copy(is_old ? "3.8.6" : "4.18.1");
    return 0;
}

static int choose_version(struct node_project *project, struct error *error) {
    if (is_same(project->manager, NODE_YARN))
        return choose_yarn(project, error);
    if (project->manager_version)
        return 0;
    if (project->manager == NODE_PNPM)
        return choose_pnpm(project, error);
    if (project->manager == NODE_BUN)
        project->manager_version = text_copy("1.4.5");
    return 0;
}

/* ---- files ---- */

static void add_below(struct node_project *project, const char *folder) {
    const struct tree *tree = project->source->tree;
    size_t length = strlen(folder);
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->entries[i].path;
        bool is_inside = strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
        if (is_inside && tree->entries[i].type != 'd' && !text_list_contains(&project->files, path))
            text_list_add(&project->files, path);
    }
}

/* "file:../lib" and "link:./lib": directories and archives of the source. */
static void add_local_packages(struct node_project *project) {
    static const char *const groups[] = {"dependencies", "devDependencies", "optionalDependencies"};
    for (size_t g = 0; g < ARRAY_LENGTH(groups); g++) {
        const struct json *group = json_get(project->root, groups[g]);
        for (void *i = json_first(group); i; i = json_next(group, i)) {
            const char *range = json_text(json_value(i));
            const char *path = !range                             ? NULL
                               : text_starts_with(range, "file:") ? range + 5
                               : text_starts_with(range, "link:") ? range + 5
                                                                  : NULL;
            if (path)
                add_below(project, path + (text_starts_with(path, "./") ? 2 : 0));
        }
    }
}

/* The manifests of workspaces. */
static void add_workspaces(struct node_project *project) {
    const struct tree *tree = project->source->tree;
    if (!json_get(project->root, "workspaces") && !node_has_root(project, "pnpm-workspace.yaml"))
        return;
    for (size_t i = 0; i < tree->count; i++)
        if (text_ends_with(tree->entries[i].path, "/package.json") && tree->entries[i].type != 'd' &&
            !text_list_contains(&project->files, tree->entries[i].path))
            text_list_add(&project->files, tree->entries[i].path);
}

static void find_files(struct node_project *project) {
    static const char *const files[] = {"package.json",  ".npmrc",        ".yarnrc",     ".yarnrc.yml",
                                        ".pnpmfile.cjs", ".pnpmfile.mjs", "bunfig.toml", "pnpm-workspace.yaml"};
    static const char *const folders[] = {"patches",       ".yarn/releases", ".yarn/plugins",
                                          ".yarn/patches", ".yarn/cache",    ".yarn/offline"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (node_has_root(project, files[i]))
            text_list_add(&project->files, files[i]);
    if (project->lock)
        text_list_add(&project->files, project->lock);
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        add_below(project, folders[i]);
    add_local_packages(project);
    add_workspaces(project);
}

static void note_manager(const struct node_project *project) {
    const char *name = node_manager_name(project->manager), *version = project->manager_version;
    const char *space = version ? " " : "";
    const char *why = json_get_text(project->root, "packageManager", NULL) ? ", as \"packageManager\" says" : "";
    if (project->lock)
        plan_note(project->plan, "found %s: %s%s%s%s", project->lock, name, space, version ? version : "", why);
    else
        plan_note(project->plan,
                  "found package.json and no lock file: %s%s%s decides on versions%s; commit a lock file to keep them",
                  name, space, version ? version : "", why);
}

int node_find_manager(struct node_project *project, struct error *error) {
    if (!project->root)
        return 0;
    if (read_package_manager(project, error) < 0)
        return -1;
    find_lock(project);
    if (choose_version(project, error) < 0)
        return -1;
    find_files(project);
    note_manager(project);
    return 0;
}
