#include "engine/report/place.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

enum { PATH_LIMIT = 1024, LINE_DIGITS = 7 };

static bool is_file(const struct place_search *search, const char *path) {
    const struct tree_entry *entry = *path ? tree_find(search->source, path) : NULL;
    return entry && (entry->type == 'f' || entry->type == 'x');
}

char *place_file(const struct place_search *search, const char *path) {
    size_t length = search->root ? strlen(search->root) : 0;
    if (text_starts_with(path, "file://"))
        path += strlen("file://");
    if (length > 0 && strncmp(path, search->root, length) == 0 && path[length] == '/')
        path += length + 1;
    while (text_starts_with(path, "./"))
        path += 2;
    if (!text_is_empty(search->folder)) {
        AUTO_FREE char *inside = path_join(search->folder, path);
        if (is_file(search, inside))
            return take_pointer(&inside);
    }
    return is_file(search, path) ? text_copy(path) : NULL;
}

/* The number after a path, or 0. */
static unsigned read_line(const char *text) {
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= LINE_DIGITS ? (unsigned)strtoul(text, NULL, 10) : 0;
}

struct finder {
    const struct place_search *search;
    const char *preferred;
    struct place *place;
    bool is_preferred; /* the place that was found is in the preferred file */
};

static void consider(struct finder *finder, const char *path, size_t length, unsigned line) {
    if (line == 0 || length == 0 || length > PATH_LIMIT)
        return;
    AUTO_FREE char *copy = text_copy_length(path, length), *file = place_file(finder->search, copy);
    if (!file)
        return;
    bool preferred = finder->preferred && text_equal(file, finder->preferred);
    bool later = finder->search->order == PLACE_LAST;
    bool better =
        !finder->place->file || (preferred && !finder->is_preferred) || (preferred == finder->is_preferred && later);
    if (!better)
        return;
    free(finder->place->file);
    *finder->place = (struct place){.file = take_pointer(&file), .line = line};
    finder->is_preferred = preferred;
}

/* File "PATH", line N: here a path may have spaces. */
static void consider_traceback(struct finder *finder, const char *text, size_t length) {
    static const char before[] = "File \"", after[] = "\", line ";
    AUTO_FREE char *line = text_copy_length(text, length);
    const char *path = strstr(line, before), *end = path ? strstr(path, after) : NULL;
    if (end)
        consider(finder, path + strlen(before), (size_t)(end - path) - strlen(before), read_line(end + strlen(after)));
}

/* PATH:N and PATH(N,: a path begins after a space, a bracket or a quote. */
static void consider_words(struct finder *finder, const char *text, size_t length) {
    const char *begin = text, *end = text + length;
    for (const char *at = text; at < end; at++) {
        if (*at == ':' || *at == '(')
            consider(finder, begin, (size_t)(at - begin), at + 1 < end ? read_line(at + 1) : 0);
        if (strchr(" \t()[]<>\"'`|", *at))
            begin = at + 1;
    }
}

bool place_find(const struct place_search *search, const char *preferred, const char *text, struct place *place) {
    *place = (struct place){0};
    struct finder finder = {.search = search, .preferred = preferred, .place = place};
    while (*text) {
        size_t length = strcspn(text, "\n");
        consider_traceback(&finder, text, length);
        consider_words(&finder, text, length);
        text += length + (text[length] == '\n');
    }
    return place->file != NULL;
}
