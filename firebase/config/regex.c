#include "firebase/config/regex.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_LIMIT = 1000, REPETITION_LIMIT = 1000 };

struct reading {
    const char *regex, *at;
    unsigned depth;
    bool has_operand;    /* something stands before that can be repeated */
    bool was_repetition; /* it was repeated already */
    struct error *error;
};

static int wrong(const struct reading *reading, const char *where, const char *what) {
    return error_set(reading->error, ERROR_DATA, "%s at character %zu", what, (size_t)(where - reading->regex) + 1);
}

/* \x41, \x{1F600} */
static int read_hex(struct reading *reading) {
    const char *begin = reading->at;
    size_t digits;
    if (*reading->at == '{') {
        digits = strspn(reading->at + 1, "0123456789abcdefABCDEF");
        if (digits < 1 || digits > 8 || reading->at[1 + digits] != '}' || strtoul(reading->at + 1, NULL, 16) > 0x10ffff)
            return wrong(reading, begin, "\\x{…} without a character's number");
        reading->at += digits + 2;
        return 0;
    }
    if (!isxdigit((unsigned char)reading->at[0]) || !isxdigit((unsigned char)reading->at[1]))
        return wrong(reading, begin, "\\x without two hexadecimal digits");
    reading->at += 2;
    return 0;
}

/* \pL, \p{Greek} */
static int read_property(struct reading *reading) {
    const char *begin = reading->at;
    if (*reading->at != '{') {
        if (!*reading->at || !strchr("CLMNPSZ", *reading->at))
            return wrong(reading, begin, "\\p without the name of a class");
        reading->at++;
        return 0;
    }
    size_t length = strspn(reading->at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_^");
    if (!length || reading->at[1 + length] != '}')
        return wrong(reading, begin, "\\p{…} without the name of a class");
    reading->at += length + 2;
    return 0;
}

/* What follows a backslash; `in_class`: inside brackets. */
static int read_escape(struct reading *reading, bool in_class) {
    const char *begin = reading->at - 1;
    char c = *reading->at;
    if (!c)
        return wrong(reading, begin, "a backslash with nothing behind it");
    reading->at++;
    if (c == 'x')
        return read_hex(reading);
    if (c == 'p' || c == 'P')
        return read_property(reading);
    if (c >= '1' && c <= '9' && (c > '7' || *reading->at < '0' || *reading->at > '7'))
        return wrong(reading, begin, "a back reference, which RE2 has not,");
    if (isdigit((unsigned char)c)) {
        reading->at += strspn(reading->at, "01234567") > 1 ? 2 : strspn(reading->at, "01234567");
        return 0;
    }
    if ((c & 0x80) || (isalpha((unsigned char)c) && !strchr(in_class ? "afnrtvdDsSwW" : "afnrtvdDsSwWAzbBC", c)))
        return wrong(reading, begin, "an escape that RE2 does not know");
    return 0;
}

/* \Q…\E takes everything as it is. */
static bool skip_quoted(struct reading *reading) {
    if (!text_starts_with(reading->at, "\\Q"))
        return false;
    const char *end = strstr(reading->at + 2, "\\E");
    reading->at = end ? end + 2 : reading->at + strlen(reading->at);
    return true;
}

static int read_class_name(struct reading *reading) {
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
                                        "lower", "print", "punct", "space", "upper", "word",  "xdigit"};
    const char *begin = reading->at, *end = strstr(reading->at, ":]");
    size_t skip = reading->at[2] == '^' ? 3 : 2;
    for (size_t i = 0; end && i < ARRAY_LENGTH(names); i++)
        if ((size_t)(end - begin) == skip + strlen(names[i]) && !strncmp(begin + skip, names[i], strlen(names[i]))) {
            reading->at = end + 2;
            return 0;
        }
    return wrong(reading, begin, "an unknown class of characters");
}

/* One character, or a class, of a class in brackets. *character is what can begin or end a range, 0 for others. */
static int read_class_item(struct reading *reading, unsigned *character) {
    *character = 0;
    if (text_starts_with(reading->at, "[:") && strstr(reading->at, ":]"))
        return read_class_name(reading);
    if (*reading->at == '\\') {
        reading->at++;
        return read_escape(reading, true);
    }
    *character = (unsigned char)*reading->at++;
    while ((*reading->at & 0xc0) == 0x80)
        *character = *character << 8 | (unsigned char)*reading->at++;
    return 0;
}

