/* Labels that a service or job must have, and those of them that pl sets. */
#include "common/policy/facts.h"
#include "common/policy/internal.h"

#include <string.h>

enum { LABEL_LIMIT = 63 };

/* As a label's value may be: lower-case letters, digits, "-" and "_", at most 63. The caller frees. */
static char *label_text(const char *text) {
    char *label = text_copy_length(text, strnlen(text, LABEL_LIMIT));
    for (char *at = label; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
        else if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_'))
            *at = '-';
    }
    return label;
}

/* The value that a label must have: from git, the environment's name, or NULL for a glob. *unknown says why there is
 * none. The caller frees. */
static char *wanted_value(struct judging *judging, const char *value, const char **unknown) {
    *unknown = NULL;
    if (text_equal(value, "environment")) {
        if (!judging->environment)
            *unknown = "this rule is in no environment";
        return judging->environment ? label_text(judging->environment) : NULL;
    }
    if (!text_starts_with(value, "git:"))
        return NULL;
    const struct git_facts *git = facts_git(judging->facts);
    AUTO_FREE char *branch = facts_branch(judging->facts);
    const char *tag = git->tags.count ? git->tags.items[0] : NULL;
    const char *found = text_equal(value, "git:commit")   ? git->commit
                        : text_equal(value, "git:branch") ? branch
                        : text_equal(value, "git:tag")    ? tag
                                                          : NULL;
    if (!found)
        *unknown = git->failure ? git->failure : "git does not say it";
    return found ? label_text(found) : NULL;
}

/* A commit may be given short. */
static bool label_is(const char *value, const char *wanted, bool is_commit) {
    return text_equal(value, wanted) || (is_commit && value && strlen(value) >= 7 && text_starts_with(wanted, value));
}

static void check_label(struct judging *judging, const char *name, const char *rule) {
    const struct json *labels = json_get(judging->subject->planned, "labels");
    const char *value = json_get_text(labels, name, NULL), *unknown = NULL;
    AUTO_FREE char *wanted = wanted_value(judging, rule, &unknown);
    AUTO_JSON struct json *glob = json_new_array();
    json_append_text(glob, rule);
    const char *shown = wanted ? wanted : text_equal(rule, "*") ? "there, with any value" : rule;
    if (!value)
        judge_breach(judging, "the label %s is missing; it must be %s", name, shown);
    else if (unknown)
        judge_unknown(judging, "the label %s must be %s, which is not known here: %s", name, rule, unknown);
    else if (wanted ? !label_is(value, wanted, text_equal(rule, "git:commit")) : !policy_globs_accept(glob, value))
        judge_breach(judging, "the label %s is \"%s\"; it must be %s", name, value, wanted ? wanted : rule);
}

/* ---- the values that pl sets itself ---- */

static bool has_label(const struct text_list *labels, const char *name) {
    AUTO_FREE char *prefix = text_format("%s=", name);
    for (size_t i = 0; i < labels->count; i++)
        if (text_starts_with(labels->items[i], prefix))
            return true;
    return false;
}

void policy_rule_labels(struct judging *judging, const struct json *rules) {
    const struct json *rule = json_get(rules, "labels"), *required = json_get(rule, "required");
    for (void *i = json_first(required); i && json_get_bool(rule, "set", false); i = json_next(required, i)) {
        const char *name = json_key(i), *value = json_text(json_value(i)), *unknown = NULL;
        AUTO_FREE char *wanted = wanted_value(judging, value, &unknown);
        /* A glob says what a value may be, not what it is. */
        if (!unknown && (wanted || !strpbrk(value, "*?[{(\\")) && !has_label(judging->labels, name))
            text_list_add_format(judging->labels, "%s=%s", name, wanted ? wanted : value);
    }
}

/* ---- the rule ---- */

int check_labels(struct judging *judging, struct error *error) {
    const struct json *required = json_get(judging->value, "required");
    (void)error;
    for (void *i = json_first(required); i; i = json_next(required, i))
        check_label(judging, json_key(i), json_text(json_value(i)));
    return 0;
}
