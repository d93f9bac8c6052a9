/* The arguments of pl-changed, as its table fills them. */
#ifndef TOOLS_PL_CHANGED_COMMAND_H
#define TOOLS_PL_CHANGED_COMMAND_H

#include "common/command/command.h"

struct arguments {
    const char *since;
    struct text_list shared;
    bool all_when_unknown, json;
};

extern const struct command pl_changed_command;

#endif
