/* The rules: one table, in the order in which breaches are told; and those that need only names. */
#include "common/policy/internal.h"
#include "common/regex/regex.h"

enum {
    WORKLOAD = POLICY_SERVICE | POLICY_JOB,
    RUN = WORKLOAD | POLICY_TRAFFIC | POLICY_REVISION,
    SERVICE = POLICY_SERVICE | POLICY_REVISION,
    CONTAINER = WORKLOAD | POLICY_REVISION,
    DEPLOY = WORKLOAD | POLICY_SITE,
    ANY = RUN | POLICY_SITE | POLICY_RELEASE,
};

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
    { "allow", MEMBER_GLOBS, true }
#define LIMITS(kind)                                                                                                   \
    {                                                                                                                  \
        {"at_least", kind, false}, {                                                                                   \
            "at_most", kind, false                                                                                     \
        }                                                                                                              \
    }

const struct rule policy_rules[] = {
    {"projects", ANY, {ALLOW}, check_projects},
    {"regions", RUN, {ALLOW}, check_regions},
    {"names", ANY, {{"pattern", MEMBER_PATTERN, true}}, check_names},
    {"registries", CONTAINER, {ALLOW}, check_registries},
    {"base_images", CONTAINER, {ALLOW}, check_base_images},
    {"labels", WORKLOAD, {{"required", MEMBER_LABELS, true}, {"set", MEMBER_TRUTH, false}}, check_labels},
    {"min_instances", SERVICE, LIMITS(MEMBER_AMOUNT), check_min_instances},
    {"max_instances", CONTAINER, LIMITS(MEMBER_AMOUNT), check_max_instances},
    {"cpu", CONTAINER, LIMITS(MEMBER_QUANTITY), check_cpu},
    {"memory", CONTAINER, LIMITS(MEMBER_QUANTITY), check_memory},
    {"concurrency", SERVICE, LIMITS(MEMBER_AMOUNT), check_concurrency},
    {"timeout", CONTAINER, LIMITS(MEMBER_DURATION), check_timeout},
    {"public_access", SERVICE | POLICY_TRAFFIC, {{"allow", MEMBER_TRUTH, true}}, check_public_access},
    {"ingress", SERVICE | POLICY_TRAFFIC, {ALLOW}, check_ingress},
    {"service_accounts", CONTAINER, {ALLOW}, check_service_accounts},
    {"branches", DEPLOY, {ALLOW, {"local", MEMBER_TRUTH, false}, {"clean", MEMBER_TRUTH, false}}, check_branches},
    {"tests", DEPLOY, {{"suites", MEMBER_SUITES, true}, {"max_age", MEMBER_DURATION, false}}, check_tests},
    {"coverage", DEPLOY, {{"at_least", MEMBER_PERCENT, true}}, check_coverage},
    {"audit", DEPLOY, {{"max_age", MEMBER_DURATION, true}, {"refuse", MEMBER_SEVERITY, false}}, check_audit},
    {"scan", WORKLOAD, {{"refuse", MEMBER_SEVERITY, true}}, check_scan},
};
const size_t policy_rule_count = ARRAY_LENGTH(policy_rules);
