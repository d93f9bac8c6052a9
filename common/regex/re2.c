/* The syntax of RE2 (github.com/google/re2/wiki/Syntax), as far as it is smaller than PCRE2's. */
#include "common/regex/internal.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_LIMIT = 1000 };

static int refuse(struct error *error, const char *what, const char *at, size_t length) {
    return error_set(error, ERROR_DATA, "%s: `%.*s`", what, (int)(length < 40 ? length : 40), at);
}

/* Behind "\": moves over it. */
static int check_escape(const char **at, struct error *error) {
    const char *begin = *at;
    char c = begin[1];
    if (!c)
        return error_set(error, ERROR_DATA, "trailing \\ at end of expression");
    if (c == 'Q') {
        const char *end = strstr(begin, "\\E");
        *at = end ? end + 2 : begin + strlen(begin);
        return 0;
    }
    bool octal = c == '0' || (c >= '1' && c <= '7' && begin[2] >= '0' && begin[2] <= '7');
    bool known = octal || strchr("AzbBdDsSwWpPaftnrvx", c) || (unsigned char)c >= 0x80 || ispunct((unsigned char)c);
    if (!known || c == '_')
        return refuse(error, "invalid escape sequence", begin, 2);
    *at = begin + 2;
    return 0;
}

/* "[…]": moves behind it. A class that does not end is PCRE2's to refuse. */
static int check_class(const char **at, struct error *error) {
    const char *p = *at + 1;
    p += *p == '^';
    p += *p == ']';
    while (*p && *p != ']') {
        if (*p == '[' && p[1] == ':') {
            const char *end = strstr(p, ":]");
            p = end ? end + 2 : p + 2;
        } else if (*p == '\\') {
            if (strchr("bBAz", p[1]) && p[1])
                return refuse(error, "invalid escape sequence", p, 2);
            if (check_escape(&p, error) < 0)
                return -1;
        } else
            p++;
    }
    *at = *p ? p + 1 : p;
    return 0;
}

/* "(?…": flags, a group without a number, or a name. */
static int check_group(const char **at, struct error *error) {
    const char *begin = *at, *p = begin + 1;
    if (*p == '*')
        return refuse(error, "no argument for repetition operator", p, 1);
    if (*p != '?') {
        *at = p;
        return 0;
    }
    p++;
    if (text_starts_with(p, "P<") || (*p == '<' && p[1] != '=' && p[1] != '!')) {
        const char *name = p + (*p == 'P' ? 2 : 1);
        size_t length = strcspn(name, ">");
        for (size_t i = 0; i < length; i++)
            if (!isalnum((unsigned char)name[i]) && name[i] != '_')
                return refuse(error, "invalid named capture group", begin, strcspn(begin, ")"));
        if (!length || name[length] != '>')
            return refuse(error, "invalid named capture group", begin, strcspn(begin, ")"));
        *at = name + length + 1;
        return 0;
    }
    size_t flags = strspn(p, "imsU-");
    bool complete = !flags || p[flags - 1] != '-';
    if (!complete || (p[flags] != ':' && (p[flags] != ')' || !flags)))
        return refuse(error, "invalid or unsupported Perl syntax", begin, 4);
    *at = p + flags + 1;
    return 0;
}

/* How long a repetition is that begins here: "*", "+?", "{2,}"…; 0: none. */
static size_t repetition(const char *at, bool *too_large) {
    size_t length = 0;
    *too_large = false;
    if (*at == '*' || *at == '+' || *at == '?') {
        length = 1;
    } else if (*at == '{' && isdigit((unsigned char)at[1])) {
        char *end;
        unsigned long low = strtoul(at + 1, &end, 10), high = low;
        if (*end == ',' && isdigit((unsigned char)end[1]))
            high = strtoul(end + 1, &end, 10);
        else if (*end == ',')
            end++;
        if (*end != '}')
            return 0;
        *too_large = low > REPEAT_LIMIT || high > REPEAT_LIMIT;
        length = (size_t)(end + 1 - at);
    }
    return length && at[length] == '?' ? length + 1 : length;
}

static int check_repetition(const char **at, struct error *error) {
    bool too_large, ignored;
    size_t length = repetition(*at, &too_large);
    if (too_large)
        return refuse(error, "invalid repetition size", *at, length);
    size_t next = length ? repetition(*at + length, &ignored) : 0;
    if (next)
        return refuse(error, "bad repetition operator", *at, length + next);
    *at += length ? length : 1;
    return 0;
}

int re2_check(const char *pattern, struct error *error) {
    for (const char *at = pattern; *at;) {
        int result = 0;
        if (*at == '\\')
            result = check_escape(&at, error);
        else if (*at == '[')
            result = check_class(&at, error);
        else if (*at == '(')
            result = check_group(&at, error);
        else if (strchr("*+?{", *at))
            result = check_repetition(&at, error);
        else
            at++;
        if (result < 0)
            return -1;
    }
    return 0;
}
