#include "tools/pl-cache/command.h"

static const struct option options[] = {
    {.name = "shallow", .help = "verify without reading the unpacked layers", .kind = OPTION_FLAG, INTO(shallow)},
    {0},
};

static const struct command_example examples[] = {
    {"pl-cache status", "where the store is and what it holds"},
    {"pl-cache verify", "hash everything; put away what is damaged"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "something was damaged; it was put away and is made again by the next build"},
    {73, "the store cannot be written"},
    {0},
};

static const char *const subcommands[] = {"status", "verify", NULL};
static const char *const see_also[] = {"pl-build", NULL};

const struct command pl_cache_command = {
    .name = "pl-cache",
    .summary = "look after the store of steps, layers and base images",
    .synopsis = "status|verify",
    .description =
        "The store is $PL_STORE, else pl/ in $XDG_CACHE_HOME or ~/.cache. Any number of builds share it; removing "
        "the directory loses nothing but time.\n\n"
        "status prints where it is and how much it holds.\n\n"
        "verify hashes every object, reads every name and packs every unpacked layer again. What is not what "
        "its name says is put away, so that the next build makes it anew. It runs safely beside builds.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 1,
    .operands_maximum = 1,
    .operand_kind = OPTION_CHOICE,
    .operand_choices = subcommands,
    .arguments_size = sizeof(struct arguments),
};
