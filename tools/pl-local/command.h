/* The arguments of pl-local, as its table fills them. */
#ifndef TOOLS_PL_LOCAL_COMMAND_H
#define TOOLS_PL_LOCAL_COMMAND_H

#include "common/command/command.h"

struct arguments {
    const char *state;
    const char *project;
    long long port;
    long long startup_time;
    long long idle_time;
    long long queue_time;
    struct text_list databases;
    long long token_lifetime;
    long long lines;
    const char *repository;
    const char *issuer;
    struct text_list claims;
    bool direct;
    bool strict;
    bool follow;
    bool unset;
};

extern const struct command pl_local_command;

#endif
