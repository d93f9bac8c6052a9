/* The arguments of pl-push-image, as its table fills them. */
#ifndef TOOLS_PL_PUSH_IMAGE_COMMAND_H
#define TOOLS_PL_PUSH_IMAGE_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *repo;
    struct text_list tags;
    const char *name;
    const char *project;
    const char *region;
    bool create_repo;
    bool list, clean, daily, dry_run;
    long long keep, older_than;
    struct text_list keep_tags;
    const char *confirm;
    struct credential_options credentials;
};

extern const struct command pl_push_image_command;

#endif
