#include "tools/pl-cache/command.h"

static const struct option options[] = {
    {.name = "keep-days",
     .value_name = "DAYS",
     .help = "gc keeps what was of use within so many days",
     .kind = OPTION_NUMBER,
     .fallback = "14",
     INTO(keep_days)},
    {.name = "max-size",
     .value_name = "SIZE",
     .help = "gc keeps of that only the latest, as much as fits into this size",
     .kind = OPTION_SIZE,
     INTO(max_size)},
    {.name = "min-free",
     .value_name = "SIZE",
     .help = "gc keeps of that only so much that the file system has so much room",
     .kind = OPTION_SIZE,
     INTO(min_free)},
    {.letter = 'n',
     .name = "dry-run",
     .help = "say what gc would remove, and remove nothing",
     .kind = OPTION_FLAG,
     INTO(dry_run)},
    {.name = "shallow", .help = "verify without reading the unpacked layers", .kind = OPTION_FLAG, INTO(shallow)},
    {0},
};

static const struct command_example examples[] = {
    {"pl-cache status", "where the store is and what it holds"},
    {"pl-cache gc", "remove what was of no use for two weeks"},
    {"pl-cache gc --keep-days 3 --max-size 10G", "make more room"},
    {"pl-cache gc --keep-days 90 --min-free 20G", "see to it that 20 GB are free, taking what was used longest ago"},
    {"pl-cache gc --keep-days 0", "remove everything that no build uses at this moment"},
    {"pl-cache verify", "hash everything; put away what is damaged"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "verify: something was damaged; it was put away and is made again by the next build. gc: less is free than "
        "--min-free asks for, although nothing is left to remove"},
    {73, "the store cannot be written"},
    {75, "gc: other processes have used the store for longer than a minute"},
    {0},
};

static const struct command_word words[] = {
    {.name = "gc", .help = "remove what was of no use for some days", .kind = OPTION_TEXT},
    {.name = "status", .help = "where the store is and how much it holds", .kind = OPTION_TEXT},
    {.name = "verify", .help = "hash everything and put away what is damaged", .kind = OPTION_TEXT},
    {0},
};
static const char *const see_also[] = {"pl-build", NULL};

const struct command pl_cache_command = {
    .name = "pl-cache",
    .summary = "look after the store of steps, layers and base images",
    .synopsis = "status|gc|verify",
    .description =
        "The store is $PL_STORE, else pl/ in $XDG_CACHE_HOME or ~/.cache. Any number of builds share it; removing "
        "the directory loses nothing but time.\n\n"
        "status prints where it is and how much it holds.\n\n"
        "gc removes what was of no use for some days: steps that no build has found, bases that none has asked for, "
        "containers and sites that none has made, and the layers, files and package managers' caches that only they "
        "needed. Each use counts anew, so what is built daily stays, however old it is. Of what is young enough the "
        "latest stays, as much as fits into --max-size and leaves --min-free on the file system. It waits for running "
        "builds; "
        "builds that begin meanwhile wait for it, which takes moments.\n\n"
        "verify hashes every object, reads every name and packs every unpacked layer again. What is not what "
        "its name says is put away, so that the next build makes it anew. It runs safely beside builds.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 1,
    .operands_maximum = 1,
    .operand_kind = OPTION_CHOICE,
    .words = words,
    .arguments_size = sizeof(struct arguments),
};
