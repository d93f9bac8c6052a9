/* Rules about where the content comes from: registry, base image, branch. */
#include "common/policy/facts.h"
#include "common/policy/internal.h"

#include <string.h>

enum { COMMIT_SHOWN = 12 };
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
    const char *ref = json_get_text(judging->subject->claims, "ref", NULL);
    AUTO_FREE char *claimed = facts_claimed_branch(judging->subject);
    (void)error;
    if (ref && (!claimed || !policy_globs_accept(allow, claimed)))
        judge_breach(judging, "the identity of this run is that of %s; allowed: %s", claimed ? claimed : ref, list);
    bool needs_clean = json_get_bool(judging->value, "clean", false);
    if (ref && !needs_clean)
        return 0;
    const struct git_facts *git = facts_git(judging->facts);
    if (git->failure) {
        judge_unknown(judging, "which branch this is cannot be read (%s); allowed: %s", git->failure, list);
        return 0;
    }
    if (!ref)
        judge_git(judging, git, list);
    if (needs_clean && git->has_changes)
        judge_breach(judging, "the work tree has changes that are not in commit %.*s", COMMIT_SHOWN, git->commit);
    return 0;
}
