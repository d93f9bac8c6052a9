/* Rules about where the content comes from: registry, base image, branch, labels that say so. */
#include "common/policy/facts.h"
#include "common/policy/internal.h"

#include <string.h>

enum { LABEL_LIMIT = 63, COMMIT_SHOWN = 12 };
#define BASE_LABEL "org.opencontainers.image.base.name"

/* ---- images ---- */

/* HOST/PROJECT/… of an image against prefixes of whole parts, each a glob. */
static bool is_in_registry(const struct json *allow, const char *image) {
    size_t length = strcspn(image, "@");
    AUTO_FREE char *repository = text_copy_length(image, length);
    AUTO_JSON struct json *globs = json_new_array();
    for (size_t i = 0; i < json_count(allow); i++) {
        const char *prefix = json_text(json_at(allow, i));
        size_t end = strlen(prefix);
        while (end > 0 && prefix[end - 1] == '/')
            end--;
        AUTO_FREE char *whole = text_format("%.*s", (int)end, prefix), *below = text_format("%s/**", whole);
        json_append_text(globs, whole);
        json_append_text(globs, below);
    }
    return policy_globs_accept(globs, repository);
}

int check_registries(struct judging *judging, struct error *error) {
    const struct json *containers = facts_containers(judging->subject), *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    (void)error;
    for (size_t i = 0; i < json_count(containers); i++) {
        const char *image = json_get_text(json_at(containers, i), "image", NULL);
        if (!image)
            judge_unknown(judging, "the image is not known; allowed: %s", list);
        else if (!is_in_registry(allow, image))
            judge_breach(judging, "the image is %.*s; allowed: %s", (int)strcspn(image, "@"), image, list);
    }
    return 0;
}

static int check_base(struct judging *judging, const char *image, struct error *error) {
    const struct json *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    AUTO_FACTS_IMAGE struct facts_image found = {0};
    if (facts_image(judging->facts, image, &found, error) < 0)
        return -1;
    /* What pl-build saw goes before the label, which anybody can set. */
    const char *base = json_get_text(found.build, "base", NULL);
    const struct json *labels = json_get_path(found.config, "config.Labels");
    base = base ? base : json_get_text(labels, BASE_LABEL, NULL);
    int length = image ? (int)strcspn(image, "@") : 0;
    if (!image)
        judge_unknown(judging, "the image is not known; allowed bases: %s", list);
    else if (!found.build && !found.config)
        judge_unknown(judging, "how the image %.*s was made is not known here; allowed bases: %s", length, image, list);
    else if (!base)
        judge_breach(judging,
                     "the image %.*s does not say which base it was made from (label " BASE_LABEL "); allowed: %s",
                     length, image, list);
    else if (!policy_globs_accept(allow, base))
        judge_breach(judging, "the base of the image is %s; allowed: %s", base, list);
    return 0;
}

int check_base_images(struct judging *judging, struct error *error) {
    const struct json *containers = facts_containers(judging->subject);
    for (size_t i = 0; i < json_count(containers); i++)
        if (check_base(judging, json_get_text(json_at(containers, i), "image", NULL), error) < 0)
            return -1;
    return 0;
}

/* ---- branches ---- */

/* The branch that a CI's identity token names, whose signature Google has checked when it took it. The caller frees. */
static char *claimed_branch(const struct json *claims, bool *has_ref) {
    const char *ref = json_get_text(claims, "ref", NULL), *type = json_get_text(claims, "ref_type", NULL);
    *has_ref = ref != NULL;
    if (!ref)
        return NULL;
    if (text_starts_with(ref, "refs/heads/"))
        return text_copy(ref + strlen("refs/heads/"));
    return text_equal(type, "branch") && !text_starts_with(ref, "refs/") ? text_copy(ref) : NULL;
}

static const char *accepted_branch(const struct json *allow, const struct text_list *branches) {
    for (size_t i = 0; i < branches->count; i++)
        if (policy_globs_accept(allow, branches->items[i]))
            return branches->items[i];
    return NULL;
}

static void judge_git(struct judging *judging, const struct git_facts *git, const char *list) {
    const struct json *allow = json_get(judging->value, "allow");
    bool is_local = git->branch && policy_globs_accept(allow, git->branch);
    if (json_get_bool(judging->value, "local", false) && is_local)
        return;
    if (accepted_branch(allow, &git->branches))
        return;
    if (is_local)
        judge_breach(judging,
                     "commit %.*s of the branch %s is on no branch of a remote by that name: it was not pushed, or not "
                     "fetched; allowed: %s",
                     COMMIT_SHOWN, git->commit, git->branch, list);
    else
        judge_breach(judging, "commit %.*s is on the branch %s; allowed: %s", COMMIT_SHOWN, git->commit,
                     git->branch           ? git->branch
                     : git->branches.count ? git->branches.items[0]
                                           : "(none: a detached HEAD)",
                     list);
}

int check_branches(struct judging *judging, struct error *error) {
    const struct json *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    bool has_ref = false;
    AUTO_FREE char *claimed = claimed_branch(judging->subject->claims, &has_ref);
    (void)error;
    if (has_ref && (!claimed || !policy_globs_accept(allow, claimed)))
        judge_breach(judging, "the identity of this run is that of %s; allowed: %s",
                     claimed ? claimed : json_get_text(judging->subject->claims, "ref", ""), list);
    bool needs_clean = json_get_bool(judging->value, "clean", false);
    if (has_ref && !needs_clean)
        return 0;
    const struct git_facts *git = facts_git(judging->facts);
    if (git->failure) {
        judge_unknown(judging, "which branch this is cannot be read (%s); allowed: %s", git->failure, list);
        return 0;
    }
    if (!has_ref)
        judge_git(judging, git, list);
    if (needs_clean && git->has_changes)
        judge_breach(judging, "the work tree has changes that are not in commit %.*s", COMMIT_SHOWN, git->commit);
    return 0;
}

/* ---- labels ---- */

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
    const char *name = value + strlen("git:");
    const char *found = git->failure                 ? NULL
                        : text_equal(name, "commit") ? git->commit
                        : text_equal(name, "branch") ? git->branch
                        : text_equal(name, "tag")    ? (git->tags.count ? git->tags.items[0] : NULL)
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

int check_labels(struct judging *judging, struct error *error) {
    const struct json *required = json_get(judging->value, "required");
    (void)error;
    for (void *i = json_first(required); i; i = json_next(required, i))
        check_label(judging, json_key(i), json_text(json_value(i)));
    return 0;
}
