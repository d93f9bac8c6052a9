#include "chain/gitignore.h"

#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/ignore.h"

#include <string.h>

enum { RULE_LIMIT = 100000, PATTERN_LIMIT = 4096 };

struct rule {
    char *base;    /* the directory of its file with a slash, or "" */
    char *pattern; /* relative to it */
    bool is_anchored, only_directories, takes_in;
};

struct gitignore {
    struct rule *rules;
    size_t count, capacity;
};

struct gitignore *gitignore_new(void) {
    return memory_allocate(1, sizeof(struct gitignore));
}

/* The end of a line without white space, but for one that a backslash keeps. */
static size_t trimmed(const char *line) {
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1]) && !(length > 1 && line[length - 2] == '\\'))
        length--;
    return length;
}

static void add_rule(struct gitignore *gitignore, const char *directory, const char *line) {
    AUTO_FREE char *text = text_copy_length(line, trimmed(line));
    char *at = text;
    struct rule rule = {0};
    if (!*at || *at == '#' || strlen(at) > PATTERN_LIMIT)
        return;
    if (*at == '!') {
        rule.takes_in = true;
        at++;
    }
    size_t length = strlen(at);
    if (length > 0 && at[length - 1] == '/') {
        rule.only_directories = true;
        at[length - 1] = '\0';
    }
    rule.is_anchored = strchr(at, '/') != NULL;
    at += *at == '/';
    if (!*at)
        return;
    rule.pattern = text_copy(at);
    rule.base = *directory ? text_format("%s/", directory) : text_copy("");
    if (gitignore->count == gitignore->capacity) {
        gitignore->capacity = gitignore->capacity ? gitignore->capacity * 2 : 32;
        gitignore->rules = memory_resize(gitignore->rules, gitignore->capacity, sizeof(*gitignore->rules));
    }
    gitignore->rules[gitignore->count++] = rule;
}

int gitignore_add(struct gitignore *gitignore, const char *directory, const char *text, struct error *error) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, text, '\n');
    if (gitignore->count + lines.count > RULE_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d patterns in .gitignore files", RULE_LIMIT);
    for (size_t i = 0; i < lines.count; i++)
        add_rule(gitignore, directory, lines.items[i]);
    return 0;
}

static bool rule_matches(const struct rule *rule, const char *path, bool is_directory) {
    if ((rule->only_directories && !is_directory) || !text_starts_with(path, rule->base))
        return false;
    const char *inside = path + strlen(rule->base);
    if (!rule->is_anchored)
        return glob_matches(rule->pattern, path_base(inside));
    if (!glob_matches(rule->pattern, inside))
        return false;
    /* "a/b/" + "**" is what lies in there, not the directory itself. */
    if (!text_ends_with(rule->pattern, "/**"))
        return true;
    AUTO_FREE char *folder = text_copy_length(rule->pattern, strlen(rule->pattern) - 3);
    return !glob_matches(folder, inside);
}

bool gitignore_matches(const struct gitignore *gitignore, const char *path, bool is_directory) {
    for (size_t i = gitignore->count; i-- > 0;)
        if (rule_matches(&gitignore->rules[i], path, is_directory))
            return !gitignore->rules[i].takes_in;
    return false;
}

void gitignore_release(struct gitignore **gitignore) {
    if (!*gitignore)
        return;
    for (size_t i = 0; i < (*gitignore)->count; i++) {
        free((*gitignore)->rules[i].base);
        free((*gitignore)->rules[i].pattern);
    }
    free((*gitignore)->rules);
    free(take_pointer(gitignore));
}
