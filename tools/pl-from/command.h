/* The arguments of pl-from, as its table fills them. */
#ifndef TOOLS_PL_FROM_COMMAND_H
#define TOOLS_PL_FROM_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *platform;
    const char *name;
    struct text_list include, exclude;
    bool gitignore;
    struct text_list allowed_files;
    const char *lock_file;
    bool locked, update, pull;
    struct credential_options credentials;
};

extern const struct command pl_from_command;

#endif
