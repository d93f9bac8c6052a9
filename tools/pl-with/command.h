/* The arguments of pl-with, as its table fills them. */
#ifndef TOOLS_PL_WITH_COMMAND_H
#define TOOLS_PL_WITH_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    /* exec */
    const char *shell, *standard_input, *expect, *network, *user;
    struct text_list environment, volatile_environment, secret_environment;
    struct text_list caches, secrets, directories, temporaries, services;
    /* files */
    struct text_list include, exclude, allowed_files;
    bool gitignore;
    const char *owner, *mode;
    /* settings of the image */
    bool expand, keep_cmd, none;
    const char *interval, *timeout, *start_period;
    long long retries;
    bool no_cache, explain, shell_on_failure;
    struct credential_options credentials;
};

extern const struct command pl_with_command;

#endif
