/* The arguments of pl-cache. */
#ifndef TOOLS_PL_CACHE_COMMAND_H
#define TOOLS_PL_CACHE_COMMAND_H

#include "common/command/command.h"

struct arguments {
    bool shallow;
    long long keep_days;
    long long max_size, min_free;
    bool dry_run;
    struct text_list kinds;
    const char *sort, *output;
    long long limit;
};

extern const struct command pl_cache_command;

#endif
