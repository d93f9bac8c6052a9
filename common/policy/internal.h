/* Private to common/policy: rules as data, and what a rule is given. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "common/policy/policy.h"

/* What a member of a rule may be. */
enum member_kind {
    MEMBER_TEXT,
    MEMBER_TRUTH,
    MEMBER_AMOUNT,   /* a number, 0 or more */
    MEMBER_PERCENT,  /* a number from 0 to 100 */
    MEMBER_QUANTITY, /* a number or "500m", "512Mi" */
    MEMBER_DURATION, /* "90s", "5m" */
    MEMBER_DATE,     /* "2026-12-31" */
    MEMBER_PATTERN,  /* a regular expression for all of a text */
    MEMBER_GLOBS,    /* a list of globs, at least one */
    MEMBER_SEVERITY, /* "low", "medium", "high", "critical" */
    MEMBER_SUITES,   /* a list of pl-test's suites, at least one */
    MEMBER_LABELS,   /* name -> value, at least one */
};
struct member {
    const char *name;
    enum member_kind kind;
    bool is_needed;
};
enum { RULE_MEMBERS = 7 };

struct judging;
struct facts;
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
    struct facts *facts;
    struct text_list *labels; /* of policy_labels; else NULL */
};
/* The rule is broken. */
void judge_breach(struct judging *judging, const char *format, ...) PRINTF_LIKE(2, 3);
/* It cannot be said here: not decided while offline, else a breach. */
void judge_unknown(struct judging *judging, const char *format, ...) PRINTF_LIKE(2, 3);

/* One function for each rule of the table, by the subject that its file is about. */
typedef int rule_check(struct judging *judging, struct error *error);
rule_check check_min_instances, check_max_instances, check_cpu, check_memory, check_concurrency, check_timeout;
rule_check check_public_access, check_ingress, check_service_accounts;
rule_check check_registries, check_base_images, check_branches, check_labels;
rule_check check_tests, check_coverage, check_audit, check_scan;

/* Of rules that bind: adds the labels that they set. */
void policy_rule_labels(struct judging *judging, const struct json *rules);

/* Whether the text matches one of a list of globs. */
bool policy_globs_accept(const struct json *globs, const char *text);
/* "a, b, c"; the caller frees. */
char *policy_list_text(const struct json *list);

#endif
