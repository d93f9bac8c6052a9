#include "tools/pl/command.h"

static const struct command_example examples[] = {
    {"pl", "the tools and what flows between them"},
    {"pl help build", "the help of pl-build"},
    {"pl help records", "what flows between the tools; likewise configuration, exit-codes, completions"},
    {"pl build ./backend | pl push-image --repo my-repo | pl run-deploy --region us-central1",
     "from source to a running service"},
    {0},
};

static const struct command_exit exits[] = {
    {78, "there is no such tool here"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-push-image", "pl-run-deploy", "pl-local", NULL};

const struct command pl_command = {
    .name = "pl",
    .summary = "take an application from source to a running service, through pipes",
    .synopsis = "[TOOL [ARGUMENT...]]",
    .description =
        "Each pl-TOOL is a typed function: it reads artifact records on standard input, does one thing, and writes "
        "artifact records on standard output. The shell joins them; when one fails, the last one of the pipe fails "
        "with the same code, also without pipefail.\n\n"
        "Without a tool it lists those that are installed beside it, and other people's pl-TOOL in PATH; with one it "
        "runs "
        "pl-TOOL with the arguments. `pl --help=json` describes all of them for machines.",
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 64,
    .operand_kind = OPTION_TEXT,
    .arguments_size = sizeof(struct arguments),
};
