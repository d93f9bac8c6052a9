#include "firebase/config/ignore.h"

#include "common/base/text.h"
#include "common/glob/glob.h"

#include <stdint.h>
#include <string.h>

struct rule {
    struct glob *glob;
    bool has_children; /* ends in "**" */
    size_t number;     /* SIZE_MAX: always there */
    size_t matched;
};

struct site_ignore {
    struct rule *rules;
    size_t count;
};

static void add_rule(struct site_ignore *ignore, const char *pattern, struct glob *glob, size_t number) {
    ignore->rules = memory_resize(ignore->rules, ignore->count + 1, sizeof(*ignore->rules));
    bool has_children = text_equal(pattern, "**") || text_ends_with(pattern, "/**");
    ignore->rules[ignore->count++] = (struct rule){.glob = glob, .has_children = has_children, .number = number};
}

struct site_ignore *site_ignore_new(void) {
    static const char *const always[] = {"**/firebase-debug.log", "**/firebase-debug.*.log", ".firebase/*"};
    struct site_ignore *ignore = memory_allocate(1, sizeof(*ignore));
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++) {
        struct glob *glob = glob_new(always[i], GLOB_DOT, NULL);
        if (glob)
            add_rule(ignore, always[i], glob, SIZE_MAX);
    }
    return ignore;
}

int site_ignore_add(struct site_ignore *ignore, const char *pattern, size_t number, struct error *error) {
    while (text_starts_with(pattern, "./"))
        pattern += 2;
    if (*pattern == '/')
        return 0;
    struct glob *glob = glob_new(pattern, GLOB_DOT, error);
    if (!glob)
        return error_wrap(error, "the pattern \"%.100s\"", pattern);
    add_rule(ignore, pattern, glob, number);
    return 0;
}

bool site_ignore_matches(struct site_ignore *ignore, const char *path, bool is_directory) {
    /* firebase-tools holds each pattern against the path, and against the path with a slash behind it. */
    AUTO_FREE char *with_slash = text_format("%s/", path);
    for (size_t i = 0; i < ignore->count; i++) {
        struct rule *rule = &ignore->rules[i];
        if (is_directory && !rule->has_children)
            continue;
        if (glob_accepts(rule->glob, path) || glob_accepts(rule->glob, with_slash)) {
            rule->matched++;
            return true;
        }
    }
    return false;
}

bool site_ignore_largest(const struct site_ignore *ignore, size_t *number, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < ignore->count; i++)
        if (ignore->rules[i].number != SIZE_MAX && ignore->rules[i].matched > *count) {
            *count = ignore->rules[i].matched;
            *number = ignore->rules[i].number;
        }
    return *count > 0;
}

void site_ignore_release(struct site_ignore **ignore) {
    if (!*ignore)
        return;
    for (size_t i = 0; i < (*ignore)->count; i++)
        glob_release(&(*ignore)->rules[i].glob);
    free((*ignore)->rules);
    free(*ignore);
    *ignore = NULL;
}
