/* The table of pl itself; it has no options of its own. */
#ifndef TOOLS_PL_COMMAND_H
#define TOOLS_PL_COMMAND_H

#include "common/command/command.h"

struct arguments {
    char none;
};

extern const struct command pl_command;

#endif
