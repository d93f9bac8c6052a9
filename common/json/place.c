/* Where a value stands in the text of its document, for messages that name the line. The text has been parsed before,
 * so it is well formed. */
#include "common/json/json.h"

#include "common/base/text.h"

#include <string.h>

enum { DEPTH_LIMIT = 64 };

struct scanner {
    const char *at, *end;
};

static void skip_space(struct scanner *scanner) {
    while (scanner->at < scanner->end && strchr(" \t\r\n,:", *scanner->at) && *scanner->at)
        scanner->at++;
}

static void skip_string(struct scanner *scanner) {
    for (scanner->at++; scanner->at < scanner->end && *scanner->at != '"'; scanner->at++)
        if (*scanner->at == '\\' && scanner->end - scanner->at > 1)
            scanner->at++;
    if (scanner->at < scanner->end)
        scanner->at++;
}

static void skip_value(struct scanner *scanner) {
    int depth = 0;
    do {
        skip_space(scanner);
        if (scanner->at >= scanner->end)
            return;
        char c = *scanner->at;
        if (c == '"') {
            skip_string(scanner);
        } else if (strchr("[{", c) && c) {
            depth++;
            scanner->at++;
        } else if (strchr("]}", c) && c) {
            depth--;
            scanner->at++;
        } else {
            do
                scanner->at++;
            while (scanner->at < scanner->end && *scanner->at && !strchr(" \t\r\n,:]}", *scanner->at));
        }
    } while (depth > 0);
}

static bool key_is(const char *begin, const char *end, const char *key) {
    AUTO_JSON struct json *text = json_parse(begin, (size_t)(end - begin), "a key", NULL);
    return text_equal(json_text(text), key);
}

/* From the '{' or '[' to the member or element that is asked for, its key first. False when there is none. */
static bool enter(struct scanner *scanner, const struct json_step *step, const char **place) {
    skip_space(scanner);
    if (scanner->at >= scanner->end || *scanner->at != (step->key ? '{' : '['))
        return false;
    scanner->at++;
    for (size_t index = 0;; index++) {
        skip_space(scanner);
        if (scanner->at >= scanner->end || *scanner->at == '}' || *scanner->at == ']')
            return false;
        const char *begin = scanner->at;
        bool found = !step->key && index == step->index;
        if (step->key) {
            skip_string(scanner);
            found = key_is(begin, scanner->at, step->key);
            skip_space(scanner);
        }
        if (found) {
            *place = begin;
            return true;
        }
        skip_value(scanner);
    }
}

struct json_place json_locate(const char *text, size_t length, const struct json_step *value) {
    const struct json_step *steps[DEPTH_LIMIT];
    size_t count = 0;
    for (; value && count < DEPTH_LIMIT; value = value->parent)
        steps[count++] = value;
    struct scanner scanner = {text, text + length};
    skip_space(&scanner);
    const char *place = scanner.at;
    while (count > 0 && enter(&scanner, steps[count - 1], &place))
        count--;
    struct json_place found = {.line = 1, .column = 1};
    for (const char *at = text; at < place; at++) {
        found.line += *at == '\n';
        found.column = *at == '\n' ? 1 : found.column + 1;
    }
    return found;
}
