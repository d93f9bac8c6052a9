/* The arguments of pl-serve, as its table fills them. */
#ifndef TOOLS_PL_SERVE_COMMAND_H
#define TOOLS_PL_SERVE_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    bool up, terminal;
    const char *port, *health, *network;
    struct text_list environment, environment_files; /* the files are read into `environment`, before what is there */
    long long startup_time, memory;
    struct credential_options credentials;
};

extern const struct command pl_serve_command;

#endif
