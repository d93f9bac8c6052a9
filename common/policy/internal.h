/* Private to common/policy: rules as data, and what a rule is given. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "common/policy/policy.h"

/* What a member of a rule may be. */
enum member_kind {
    MEMBER_TEXT,
    MEMBER_TRUTH,
    MEMBER_AMOUNT,   /* a number, 0 or more */
    MEMBER_QUANTITY, /* a number or "500m", "512Mi" */
    MEMBER_DURATION, /* "90s", "5m" */
    MEMBER_DATE,     /* "2026-12-31" */
    MEMBER_PATTERN,  /* a regular expression for all of a text */
    MEMBER_GLOBS,    /* a list of globs, at least one */
    MEMBER_TEXTS,    /* a list of texts, at least one */
    MEMBER_MAP,      /* name -> text, at least one */
};
struct member {
    const char *name;
    enum member_kind kind;
    bool is_needed;
};
enum { RULE_MEMBERS = 6 };

struct judging;
struct rule {
    const char *name;
    unsigned kinds;                      /* of enum policy_kind: what it speaks of */
    struct member members[RULE_MEMBERS]; /* beside "why"; ends with one without a name */
    int (*check)(struct judging *judging, struct error *error);
};
extern const struct rule policy_rules[];
extern const size_t policy_rule_count;

/* One rule of one policy, about one subject. */
struct judging {
    const struct policy *policy;
    const char *environment;
    const struct rule *rule;
    const struct json *value; /* the rule's object in the file */
    const struct policy_subject *subject;
    struct policy_verdict *verdict;
};
/* The rule is broken. */
void judge_breach(struct judging *judging, const char *format, ...) PRINTF_LIKE(2, 3);
/* It cannot be said here: not decided while offline, else a breach. */
void judge_unknown(struct judging *judging, const char *format, ...) PRINTF_LIKE(2, 3);

/* Whether the text matches one of a list of globs. */
bool policy_globs_accept(const struct json *globs, const char *text);
/* "a, b, c"; the caller frees. */
char *policy_list_text(const struct json *list);

#endif
