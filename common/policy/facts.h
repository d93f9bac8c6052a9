/* Private to common/policy: what rules ask about, found out when it is first asked. */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include "common/policy/policy.h"
#include "common/store/store.h"

/* What git says of the directory that the image was built from, or else of the working directory. */
struct git_facts {
    char *failure; /* why nothing is known, or NULL */
    char *branch;  /* that is checked out, or NULL */
    char *commit;
    struct text_list tags;     /* of the commit */
    struct text_list branches; /* of remotes (without their name) that hold the commit, as they were fetched last */
    bool has_remote;
    bool has_changes; /* of files that git knows */
};

struct facts {
    const struct policy_subject *subject;
    struct store *store;
    bool has_git;
    struct git_facts git;
    int is_public;          /* -1: not asked yet */
    struct error failure;   /* the first of a rule whose facts could not be read */
    struct error no_images; /* why images cannot be looked at: asked once */
};

void facts_release(struct facts *facts);

/* Never fails: what cannot be read is `failure`. Borrowed. */
const struct git_facts *facts_git(struct facts *facts);
/* Reads it for a directory (NULL: the working directory), whatever GIT_… says in the environment. */
void git_facts_read(const char *directory, struct git_facts *git);
void git_facts_release(struct git_facts *git);

/* The branch that a CI's identity token names, whose signature Google has checked when it took it: GitHub's
 * "refs/heads/main", GitLab's "main" with ref_type "branch". NULL: none. The caller frees. */
char *facts_claimed_branch(const struct policy_subject *subject);
/* That one, or without such a token the one that is checked out. NULL: not known. The caller frees. */
char *facts_branch(struct facts *facts);

/* *answer is -1 when it is not known here. */
int facts_public(struct facts *facts, int *answer, struct error *error) MUST_CHECK;

/* The containers of what is planned; NULL: there are none. Borrowed. */
const struct json *facts_containers(const struct policy_subject *subject);
/* The one that gets the requests: with a port, else the first. */
const struct json *facts_main_container(const struct policy_subject *subject);

/* How an image was made ({"source", "base", …}, see evidence_read_build) and its config, each NULL when it is not known
 * here. All owned. */
struct facts_image {
    struct json *build, *config;
    char *id; /* the digest of the config, "sha256:…", or NULL */
};
int facts_image(struct facts *facts, const char *image, struct facts_image *found, struct error *error) MUST_CHECK;
void facts_image_release(struct facts_image *image);
#define AUTO_FACTS_IMAGE AUTO(facts_image_release)
/* How the site, or the image of the main container, was made. NULL when it is not known. The caller releases. */
int facts_build(struct facts *facts, struct json **build, struct error *error) MUST_CHECK;
/* The last run of a suite over the same source; NULL when there is none. */
int facts_test(struct facts *facts, const struct json *build, const char *suite, struct json **test,
               struct error *error) MUST_CHECK;

#endif
