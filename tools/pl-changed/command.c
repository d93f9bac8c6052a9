#include "tools/pl-changed/command.h"

static const struct option options[] = {
    {.name = "since",
     .value_name = "COMMIT",
     .help = "the commit, branch or tag to compare with: with what it and HEAD have in common",
     .kind = OPTION_TEXT,
     .fallback = "origin/main",
     INTO(since)},
    {.name = "also",
     .value_name = "PATH",
     .help = "a path that every directory depends on, such as a shared library",
     .kind = OPTION_FILE,
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(also)},
    {.name = "json",
     .help = "print all of them as JSON, with the files that changed",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(json)},
    {0},
};

static const struct command_example examples[] = {
    {"for dir in $(pl-changed backend frontend); do pl-test \"$dir\"; done", "only what this branch changes"},
    {"pl-changed --since HEAD~1 --also shared backend && make -C backend deploy", "by the exit code"},
    {"pl-changed --json --since v1.2 services/* | jq '.[] | select(.changed)'", "with the files"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "a directory does not exist, or git does not know the commit"},
    {78, "git is missing"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-test", NULL};

const struct command pl_changed_command = {
    .name = "pl-changed",
    .summary = "which directories of a repository have changed since a commit",
    .synopsis = "DIR...",
    .description = "Prints those of the directories in which a file was changed, added or removed since the commit, "
                   "one a line, as they "
                   "were named; files that are not committed count, those that .gitignore names do not. The exit code "
                   "is 1 when there "
                   "is none.\n\n"
                   "It saves starting a build. Whether a build has anything to do is known better by pl-build itself, "
                   "which finds what "
                   "was made before by its content.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 1,
    .operands_maximum = 1000,
    .operand_kind = OPTION_DIRECTORY,
    .arguments_size = sizeof(struct arguments),
};