static int read_class(struct reading *reading) {
    const char *begin = reading->at++;
    reading->at += *reading->at == '^';
    for (bool first = true; first || *reading->at != ']'; first = false) {
        unsigned low, high;
        const char *item = reading->at;
        if (!*reading->at)
            return wrong(reading, begin, "a [ without its ]");
        if (read_class_item(reading, &low) < 0)
            return -1;
        if (*reading->at != '-' || reading->at[1] == ']' || !reading->at[1])
            continue;
        const char *end = ++reading->at;
        if (read_class_item(reading, &high) < 0)
            return -1;
        if (*end == '\\' && end[1] && strchr("dDsSwWpP", end[1]))
            return wrong(reading, end, "a range that ends in a class of characters");
        if (low && high && low > high)
            return wrong(reading, item, "a range of characters that ends before it begins");
    }
    reading->at++;
    return 0;
}

static int read_group_name(struct reading *reading, const char *name) {
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (!length || name[length] != '>')
        return wrong(reading, name, "a group without a proper name");
    reading->at = name + length + 1;
    return 0;
}

static int read_group(struct reading *reading, bool had_operand) {
    const char *begin = reading->at++;
    if (++reading->depth > DEPTH_LIMIT)
        return wrong(reading, begin, "groups nested too deep");
    if (*reading->at != '?')
        return 0;
    const char *kind = reading->at + 1;
    if (*kind == '=' || *kind == '!')
        return wrong(reading, begin, "a look-ahead, which RE2 has not,");
    if (text_starts_with(kind, "<=") || text_starts_with(kind, "<!"))
        return wrong(reading, begin, "a look-behind, which RE2 has not,");
    if (text_starts_with(kind, "P<"))
        return read_group_name(reading, kind + 2);
    if (*kind == '<')
        return read_group_name(reading, kind + 1);
    size_t flags = strspn(kind, "imsU");
    if (kind[flags] == '-')
        flags += 1 + strspn(kind + flags + 1, "imsU");
    if (kind[flags] != ':' && kind[flags] != ')')
        return wrong(reading, begin, "a kind of group that RE2 has not");
    /* (?i) sets flags and is no group: a repetition after it is one of what stands before. */
    if (kind[flags] == ')') {
        reading->depth--;
        reading->has_operand = had_operand;
    }
    reading->at = kind + flags + 1;
    return 0;
}

/* The length of "{3}", "{3,}" or "{3,5}" with its numbers, or 0: then it is a brace and nothing more. */
static size_t repetition(const char *at, uint64_t *least, uint64_t *most) {
    size_t first = strspn(at + 1, "0123456789"), second = 0, length = 1 + first;
    AUTO_FREE char *number = text_copy_length(at + 1, first);
    if (!first || !text_to_u64(number, UINT64_MAX, least))
        return 0;
    *most = *least;
    if (at[length] == ',') {
        second = strspn(at + length + 1, "0123456789");
        AUTO_FREE char *upper = text_copy_length(at + length + 1, second);
        if (second && !text_to_u64(upper, UINT64_MAX, most))
            return 0;
        length += 1 + second;
    }
    return at[length] == '}' ? length + 1 : 0;
}

static int read_repetition(struct reading *reading, size_t length) {
    const char *begin = reading->at;
    if (!reading->has_operand)
        return wrong(reading, begin, "a repetition of nothing");
    if (reading->was_repetition)
        return wrong(reading, begin, "a repetition of a repetition");
    reading->at += length;
    reading->at += *reading->at == '?';
    reading->was_repetition = true;
    return 0;
}

/* Returns 1 when what stands here is no repetition. */
static int try_repetition(struct reading *reading) {
    if (*reading->at == '*' || *reading->at == '+' || *reading->at == '?')
        return read_repetition(reading, 1);
    uint64_t least, most;
    size_t length = *reading->at == '{' ? repetition(reading->at, &least, &most) : 0;
    if (!length)
        return 1;
    if (least > most || most > REPETITION_LIMIT)
        return wrong(reading, reading->at, "a number of repetitions that RE2 does not take");
    return read_repetition(reading, length);
}

static int read_one(struct reading *reading) {
    char c = *reading->at;
    int result = try_repetition(reading);
    if (result <= 0)
        return result;
    bool had_operand = reading->has_operand;
    reading->was_repetition = false;
    reading->has_operand = c != '(' && c != '|';
    if (skip_quoted(reading))
        return 0;
    if (c == '(')
        return read_group(reading, had_operand);
    if (c == '[')
        return read_class(reading);
    reading->at++;
    if (c == '\\')
        return read_escape(reading, false);
    if (c == ')' && reading->depth-- == 0)
        return wrong(reading, reading->at - 1, "a ) without its (");
    return 0;
}

int regex_check(const char *regex, struct error *error) {
    struct reading reading = {.regex = regex, .at = regex, .error = error};
    while (*reading.at)
        if (read_one(&reading) < 0)
            return -1;
    return reading.depth ? wrong(&reading, reading.at, "a ( without its )") : 0;
}
