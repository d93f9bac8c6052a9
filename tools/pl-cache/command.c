#include "tools/pl-cache/command.h"

static const char *const kinds[] = {"step",  "base",  "container", "directory",  "file",
                                    "layer", "cache", "note",      "quarantine", NULL};
static const char *const orders[] = {"size", "age", NULL};
static const char *const outputs[] = {"human", "ref", "json", NULL};

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
    {.name = "kind",
     .value_name = "KIND",
     .help = "list lists only entries of this kind; may be given again",
     .kind = OPTION_CHOICE,
     .traits = OPTION_REPEATABLE,
     .choices = kinds,
     INTO(kinds)},
    {.name = "sort",
     .value_name = "ORDER",
     .help = "list begins with the largest, or with what was used latest",
     .kind = OPTION_CHOICE,
     .choices = orders,
     .fallback = "size",
     INTO(sort)},
    {.name = "limit",
     .value_name = "N",
     .help = "list lists so many entries at most, 0: all (people see 40)",
     .kind = OPTION_NUMBER,
     INTO(limit)},
    {.letter = 'o',
     .name = "output",
     .value_name = "FORM",
     .help = "list and explain print for people, keys alone, or JSON",
     .kind = OPTION_CHOICE,
     .choices = outputs,
     .fallback = "human",
     INTO(output)},
    {.name = "shallow", .help = "verify without reading the unpacked layers", .kind = OPTION_FLAG, INTO(shallow)},
    {0},
};

static const struct command_example examples[] = {
    {"pl-cache status", "where the store is and what it holds"},
    {"pl-cache list --sort age --kind step", "the steps that were found or made latest"},
    {"pl-cache explain step:08b7dcb00e9d", "what it is, what made it, what needs it"},
    {"pl-cache gc", "remove what was of no use for two weeks"},
    {"pl-cache gc --keep-days 3 --max-size 10G", "make more room"},
    {"pl-cache gc --keep-days 90 --min-free 20G", "see to it that 20 GB are free, taking what was used longest ago"},
    {"pl-cache gc --keep-days 0", "remove everything that no build uses at this moment"},
    {"pl-cache verify", "hash everything; put away what is damaged"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "verify: something was damaged; it was put away and is made again by the next build. gc: less is free than "
        "--min-free asks for, and nothing is left to remove. explain: the store has nothing of this key"},
    {73, "the store cannot be written"},
    {75, "gc: other processes have used the store for longer than a minute"},
    {0},
};

static const struct command_word words[] = {
    {.name = "explain", .help = "what a key of the store is, what made it and what needs it", .kind = OPTION_TEXT},
    {.name = "gc", .help = "remove what was of no use for some days", .kind = OPTION_TEXT},
    {.name = "list", .help = "what is in the store, entry by entry", .kind = OPTION_TEXT},
    {.name = "status", .help = "where the store is and how much it holds", .kind = OPTION_TEXT},
    {.name = "verify", .help = "hash everything and put away what is damaged", .kind = OPTION_TEXT},
    {0},
};
static const char *const see_also[] = {"pl-build", NULL};

const struct command pl_cache_command = {
    .name = "pl-cache",
    .summary = "look after the store of steps, layers and base images",
    .synopsis = "status|list|explain KEY|gc|verify",
    .description =
        "The store is $PL_STORE, else pl/ in $XDG_CACHE_HOME or ~/.cache. Any number of builds share it; removing "
        "the directory loses nothing but time.\n\n"
        "status prints where it is, how much it holds and which processes use it now.\n\n"
        "list prints what is in it, entry by entry: how large with all that it refers to, how much of that would go "
        "with "
        "it alone, when it was last of use (to the day), and why it is there. Notes of what was pushed, tested or "
        "exported are listed with --kind note.\n\n"
        "explain says of one key - of a step, container, directory, file, layer or record, or the beginning of one - "
        "what it is, what made it, what it needs and what needs it, and whether a build would find it.\n\n"
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
    .operands_maximum = 2,
    .operand_kind = OPTION_CHOICE,
    .words = words,
    .arguments_size = sizeof(struct arguments),
};
