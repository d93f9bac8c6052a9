#include "local/hosting/pattern.h"

#include "common/base/text.h"
#include "common/glob/glob.h"
#include "common/regex/regex.h"

#include <string.h>

enum { ROOTED_LIMIT = 64 << 10 };

char *pattern_root(const char *text) {
    AUTO_LIST struct text_list parts = {0}, kept = {0};
    bool negated = *text == '!';
    text_list_split(&parts, text + negated, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, "..") && kept.count) {
            free(kept.items[--kept.count]);
            kept.items[kept.count] = NULL;
        } else if (*part && !text_equal(part, ".") && !text_equal(part, ".."))
            text_list_add(&kept, part);
    }
    struct buffer out = BUFFER(ROOTED_LIMIT);
    buffer_append_text(&out, negated ? "!" : "");
    for (size_t i = 0; i < kept.count; i++)
        buffer_append_format(&out, "/%s", kept.items[i]);
    if (!kept.count || !*parts.items[parts.count - 1])
        buffer_append_byte(&out, '/');
    return buffer_take(&out);
}

static int compile_glob(struct pattern *pattern, const char *text, struct error *error) {
    pattern->nothing = !*text || *text == '#';
    for (; *text == '!'; text++)
        pattern->negated = !pattern->negated;
    pattern->glob = glob_new(text, 0, error);
    return pattern->glob ? 0 : -1;
}

int pattern_compile(struct pattern *pattern, const struct json *rule, const char *path, enum pattern_root root,
                    struct error *error) {
    const char *glob = json_get_text(rule, "glob", NULL), *regex = json_get_text(rule, "regex", NULL);
    if (!glob == !regex)
        return error_set(error, ERROR_DATA, "Invalid value at '%s': one of glob and regex is expected", path);
    if (glob) {
        AUTO_FREE char *text = root == PATTERN_ROOTED ? pattern_root(glob) : text_copy(glob);
        return compile_glob(pattern, text, error) < 0 ? error_wrap(error, "Invalid glob at '%s'", path) : 0;
    }
    pattern->regex = regex_compile(regex, REGEX_RE2, error);
    return pattern->regex ? 0 : error_wrap(error, "Invalid regex at '%s'", path);
}

static bool accepts(const struct glob *glob, const char *path) {
    size_t length = strlen(path);
    if (glob_accepts(glob, path))
        return true;
    AUTO_FREE char *without = length > 1 && path[length - 1] == '/' ? text_copy_length(path, length - 1) : NULL;
    return without && glob_accepts(glob, without);
}

bool pattern_matches(const struct pattern *pattern, const char *path) {
    if (pattern->regex)
        return regex_matches(pattern->regex, path);
    return !pattern->nothing && accepts(pattern->glob, path) != pattern->negated;
}

void pattern_release(struct pattern *pattern) {
    glob_release(&pattern->glob);
    regex_release(&pattern->regex);
}
