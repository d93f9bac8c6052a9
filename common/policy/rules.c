/* The rules: one table, in the order in which breaches are told; and those that need only names. */
#include "common/policy/internal.h"
#include "common/regex/regex.h"

enum { ANY = POLICY_SERVICE | POLICY_TRAFFIC | POLICY_JOB | POLICY_SITE, RUN = ANY & ~POLICY_SITE };

/* A fact that is one word, against {"allow": globs}. */
static int check_allowed(struct judging *judging, const char *what, const char *value) {
    const struct json *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    if (!value)
        judge_unknown(judging, "the %s is not known; allowed: %s", what, list);
    else if (!policy_globs_accept(allow, value))
        judge_breach(judging, "the %s is %s; allowed: %s", what, value, list);
    return 0;
}

static int check_regions(struct judging *judging, struct error *error) {
    (void)error;
    return check_allowed(judging, "region", judging->subject->region);
}

static int check_projects(struct judging *judging, struct error *error) {
    (void)error;
    return check_allowed(judging, "project", judging->subject->project);
}

static int check_names(struct judging *judging, struct error *error) {
    const char *name = judging->subject->name, *pattern = json_get_text(judging->value, "pattern", "");
    AUTO_FREE char *whole = text_format("\\A(?:%s)\\z", pattern);
    AUTO_REGEX struct regex *regex = regex_compile(whole, REGEX_RE2, error);
    if (!regex)
        return -1;
    if (!name)
        judge_unknown(judging, "the name is not known; it must match %s", pattern);
    else if (!regex_matches(regex, name))
        judge_breach(judging, "the name is %s; it must match %s", name, pattern);
    return 0;
}

#define ALLOW                                                                                                          \
    {                                                                                                                  \
        { "allow", MEMBER_GLOBS, true }                                                                                \
    }

const struct rule policy_rules[] = {
    {"regions", RUN, ALLOW, check_regions},
    {"projects", ANY, ALLOW, check_projects},
    {"names", ANY, {{"pattern", MEMBER_PATTERN, true}}, check_names},
};
const size_t policy_rule_count = ARRAY_LENGTH(policy_rules);
