#include "local/hosting/redirect.h"

#include "common/base/buffer.h"
#include "common/regex/regex.h"

#include <ctype.h>
#include <string.h>

enum { NAMES_LIMIT = REGEX_GROUPS, LOCATION_LIMIT = 16384 };

struct captures {
    struct regex *regex;
    struct text_list names; /* of the groups 1, 2, …; of a glob only */
    bool is_glob;
    char *location;
};

static size_t name_length(const char *text) {
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

/* "…/:name": only there a location begins to take something up. */
static bool takes_up(const char *location) {
    for (const char *at = location; *at; at++)
        if (*at == ':' && (at == location || at[-1] == '/'))
            return true;
    return false;
}

/* ---- the glob as a regular expression ---- */

static void add_escaped(struct buffer *out, char c) {
    if (!isalnum((unsigned char)c) && (unsigned char)c < 0x80)
        buffer_append_byte(out, '\\');
    buffer_append_byte(out, c);
}

/* "(…)" without parentheses inside: its length with both, or 0. */
static size_t group_length(const char *text) {
    if (*text != '(')
        return 0;
    for (const char *at = text + 1; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '(')
            return 0;
        else if (*at == ')')
            return at > text + 1 ? (size_t)(at + 1 - text) : 0;
    }
    return 0;
}

struct parameter {
    char prefix; /* '/', '.' or none */
    const char *name;
    size_t name_length;
    const char *group; /* its own expression, with parentheses */
    size_t group_length;
    char modifier; /* '*', '+', '?' or none */
    bool any;      /* a bare '*' */
    size_t length;
};

/* A parameter that begins at `text`. */
static bool parse_parameter(const char *text, struct parameter *parameter) {
    *parameter = (struct parameter){0};
    const char *at = text;
    if (*at == '/' || *at == '.')
        parameter->prefix = *at++;
    if (*at == '*') {
        parameter->any = true;
        parameter->length = (size_t)(at + 1 - text);
        return true;
    }
    if (*at == ':' && name_length(at + 1)) {
        parameter->name = at + 1;
        parameter->name_length = name_length(at + 1);
        at += 1 + parameter->name_length;
    }
    parameter->group = at;
    parameter->group_length = group_length(at);
    at += parameter->group_length;
    if (!parameter->name && !parameter->group_length)
        return false;
    if (*at && strchr("*+?", *at))
        parameter->modifier = *at++;
    parameter->length = (size_t)(at - text);
    return true;
}

static void add_parameter(struct buffer *out, const struct parameter *parameter, char next) {
    char delimiter = parameter->prefix ? parameter->prefix : '/';
    AUTO_FREE char *prefix = parameter->prefix ? text_format("\\%c", parameter->prefix) : text_copy("");
    AUTO_FREE char *one = parameter->any ? text_copy("(?:.*)")
                          : parameter->group_length
                              ? text_format("(?:%.*s)", (int)parameter->group_length - 2, parameter->group + 1)
                              : text_format("(?:[^\\%c]+?)", delimiter);
    bool repeats = parameter->modifier == '*' || parameter->modifier == '+';
    bool optional = parameter->modifier == '*' || parameter->modifier == '?';
    bool partial = parameter->prefix && next && next != parameter->prefix;
    AUTO_FREE char *all = repeats ? text_format("%s(?:%s%s)*", one, prefix, one) : text_copy(one);
    if (!optional)
        buffer_append_format(out, "%s(%s)", prefix, all);
    else if (partial)
        buffer_append_format(out, "%s(%s)?", prefix, all);
    else
        buffer_append_format(out, "(?:%s(%s))?", prefix, all);
}

