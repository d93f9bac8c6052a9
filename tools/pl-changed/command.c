#include "tools/pl-changed/command.h"

static const struct option options[] = {
    {.name = "since",
     .value_name = "COMMIT",
     .help = "a commit, branch or tag; what the work tree has changed since it and HEAD parted. Without it: the target "
             "of the pull or merge request, the commit before the push (in CI), else the default branch of origin",
     .kind = OPTION_TEXT,
     .values = "commits",
     INTO(since)},
    {.name = "shared",
     .value_name = "PATH",
     .help = "a file or directory that all components depend on",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(shared)},
    {.name = "all-when-unknown",
     .help = "when the commit is not there (a new branch, a shallow clone), all components count as changed",
     .kind = OPTION_FLAG,
     INTO(all_when_unknown)},
    {.name = "json",
     .help = "print an array of {\"directory\", \"files\"} with the files that changed, at most 1000 of each",
     .kind = OPTION_FLAG,
     INTO(json)},
    {0},
};

static const struct command_example examples[] = {
    {"pl-changed --since origin/main", "the components that differ from main"},
    {"pl-changed -q backend:libs/common && pl-build backend | …", "only when backend or what it uses has changed"},
    {"for dir in $(pl-changed --shared Makefile services/*/); do make -C \"$dir\" deploy; done", "each that changed"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "nothing has changed"},
    {70, "git does not answer, or does not know the commit"},
    {0},
};

static const char *const see_also[] = {"pl-build", NULL};

const struct command pl_changed_command = {
    .name = "pl-changed",
    .summary = "tell which components of a repository have changed",
    .synopsis = "[DIR[:PATH...]...]",
    .description =
        "A component is a directory with an application. Those that are named are asked about; without names, all "
        "directories of the git work tree, three levels deep, that pl-build can build. DIR:PATH:… also depends on "
        "those files or directories.\n\n"
        "Prints the directories that changed, one to a line, as they were named (or relative to the directory that it "
        "runs in), and ends with 0; with 1 when none has changed. Files that git does not know yet count, those that "
        "it ignores do not.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 0,
    .operands_maximum = 1000,
    .operand_kind = OPTION_DIRECTORY,
    .operand_values = "applications",
    .arguments_size = sizeof(struct arguments),
};
