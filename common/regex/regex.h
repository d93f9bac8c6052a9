/* Regular expressions: RE2's language, as Firebase Hosting takes it, matched by PCRE2 (which only this folder
 * includes).
 *
 * Google matches with RE2, a C++ library; PCRE2 knows all that RE2 knows, and more. What RE2 does not know
 * (backreferences, lookaround, possessive and doubled repetitions, \K, \R, …) is refused here, so that nothing passes
 * on a laptop that Google refuses. RE2 needs time in proportion to the text; PCRE2 tries alternatives one after the
 * other, so each match has a limit of steps and memory, and one that reaches it counts as no match. Text is UTF-8; text
 * that is not matches nothing. */
#ifndef REGEX_REGEX_H
#define REGEX_REGEX_H

#include "common/base/error.h"
#include "common/base/text.h"

enum { REGEX_LENGTH = 4096 /* bytes of an expression */, REGEX_GROUPS = 100 };

struct regex;

enum regex_language {
    REGEX_RE2,  /* from outside: checked against RE2's rules */
    REGEX_OURS, /* made by pl itself: any of PCRE2's, the case of letters ignored when REGEX_IGNORE_CASE is added */
    REGEX_IGNORE_CASE = 1 << 4,
};

/* ERROR_DATA with what is wrong and where. `language` is REGEX_RE2 or REGEX_OURS, with REGEX_IGNORE_CASE or without. */
struct regex *regex_compile(const char *pattern, unsigned language, struct error *error) MUST_CHECK;
void regex_release(struct regex **regex);
#define AUTO_REGEX AUTO(regex_release)

/* Anywhere in the text. */
bool regex_matches(const struct regex *regex, const char *text);

/* The groups of the first match: items[0] is all of it. A group that took no part is NULL. */
struct regex_groups {
    char **items;
    size_t count;
};
bool regex_find(const struct regex *regex, const char *text, struct regex_groups *groups);
void regex_groups_release(struct regex_groups *groups);
/* The number of a named group, or -1. */
int regex_group_number(const struct regex *regex, const char *name);

#endif
