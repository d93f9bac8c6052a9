#include "engine/dockerfile/expand.h"

#include "common/base/buffer.h"

#include <ctype.h>
#include <string.h>

enum { EXPANDED_LIMIT = 1024 * 1024, NESTING_LIMIT = 16 };

struct scope {
    char escape;
    bool remove_quotes;
    const struct text_list *environment, *arguments;
    int nesting;
};

static size_t name_length(const char *text) {
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

static bool names(const char *pair, const char *name) {
    size_t length = strlen(name);
    return strncmp(pair, name, length) == 0 && pair[length] == '=';
}

void variables_set(struct text_list *variables, const char *name, const char *value) {
    for (size_t i = 0; i < variables->count; i++)
        if (names(variables->items[i], name)) {
            free(variables->items[i]);
            variables->items[i] = text_format("%s=%s", name, value);
            return;
        }
    text_list_add_format(variables, "%s=%s", name, value);
}

const char *variables_get(const struct text_list *variables, const char *name) {
    for (size_t i = 0; i < variables->count; i++)
        if (names(variables->items[i], name))
            return variables->items[i] + strlen(name) + 1;
    return NULL;
}

static const char *look_up(const struct scope *scope, const char *name) {
    const char *value = variables_get(scope->environment, name);
    return value ? value : variables_get(scope->arguments, name);
}

static int expand_into(struct scope *scope, const char *text, size_t length, struct buffer *out, struct error *error);

/* The end of "${…}", at its closing brace, with nested ones inside; NULL when there is none. */
static const char *closing_brace(const char *text, const char *end, char escape) {
    int depth = 1;
    for (; text < end; text++) {
        if (*text == escape && text + 1 < end)
            text++;
        else if (*text == '{')
            depth++;
        else if (*text == '}' && --depth == 0)
            return text;
    }
    return NULL;
}

static int expand_braces(struct scope *scope, const char *inside, const char *end, struct buffer *out,
                         struct error *error) {
    size_t length = name_length(inside);
    AUTO_FREE char *name = text_copy_length(inside, length);
    const char *at = inside + length;
    const char *value = look_up(scope, name);
    bool counts_empty = at < end && *at == ':';
    at += counts_empty;
    char operator= at<end ? *at : '\0';
    if (length == 0 || (counts_empty && !operator) || (operator&& !strchr("-+?", operator)))
        return error_set(error, ERROR_DATA, "\"${%.*s}\" is not a variable that can be replaced", (int)(end - inside),
                         inside);
    bool has_value = value && !(counts_empty && !*value);
    size_t left = operator? (size_t)(end - at - 1) : 0;
    if (operator== '?' && !has_value)
        return error_set(error, ERROR_DATA, "%s: %.*s", name, (int)left, at + 1);
    if ((operator== '-' && !has_value) || (operator== '+' && has_value))
        return expand_into(scope, at + 1, left, out, error);
    if (operator!= '+' && value)
        buffer_append_text(out, value);
    return 0;
}

/* Replaces what begins at a '$'; returns behind it, or NULL with *error. */
static const char *expand_variable(struct scope *scope, const char *at, const char *end, struct buffer *out,
                                   struct error *error) {
    if (at + 1 < end && at[1] == '{') {
        const char *close = closing_brace(at + 2, end, scope->escape);
        if (!close) {
            error_set(error, ERROR_DATA, "\"%.*s\" has no closing brace", (int)(end - at), at);
            return NULL;
        }
        return expand_braces(scope, at + 2, close, out, error) < 0 ? NULL : close + 1;
    }
    size_t length = name_length(at + 1);
    if (length > (size_t)(end - at - 1))
        length = (size_t)(end - at - 1);
    if (length == 0) {
        buffer_append_byte(out, '$');
        return at + 1;
    }
    AUTO_FREE char *name = text_copy_length(at + 1, length);
    const char *value = look_up(scope, name);
    if (value)
        buffer_append_text(out, value);
    return at + 1 + length;
}

static int expand_into(struct scope *scope, const char *text, size_t length, struct buffer *out, struct error *error) {
    if (++scope->nesting > NESTING_LIMIT)
        return error_set(error, ERROR_DATA, "variables are nested deeper than %d", NESTING_LIMIT);
    const char *end = text + length;
    char quote = '\0';
    for (const char *at = text; at < end;) {
        bool is_quote = scope->remove_quotes && (*at == '"' || *at == '\'') && (!quote || quote == *at);
        if (is_quote) {
            quote = quote ? '\0' : *at;
            at++;
        } else if (*at == scope->escape && at + 1 < end && quote != '\'') {
            if (!scope->remove_quotes && at[1] != '$')
                buffer_append_byte(out, *at);
            else if (quote == '"' && at[1] != '"' && at[1] != '$' && at[1] != scope->escape)
                buffer_append_byte(out, *at);
            buffer_append_byte(out, at[1]);
            at += 2;
        } else if (*at == '$' && quote != '\'') {
            at = expand_variable(scope, at, end, out, error);
            if (!at)
                return -1;
        } else
            buffer_append_byte(out, *at++);
    }
    scope->nesting--;
    return 0;
}

char *variables_expand(const char *text, char escape, bool remove_quotes, const struct text_list *environment,
                       const struct text_list *arguments, struct error *error) {
    struct scope scope = {escape, remove_quotes, environment, arguments, 0};
    AUTO_BUFFER struct buffer out = BUFFER(EXPANDED_LIMIT);
    if (expand_into(&scope, text, strlen(text), &out, error) < 0 || buffer_check(&out, "an expanded text", error) < 0)
        return NULL;
    return buffer_take(&out);
}

void words_split(struct text_list *words, const char *text, char escape) {
    while (*text) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        const char *begin = text;
        char quote = '\0';
        for (; *text && (quote || !isspace((unsigned char)*text)); text++) {
            if (*text == escape && text[1] && quote != '\'')
                text++;
            else if (!quote && (*text == '"' || *text == '\''))
                quote = *text;
            else if (quote && *text == quote)
                quote = '\0';
        }
        text_list_take(words, text_copy_length(begin, (size_t)(text - begin)));
    }
}
