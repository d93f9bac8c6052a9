/* Which repository an image goes to, and under which tags. */
#ifndef TOOLS_PL_PUSH_IMAGE_TARGET_H
#define TOOLS_PL_PUSH_IMAGE_TARGET_H

#include "registry/reference.h"
#include "tools/pl-push-image/command.h"

struct http;

struct target {
    struct reference reference; /* host and repository; below it comes the image's name when it is a Google one */
    bool wants_name;
    struct text_list tags; /* asked for, in order, each once */
};

/* What --repo and --tag mean, checked. `project` is asked for only when --repo is a plain name. */
int target_read(const struct arguments *arguments, struct target *target, struct error *error) MUST_CHECK;
/* Completes "my-repo" to HOST/PROJECT/my-repo. */
int target_set_project(struct target *target, const struct arguments *arguments, const char *project,
                       struct error *error) MUST_CHECK;
/* The reference of one image; `name` may be NULL when the target is a full one. */
int target_reference(const struct target *target, const char *name, struct reference *reference,
                     struct error *error) MUST_CHECK;
void target_release(struct target *target);
#define AUTO_TARGET AUTO(target_release)

/* The commit of the git work tree that we stand in when nothing in it is changed, else NULL. The caller frees. */
char *clean_commit(void);

#endif
