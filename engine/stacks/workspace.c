/* Workspaces of Node's package managers: which directory has the lock file of another. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/ignore.h"
#include "engine/stacks/components.h"
#include "engine/stacks/jsonc.h"

#include <string.h>

enum { LEVELS = 6 };

static bool has(const char *directory, const char *name) {
    AUTO_FREE char *path = path_join(directory, name);
    return file_exists(path) || directory_exists(path);
}

static bool has_lock(const char *directory) {
    static const char *const locks[] = {
        "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"};
    for (size_t i = 0; i < ARRAY_LENGTH(locks); i++)
        if (has(directory, locks[i]))
            return true;
    return false;
}

/* "packages:" of pnpm-workspace.yaml: a list of texts, one a line. */
static int read_yaml(const char *directory, struct text_list *patterns, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    AUTO_FREE char *path = path_join(directory, "pnpm-workspace.yaml");
    AUTO_LIST struct text_list lines = {0};
    bool found, is_inside = false;
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i] + strspn(lines.items[i], " \t");
        if (*line == '\0' || *line == '#' || *line == '\r')
            continue;
        if (*line != '-') {
            is_inside = text_starts_with(lines.items[i], "packages:");
            continue;
        }
        line += 1 + strspn(line + 1, " \t'\"");
        AUTO_FREE char *pattern = text_copy_length(line, strcspn(line, "'\"\r #"));
        if (is_inside && *pattern)
            text_list_add(patterns, pattern);
    }
    return 0;
}

/* "workspaces" of package.json: a list, or an object with a list "packages". */
static int read_manifest(const char *directory, struct text_list *patterns, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    AUTO_FREE char *path = path_join(directory, "package.json");
    bool found;
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    buffer_append_text(&text, "");
    AUTO_JSON struct json *package = jsonc_parse(text.data, text.length, path, error);
    if (!package)
        return -1;
    const struct json *list = json_get(package, "workspaces");
    if (json_is_object(list))
        list = json_get(list, "packages");
    for (size_t i = 0; i < json_count(list); i++)
        if (json_text(json_at(list, i)))
            text_list_add(patterns, json_text(json_at(list, i)));
    return 0;
}

/* The last pattern that matches decides; one that begins with '!' takes away. */
static bool is_named(const struct text_list *patterns, const char *member) {
    bool named = false;
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        bool takes_away = *pattern == '!';
        pattern += takes_away;
        pattern += text_starts_with(pattern, "./") ? 2 : 0;
        size_t length = strlen(pattern);
        while (length > 0 && pattern[length - 1] == '/')
            length--;
        AUTO_FREE char *clean = text_copy_length(pattern, length);
        if (glob_matches(clean, member))
            named = !takes_away;
    }
    return named;
}

static int is_workspace_of(const char *directory, const char *member, bool *named, struct error *error) {
    AUTO_LIST struct text_list patterns = {0};
    *named = false;
    if (!has(directory, "package.json"))
        return 0;
    if (has(directory, "pnpm-workspace.yaml") ? read_yaml(directory, &patterns, error) < 0
                                              : read_manifest(directory, &patterns, error) < 0)
        return -1;
    *named = is_named(&patterns, member);
    return 0;
}

int workspace_locate(const char *directory, char **root, char **member, struct error *error) {
    AUTO_FREE char *above = text_copy(directory);
    bool may_be_member = has(directory, "package.json") && !has_lock(directory);
    for (int level = 0; may_be_member && level < LEVELS && !has(above, ".git"); level++) {
        char *slash = strrchr(above, '/');
        if (!slash || slash == above)
            break;
        *slash = '\0';
        const char *inside = directory + strlen(above) + 1;
        bool named;
        if (is_workspace_of(above, inside, &named, error) < 0)
            return -1;
        if (!named)
            continue;
        *root = take_pointer(&above);
        *member = text_copy(inside);
        return 0;
    }
    *root = text_copy(directory);
    *member = text_copy("");
    return 0;
}