static struct regex *compile_glob(const char *glob, struct text_list *names, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(REGEX_LENGTH);
    size_t length = strlen(glob);
    length -= length && glob[length - 1] == '/';
    buffer_append_byte(&out, '^');
    for (const char *at = glob; at < glob + length;) {
        struct parameter parameter;
        if (*at == '\\' && at[1]) {
            add_escaped(&out, at[1]);
            at += 2;
        } else if (parse_parameter(at, &parameter)) {
            at += parameter.length;
            add_parameter(&out, &parameter, *at);
            text_list_take(names,
                           parameter.name ? text_copy_length(parameter.name, parameter.name_length) : text_copy(""));
        } else
            add_escaped(&out, *at++);
        if (names->count > NAMES_LIMIT) {
            error_set(error, ERROR_DATA, "the glob has more than %d parameters", NAMES_LIMIT);
            return NULL;
        }
    }
    buffer_append_text(&out, "(?:\\/(?=$))?$");
    if (buffer_check(&out, "the glob", error) < 0)
        return NULL;
    return regex_compile(buffer_text(&out), REGEX_OURS | REGEX_IGNORE_CASE, error);
}

struct captures *captures_compile(const char *glob, const char *regex, const char *location, struct error *error) {
    error_clear(error);
    if (!takes_up(location))
        return NULL;
    struct captures *captures = memory_allocate(1, sizeof(*captures));
    captures->is_glob = glob != NULL;
    captures->location = text_copy(location);
    captures->regex = glob ? compile_glob(glob, &captures->names, error) : regex_compile(regex, REGEX_RE2, error);
    if (!captures->regex)
        captures_release(&captures);
    return captures;
}

void captures_release(struct captures **captures) {
    if (!*captures)
        return;
    regex_release(&(*captures)->regex);
    text_list_release(&(*captures)->names);
    free((*captures)->location);
    free(*captures);
    *captures = NULL;
}

/* ---- the location ---- */

static int number_of(const struct captures *captures, const char *name) {
    uint64_t number;
    if (!captures->is_glob)
        return text_to_u64(name, NAMES_LIMIT, &number) ? (int)number : regex_group_number(captures->regex, name);
    for (size_t i = 0; i < captures->names.count; i++)
        if (text_equal(captures->names.items[i], name))
            return (int)i + 1;
    return -1;
}

/* ":name" at `at`: 1 and its value in `out`, 0 when it is no name that was captured, -1 when it is missing. */
static int take_up(const struct captures *captures, const struct regex_groups *groups, const char **at,
                   struct buffer *out) {
    size_t length = name_length(*at + 1);
    AUTO_FREE char *name = text_copy_length(*at + 1, length);
    int number = length ? number_of(captures, name) : -1;
    if (number < 0 || (size_t)number >= groups->count) {
        /* "http://host:8080/": a port. */
        bool is_port = strspn(name, "0123456789") == length && (*at == captures->location || (*at)[-1] != '/');
        return !length || is_port ? 0 : -1;
    }
    const char *value = groups->items[number];
    *at += 1 + length;
    *at += **at && strchr("*+?", **at);
    if (value)
        buffer_append_text(out, value);
    else if (out->length && (out->data[out->length - 1] == '/' || out->data[out->length - 1] == '.'))
        out->data[--out->length] = '\0';
    return 1;
}

char *captures_apply(const struct captures *captures, const char *path, bool *matched) {
    AUTO(regex_groups_release) struct regex_groups groups = {0};
    struct buffer out = BUFFER(LOCATION_LIMIT);
    *matched = regex_find(captures->regex, path, &groups);
    bool complete = *matched;
    for (const char *at = captures->location; complete && *at;) {
        int taken = *at == ':' ? take_up(captures, &groups, &at, &out) : 0;
        if (taken == 0)
            buffer_append_byte(&out, *at++);
        complete = taken >= 0 && !out.failed;
    }
    if (complete)
        return buffer_take(&out);
    buffer_release(&out);
    return NULL;
}

char *location_encode(const char *location) {
    struct buffer out = BUFFER(LOCATION_LIMIT * 3);
    for (const char *at = location; *at; at++) {
        bool encoded = *at == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]);
        if (encoded || isalnum((unsigned char)*at) || strchr(";,/?:@&=+$-_.!~*'()#", *at))
            buffer_append_byte(&out, *at);
        else
            buffer_append_format(&out, "%%%02X", (unsigned char)*at);
    }
    return buffer_take(&out);
}
