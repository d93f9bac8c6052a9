#include "common/policy/facts.h"

#include "common/crypto/digest.h"
#include "common/evidence/evidence.h"

#include <string.h>

enum { CONFIG_LIMIT = 4 << 20 };

void facts_release(struct facts *facts) {
    store_close(&facts->store);
    git_facts_release(&facts->git);
}

int facts_public(struct facts *facts, int *answer, struct error *error) {
    const struct policy_subject *subject = facts->subject;
    *answer = facts->is_public;
    if (facts->is_public >= 0 || !subject->is_public)
        return 0;
    bool is_public = false;
    if (subject->is_public(subject->context, &is_public, error) < 0)
        return -1;
    *answer = facts->is_public = is_public;
    return 0;
}

/* ---- containers ---- */

const struct json *facts_containers(const struct policy_subject *subject) {
    return json_get_path(subject->planned,
                         subject->kind == POLICY_JOB ? "template.template.containers" : "template.containers");
}

const struct json *facts_main_container(const struct policy_subject *subject) {
    const struct json *containers = facts_containers(subject);
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_count(json_get(json_at(containers, i), "ports")) > 0)
            return json_at(containers, i);
    return json_at(containers, 0);
}

/* ---- what pl saw ---- */

static int open_store(struct facts *facts, struct error *error) {
    facts->store = facts->store ? facts->store : store_open(NULL, error);
    return facts->store ? 0 : -1;
}

static int read_config(struct facts *facts, const struct digest *container, struct json **config, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(CONFIG_LIMIT);
    if (!store_has(facts->store, container))
        return 0;
    if (store_read(facts->store, container, &text, error) < 0)
        return -1;
    *config = json_parse(buffer_text(&text), text.length, "the config of the image", error);
    return *config ? 0 : -1;
}

/* By digest all the way: from the manifest, which is what is deployed, to the config, and what is known of that. */
int facts_image(struct facts *facts, const char *image, struct facts_image *found, struct error *error) {
    const struct policy_subject *subject = facts->subject;
    const char *at = image ? strrchr(image, '@') : NULL;
    struct digest manifest, container;
    bool is_known = false;
    *found = (struct facts_image){0};
    if (!at || digest_parse(at + 1, &manifest, NULL) < 0)
        return 0;
    if (open_store(facts, error) < 0 || evidence_read_push(facts->store, &manifest, &container, &is_known, error) < 0)
        return -1;
    if (!is_known && subject->find_container && facts->no_images.kind == ERROR_NONE &&
        subject->find_container(subject->context, image, facts->store, &container, &is_known, &facts->no_images) < 0)
        is_known = false;
    if (!is_known && facts->no_images.kind != ERROR_NONE) {
        if (error)
            *error = facts->no_images;
        return -1;
    }
    if (!is_known)
        return 0;
    found->id = text_copy(digest_format(&container).text);
    if (evidence_read_build(facts->store, &container, &found->build, error) == 0 &&
        read_config(facts, &container, &found->config, error) == 0)
        return 0;
    facts_image_release(found);
    return -1;
}

void facts_image_release(struct facts_image *image) {
    json_release(&image->build);
    json_release(&image->config);
    free(take_pointer(&image->id));
}

int facts_build(struct facts *facts, struct json **build, struct error *error) {
    const struct policy_subject *subject = facts->subject;
    AUTO_FACTS_IMAGE struct facts_image image = {0};
    static const char prefix[] = "directory:";
    struct digest site;
    *build = NULL;
    if (subject->kind & (POLICY_SERVICE | POLICY_JOB)) {
        if (facts_image(facts, json_get_text(facts_main_container(subject), "image", NULL), &image, error) < 0)
            return -1;
        *build = take_pointer(&image.build);
        return 0;
    }
    if (!subject->content || !text_starts_with(subject->content, prefix) ||
        digest_parse(subject->content + strlen(prefix), &site, NULL) < 0)
        return 0;
    return open_store(facts, error) < 0 ? -1 : evidence_read_build(facts->store, &site, build, error);
}

int facts_test(struct facts *facts, const struct json *build, const char *suite, struct json **test,
               struct error *error) {
    *test = NULL;
    return evidence_read_test(facts->store, build, suite, test, error);
}

const struct git_facts *facts_git(struct facts *facts) {
    AUTO_JSON struct json *build = NULL;
    if (facts->has_git)
        return &facts->git;
    facts->has_git = true;
    if (facts_build(facts, &build, NULL) < 0)
        json_release(&build);
    git_facts_read(json_get_text(build, "directory", facts->subject->directory), &facts->git);
    return &facts->git;
}

char *facts_claimed_branch(const struct policy_subject *subject) {
    static const char heads[] = "refs/heads/";
    const char *ref = json_get_text(subject->claims, "ref", NULL);
    bool is_branch = text_equal(json_get_text(subject->claims, "ref_type", NULL), "branch");
    if (!ref)
        return NULL;
    if (text_starts_with(ref, heads))
        return text_copy(ref + strlen(heads));
    return is_branch && !text_starts_with(ref, "refs/") ? text_copy(ref) : NULL;
}

char *facts_branch(struct facts *facts) {
    if (json_get_text(facts->subject->claims, "ref", NULL))
        return facts_claimed_branch(facts->subject);
    return text_copy(facts_git(facts)->branch);
}
