/* The arguments of pl-build, as its table fills them. */
#ifndef TOOLS_PL_BUILD_COMMAND_H
#define TOOLS_PL_BUILD_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *file;
    const char *target;
    struct text_list build_arguments;
    const char *base;
    const char *platform;
    const char *name;
    const char *project;
    const char *configuration;
    struct text_list environment;
    struct text_list labels;
    struct text_list secrets;
    struct text_list allowed_files;
    bool no_cache;
    bool pull;
    bool explain;
    bool shell_on_failure;
    bool lock;
    bool plan;
    bool doctor;
    struct credential_options credentials;
};

extern const struct command pl_build_command;

#endif
