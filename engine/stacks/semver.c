#include "engine/stacks/semver.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { NUMBER_LIMIT = 1000000 };

/* "1.2.x": the parts up to the first that is "x", "X", "*" or absent. Returns what follows, or NULL. */
static const char *read_parts(const char *text, struct semver *version, unsigned *given) {
    *version = (struct semver){{0, 0, 0}};
    *given = 0;
    bool is_wild = false;
    for (unsigned i = 0; i < 3; i++) {
        if (*text == 'x' || *text == 'X' || *text == '*') {
            is_wild = true;
            text++;
        } else if (isdigit((unsigned char)*text)) {
            unsigned number = 0;
            for (; isdigit((unsigned char)*text); text++)
                number = number > NUMBER_LIMIT ? number : number * 10 + (unsigned)(*text - '0');
            version->part[i] = is_wild ? 0 : number;
            *given += !is_wild;
        } else {
            return NULL;
        }
        if (*text != '.')
            break;
        text++;
    }
    if (*text == '-' || *text == '+')
        text += strcspn(text, " \t|,");
    return text;
}

static const char *skip_spaces(const char *text) {
    return text + strspn(text, " \t\r\n");
}

bool semver_parse(const char *text, struct semver *version, unsigned *given) {
    text += strspn(text, " \t=v");
    const char *end = isdigit((unsigned char)*text) ? read_parts(text, version, given) : NULL;
    return end && *skip_spaces(end) == '\0';
}

int semver_compare(const struct semver *left, const struct semver *right) {
    for (int i = 0; i < 3; i++)
        if (left->part[i] != right->part[i])
            return left->part[i] < right->part[i] ? -1 : 1;
    return 0;
}

/* The first version after all those that begin with the first `parts` parts; everything when there are none. */
static struct semver after(const struct semver *version, unsigned parts) {
    struct semver next = {{0, 0, 0}};
    if (parts == 0)
        return (struct semver){{UINT32_MAX, 0, 0}};
    for (unsigned i = 0; i < parts; i++)
        next.part[i] = version->part[i];
    next.part[parts - 1]++;
    return next;
}

static bool is_between(const struct semver *version, const struct semver *low, const struct semver *high) {
    return semver_compare(version, low) >= 0 && semver_compare(version, high) < 0;
}

/* "^1.2.3": no change of the first part that is not 0. */
static struct semver caret_end(const struct semver *version, unsigned given) {
    unsigned keep = 1;
    while (keep < given && version->part[keep - 1] == 0)
        keep++;
    return after(version, given == 0 ? 0 : keep);
}

/* One comparator: the operator with its length, and what it is given. */
static bool holds(const struct semver *version, const char *operator, size_t length, const struct semver *bound,
                  unsigned given) {
    struct semver end = after(bound, given);
    if (length == 0 || *operator== '=')
        return is_between(version, bound, &end);
    if (*operator== '^') {
        end = caret_end(bound, given);
        return is_between(version, bound, &end);
    }
    if (*operator== '~') {
        end = after(bound, given > 2 ? 2 : given);
        return is_between(version, bound, &end);
    }
    bool or_equal = length > 1 && operator[1] == '=';
    if (*operator== '>')
        return or_equal ? semver_compare(version, bound) >= 0 : semver_compare(version, &end) >= 0;
    return or_equal ? semver_compare(version, &end) < 0 : semver_compare(version, bound) < 0;
}

/* "18 - 22": both ends belong to it. Returns what follows, or NULL when it is no such range. */
static const char *hyphen_range(const char *text, const struct semver *version, bool *satisfied) {
    struct semver low, high;
    unsigned given;
    text += strspn(text, "v");
    const char *at = read_parts(text, &low, &given);
    if (!at || (*at != ' ' && *at != '\t'))
        return NULL;
    at = skip_spaces(at);
    if (*at != '-' || (at[1] != ' ' && at[1] != '\t'))
        return NULL;
    at = skip_spaces(at + 1);
    at = read_parts(at + strspn(at, "v"), &high, &given);
    if (!at)
        return NULL;
    struct semver end = after(&high, given);
    *satisfied = is_between(version, &low, &end);
    return at;
}

/* All comparators between two "||". *understood is only ever set to false. */
static bool alternative_holds(const char *text, const struct semver *version, bool *understood) {
    bool satisfied = true;
    text = skip_spaces(text);
    const char *rest = hyphen_range(text, version, &satisfied);
    if (rest)
        text = rest;
    for (text = skip_spaces(text); *text && *text != '|'; text = skip_spaces(text)) {
        size_t length = strspn(text, "<>=~^");
        struct semver bound;
        unsigned given;
        const char *number = skip_spaces(text + length);
        const char *end = read_parts(number + strspn(number, "v="), &bound, &given);
        if (*text == ',') {
            text++;
            continue;
        }
        if (!end || (*end && !strchr(" \t\r\n|,<>=~^", *end))) {
            *understood = false;
            return false;
        }
        satisfied = satisfied && holds(version, text, length, &bound, given);
        text = end;
    }
    return satisfied;
}

bool semver_satisfies(const struct semver *version, const char *range, bool *understood) {
    bool fine = true, satisfied = false;
    for (;;) {
        satisfied = alternative_holds(range, version, &fine) || satisfied;
        range += strcspn(range, "|");
        if (*range == '\0')
            break;
        range += strspn(range, "|");
    }
    if (understood)
        *understood = fine;
    return satisfied;
}
