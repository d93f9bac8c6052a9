/* The arguments of pl-export, as its table fills them. */
#ifndef TOOLS_PL_EXPORT_COMMAND_H
#define TOOLS_PL_EXPORT_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *path, *show, *layout, *archive, *load, *tag;
    bool merge, force;
    struct credential_options credentials;
};

extern const struct command pl_export_command;

#endif
