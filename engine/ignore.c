#include "engine/ignore.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

enum { FILE_LIMIT = 1024 * 1024, PATTERN_LIMIT = 4096 };

struct pattern {
    char *text;
    bool includes; /* began with '!' */
    bool literal;  /* no wildcard: compared as it is */
};

struct ignore {
    struct pattern *patterns;
    size_t count;
    bool has_includes;
};

/* Matches one class "[...]" at *pattern against `c` and moves *pattern behind it. */
static bool class_matches(const char **pattern, char c) {
    const char *at = *pattern + 1;
    bool inverted = *at == '^' || *at == '!';
    if (inverted)
        at++;
    bool found = false;
    for (bool first = true; *at && (*at != ']' || first); first = false) {
        char low = *at == '\\' && at[1] ? *++at : *at;
        char high = low;
        at++;
        if (at[0] == '-' && at[1] && at[1] != ']') {
            high = at[1];
            at += 2;
        }
        found = found || (c >= low && c <= high);
    }
    *pattern = *at ? at + 1 : at;
    return found != inverted;
}

/* Matches exactly one pattern element that is not '*' and moves both on. */
static bool one_matches(const char **pattern, const char **text) {
    char c = *(*text)++;
    if (**pattern == '[')
        return class_matches(pattern, c);
    if (**pattern == '?') {
        (*pattern)++;
        return true;
    }
    if (**pattern == '\\' && (*pattern)[1])
        (*pattern)++;
    return *(*pattern)++ == c;
}

/* One part of a path. Only the last '*' can need another try, so this is quadratic at worst. */
static bool part_matches(const char *pattern, const char *pattern_end, const char *text, const char *text_end) {
    const char *star = NULL, *retry = NULL;
    while (text < text_end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = ++pattern;
            retry = text;
            continue;
        }
        const char *next_pattern = pattern, *next_text = text;
        if (pattern < pattern_end && one_matches(&next_pattern, &next_text)) {
            pattern = next_pattern;
            text = next_text;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else
            return false;
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}

static const char *part_end(const char *text) {
    return strchrnul(text, '/');
}

static const char *next_part(const char *end) {
    return *end ? end + 1 : end;
}

bool glob_matches(const char *pattern, const char *path) {
    const char *star = NULL, *retry = NULL;
    while (*path) {
        const char *pattern_end = part_end(pattern), *path_end = part_end(path);
        if (pattern_end - pattern == 2 && pattern[0] == '*' && pattern[1] == '*') {
            star = pattern = next_part(pattern_end);
            retry = path;
            if (!*star)
                return true;
        } else if (*pattern && part_matches(pattern, pattern_end, path, path_end)) {
            pattern = next_part(pattern_end);
            path = next_part(path_end);
        } else if (star) {
            pattern = star;
            path = retry = next_part(part_end(retry));
        } else
            return false;
    }
    return !*pattern;
}

bool glob_has_wildcard(const char *text) {
    return strpbrk(text, "*?[") != NULL;
}

struct ignore *ignore_new(void) {
    return memory_allocate(1, sizeof(struct ignore));
}

static bool is_well_formed(const char *pattern) {
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && !*++at)
            return false;
        if (*at == '[' && !strchr(at + 1, ']'))
            return false;
    }
    return true;
}

/* "./a//b/" becomes "a/b"; ".." is taken back as far as the root. */
static char *clean(const char *text, size_t length) {
    AUTO_FREE char *copy = text_copy_length(text, length);
    char *out = memory_allocate(length + 1, 1);
    size_t used = 0;
    for (char *save = NULL, *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (text_equal(part, "."))
            continue;
        if (text_equal(part, "..")) {
            while (used > 0 && out[--used] != '/')
                ;
        } else {
            size_t size = strlen(part);
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, part, size);
            used += size;
        }
        out[used] = '\0';
    }
    out[used] = '\0';
    return out;
}

int ignore_add(struct ignore *ignore, const char *line, struct error *error) {
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1]))
        length--;
    if (length == 0 || line[0] == '#')
        return 0;
    if (length > PATTERN_LIMIT)
        return error_set(error, ERROR_DATA, "a pattern is longer than %d bytes", PATTERN_LIMIT);
    bool includes = line[0] == '!';
    const char *begin = line + includes;
    length -= includes;
    while (length > 0 && strchr(" \t", *begin)) {
        begin++;
        length--;
    }
    AUTO_FREE char *text = clean(begin, length);
    if (!is_well_formed(text))
        return error_set(error, ERROR_DATA, "the pattern \"%s\" is malformed", text);
    if (!*text)
        return 0;
    ignore->patterns = memory_resize(ignore->patterns, ignore->count + 1, sizeof(*ignore->patterns));
    bool literal = !glob_has_wildcard(text) && !strchr(text, '\\');
    ignore->patterns[ignore->count++] = (struct pattern){take_pointer(&text), includes, literal};
    ignore->has_includes = ignore->has_includes || includes;
    return 0;
}

int ignore_load(struct ignore *ignore, const char *path, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(FILE_LIMIT);
    bool found = false;
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    const char *begin = buffer_text(&text);
    if (text_starts_with(begin, "\xEF\xBB\xBF"))
        begin += 3;
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, begin, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (ignore_add(ignore, lines.items[i], error) < 0)
            return error_wrap(error, "%s:%zu", path, i + 1);
    return 0;
}

static bool pattern_matches(const struct pattern *pattern, const char *path) {
    return pattern->literal ? strcmp(pattern->text, path) == 0 : glob_matches(pattern->text, path);
}

/* The pattern against the path or any directory above it. */
static bool matches_at_or_above(const struct pattern *pattern, const char *path) {
    if (pattern_matches(pattern, path))
        return true;
    AUTO_FREE char *above = text_copy(path);
    for (char *slash; (slash = strrchr(above, '/'));) {
        *slash = '\0';
        if (pattern_matches(pattern, above))
            return true;
    }
    return false;
}

bool ignore_matches(const struct ignore *ignore, const char *path, bool *descend) {
    bool ignored = false;
    for (size_t i = 0; i < ignore->count; i++) {
        const struct pattern *pattern = &ignore->patterns[i];
        if (pattern->includes != ignored)
            continue;
        /* Without re-inclusion a walk never comes below what was left out, so the path alone decides. */
        if (ignore->has_includes ? matches_at_or_above(pattern, path) : pattern_matches(pattern, path))
            ignored = !pattern->includes;
    }
    if (descend)
        *descend = ignored && ignore->has_includes;
    return ignored;
}

void ignore_release(struct ignore **ignore) {
    if (!*ignore)
        return;
    for (size_t i = 0; i < (*ignore)->count; i++)
        free((*ignore)->patterns[i].text);
    free((*ignore)->patterns);
    free(*ignore);
    *ignore = NULL;
}
