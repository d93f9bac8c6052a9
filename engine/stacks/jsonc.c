#include "engine/stacks/jsonc.h"

#include <string.h>

static void blank(char *text, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (text[i] != '\n')
            text[i] = ' ';
}

/* The place after the string that begins at `at`. */
static size_t skip_string(const char *text, size_t length, size_t at) {
    char quote = text[at++];
    while (at < length && text[at] != quote && (text[at] != '\n' || quote == '`'))
        at += text[at] == '\\' && at + 1 < length ? 2 : 1;
    return at < length ? at + 1 : length;
}

/* The place after the comment that begins at `at`. */
static size_t skip_comment(const char *text, size_t length, size_t at) {
    if (text[at + 1] == '/') {
        const char *end = memchr(text + at, '\n', length - at);
        return end ? (size_t)(end - text) : length;
    }
    for (size_t i = at + 2; i + 1 < length; i++)
        if (text[i] == '*' && text[i + 1] == '/')
            return i + 2;
    return length;
}

void script_blank_comments(char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        if (text[i] == '"' || text[i] == '\'' || text[i] == '`') {
            i = skip_string(text, length, i);
        } else if (text[i] == '/' && i + 1 < length && (text[i + 1] == '/' || text[i + 1] == '*')) {
            size_t end = skip_comment(text, length, i);
            blank(text, i, end);
            i = end;
        } else {
            i++;
        }
    }
}

/* A comma with nothing but space between it and a closing bracket. */
static void blank_trailing_commas(char *text, size_t length) {
    size_t comma = length;
    for (size_t i = 0; i < length;) {
        if (text[i] == '"') {
            comma = length;
            i = skip_string(text, length, i);
            continue;
        }
        if (text[i] == ',')
            comma = i;
        else if ((text[i] == '}' || text[i] == ']') && comma < length)
            text[comma] = ' ';
        if (text[i] != ',' && !strchr(" \t\r\n", text[i]))
            comma = length;
        i++;
    }
}

struct json *jsonc_parse(char *text, size_t length, const char *what, struct error *error) {
    static const char mark[] = "\xef\xbb\xbf";
    if (length >= 3 && memcmp(text, mark, 3) == 0)
        blank(text, 0, 3);
    script_blank_comments(text, length);
    blank_trailing_commas(text, length);
    return json_parse(text, length, what, error);
}
