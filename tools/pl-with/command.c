#include "tools/pl-with/command.h"

#include "chain/shell.h"

#define LIST(option_name, value, text, member)                                                                         \
    {                                                                                                                  \
        .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, .variable = "",                   \
        .traits = OPTION_REPEATABLE, INTO(member)                                                                      \
    }
#define LIVE_LIST(option_name, value, text, live, member)                                                              \
    {                                                                                                                  \
        .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, .variable = "",                   \
        .traits = OPTION_REPEATABLE, .values = live, INTO(member)                                                      \
    }
#define TEXT(option_name, value, text, member)                                                                         \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, .variable = "", INTO(member) }
#define FLAG(option_name, text, member)                                                                                \
    { .name = option_name, .help = text, .kind = OPTION_FLAG, .variable = "", INTO(member) }

static const char *const networks[] = {"host", "none", NULL};

static const struct option options[] = {
    TEXT("shell", "TEXT", "exec, health-check: the command as text for the image's shell", shell),
    {.name = "stdin",
     .value_name = "FILE",
     .help = "exec: a file or ref that the command reads as its standard input",
     .kind = OPTION_FILE,
     .variable = "",
     INTO(standard_input)},
    TEXT("expect", "CODES", "exec: the exit codes that are no failure, such as 0,1, or any", expect),
    LIVE_LIST("mount-cache", "ID=PATH", "exec: a directory that stays from run to run, in no image", "caches=VALUE",
              caches),
    LIVE_LIST("mount-secret", "NAME=SOURCE",
              "exec: a secret as the file /run/secrets/NAME; SOURCE is env:NAME, file:PATH, cmd:COMMAND or "
              "gcp:projects/P/secrets/S/versions/V",
              "NAME=secret-sources", secrets),
    LIVE_LIST("secret-env", "NAME=SOURCE", "exec: a secret as an environment variable", "NAME=secret-sources",
              secret_environment),
    LIST("mount-directory", "SOURCE=PATH",
         "exec: a directory or file (a path or ref) that the command sees and the "
         "image does not get",
         directories),
    LIST("mount-tmpfs", "PATH", "exec: an empty directory in memory", temporaries),
    LIVE_LIST("service", "NAME=REF",
              "exec: run this container meanwhile, reached as the host NAME; REF is a container's ref or an image, and "
              "exposes the port that is waited for",
              "NAME=images", services),
    {.name = "network",
     .value_name = "NETWORK",
     .help = "exec: the network of the command",
     .kind = OPTION_CHOICE,
     .choices = networks,
     .variable = "",
     INTO(network)},
    TEXT("user", "USER[:GROUP]", "exec: run as this user", user),
    LIST("env", "NAME=VALUE", "exec: a variable for this command alone", environment),
    LIST("volatile-env", "NAME=VALUE", "exec: the same, and its value does not decide whether the command is run again",
         volatile_environment),
    LIST("include", "PATTERN", "directory, filter: take only what matches", include),
    LIST("exclude", "PATTERN", "directory, filter: leave out what matches", exclude),
    FLAG("gitignore", "directory, filter: leave out what .gitignore files name", gitignore),
    TEXT("owner", "USER[:GROUP]", "file, directory, new-file, new-directory, symlink: whose it is; root's without it",
         owner),
    TEXT("mode", "MODE", "file, directory, new-file: the mode of all files and directories, in octal", mode),
    LIST("allow-file", "PATH", "file, directory, env-file: take this file although it looks like credentials",
         allowed_files),
    FLAG("expand", "env: replace $NAME and ${NAME} by what the container has", expand),
    FLAG("keep-cmd", "entrypoint: keep the default arguments of the image", keep_cmd),
    FLAG("none", "health-check: the image's own is not to be done", none),
    TEXT("interval", "TIME", "health-check: the time between two, such as 30s", interval),
    TEXT("timeout", "TIME", "health-check: how long one may take", timeout),
    TEXT("start-period", "TIME", "health-check: how long failures do not count", start_period),
    {.name = "retries",
     .value_name = "N",
     .help = "health-check: how many failures count as one",
     .kind = OPTION_NUMBER,
     .variable = "",
     INTO(retries)},
    {.name = "no-cache", .help = "make the step anew", .kind = OPTION_FLAG, INTO(no_cache)},
    {.name = "explain",
     .help = "say whether the step was found or made, and which of its inputs changed",
     .kind = OPTION_FLAG,
     INTO(explain)},
    SHELL_ON_FAILURE_OPTION,
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const char *const parts[] = {"file",    "directory",    "env",         "label", "annotation",
                                    "port",    "volume",       "entrypoint",  "cmd",   "user",
                                    "workdir", "health-check", "stop-signal", NULL};
static const char *const signals[] = {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL", NULL};

static const struct command_word words[] = {
    {.name = "exec", .help = "run a command in the container", .kind = OPTION_TEXT},
    {.name = "file", .help = "lay a file into it", .kind = OPTION_FILE},
    {.name = "directory", .help = "lay a directory into it", .kind = OPTION_DIRECTORY},
    {.name = "new-file", .help = "make a file of a text", .kind = OPTION_TEXT},
    {.name = "new-directory", .help = "make an empty directory", .kind = OPTION_TEXT},
    {.name = "symlink", .help = "make a link", .kind = OPTION_TEXT},
    {.name = "without", .help = "take something out", .kind = OPTION_CHOICE, .choices = parts},
    {.name = "workdir", .help = "set the working directory", .kind = OPTION_TEXT},
    {.name = "env", .help = "set environment variables", .kind = OPTION_TEXT},
    {.name = "env-file", .help = "set the variables of a file", .kind = OPTION_FILE},
    {.name = "user", .help = "set the user", .kind = OPTION_TEXT},
    {.name = "label", .help = "set labels", .kind = OPTION_TEXT},
    {.name = "annotation", .help = "set annotations of the manifest", .kind = OPTION_TEXT},
    {.name = "port", .help = "say which ports are listened on", .kind = OPTION_TEXT},
    {.name = "entrypoint", .help = "set the program", .kind = OPTION_TEXT},
    {.name = "cmd", .help = "set its default arguments", .kind = OPTION_TEXT},
    {.name = "volume", .help = "say which paths hold data", .kind = OPTION_TEXT},
    {.name = "rootfs", .help = "take a directory as the whole file system", .kind = OPTION_DIRECTORY},
    {.name = "stop-signal", .help = "set the signal that ends it", .kind = OPTION_CHOICE, .choices = signals},
    {.name = "health-check", .help = "set the command that checks it", .kind = OPTION_TEXT},
    {.name = "timestamps", .help = "set the times of all files that are made later", .kind = OPTION_TEXT},
    {.name = "name", .help = "give it another name", .kind = OPTION_TEXT},
    {.name = "filter", .help = "keep the part of a directory that --include and --exclude say", .kind = OPTION_TEXT},
    {.name = "patch", .help = "apply a patch to a directory", .kind = OPTION_FILE},
    {.name = "diff", .help = "keep what another directory adds or changes", .kind = OPTION_DIRECTORY},
    {0},
};

static const struct command_example examples[] = {
    {"pl-from python:3.12-slim | pl-with exec -- pip install fastapi", "run a command in an image"},
    {"pl-from python:3.12-slim | pl-with workdir /app | pl-with file requirements.txt ./ | "
     "pl-with exec -- pip install -r requirements.txt",
     "a file, then a command that needs it"},
    {"pl-from ./site | pl-with new-file robots.txt 'User-agent: *' | pl-with without directory drafts",
     "change a directory"},
    {"pl-build . | pl-with exec --service db=\"$(cat db.ref)\" -- pytest", "a database that runs beside the tests"},
    {"pl-build . | pl-with label team=shop | pl-with env LOG_LEVEL=debug", "settings of an image"},
    {"pl-from debian:12 | pl-with exec --mount-secret token=env:TOKEN --shell 'curl -H \"@/run/secrets/token\" $URL'",
     "a secret that only this command sees"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "the input is of the wrong type, is no longer in the store, or a file is missing or refused"},
    {66, "no record arrived"},
    {69, "a registry does not answer"},
    {70, "the command failed"},
    {73, "the store cannot be written"},
    {77, "a login or a secret is not accessible"},
    {78, "something that is needed is missing on this machine"},
    {0},
};

static const char *const see_also[] = {"pl-from", "pl-export", "pl-build", "pl-push-image", NULL};

const struct command pl_with_command = {
    .name = "pl-with",
    .summary = "one change of a container or a directory",
    .synopsis = "WORD [OPERAND...] [-- ARGV...]",
    .description =
        "Reads records, changes each in one way, and writes the results. A step that was made before with the same "
        "input is found, not made again: its key is the content of exactly what it may see.\n\n"
        "Containers: exec -- ARGV; file FILE PATH; directory DIR PATH; new-file PATH TEXT; new-directory PATH; symlink "
        "TARGET PATH; "
        "without KIND NAME... (file, directory, env, label, annotation, port, volume, entrypoint, cmd, user, workdir, "
        "health-check, stop-signal); workdir PATH; env NAME=VALUE...; env-file FILE; user USER; label NAME=VALUE...; "
        "annotation NAME=VALUE...; port PORT[/udp]...; entrypoint -- ARGV; cmd -- ARGV; volume PATH...; stop-signal "
        "SIGNAL; health-check -- ARGV; rootfs DIR; timestamps SECONDS; name NAME.\n\n"
        "Directories: file FILE PATH; directory DIR PATH; new-file PATH TEXT; new-directory PATH; symlink TARGET PATH; "
        "without "
        "file|directory "
        "PATH...; filter; patch FILE; diff DIR (what DIR adds or changes); timestamps SECONDS; name NAME.\n\n"
        "FILE and DIR are paths of the disk, or refs, such as \"$(pl-build -o ref ./lib)\"; a ref may be followed by a "
        "path inside: container:sha256:…/app/dist. A relative PATH counts from the container's working directory.\n\n"
        "The output of exec is kept: pl-export --show stdout.",
    .reads = "container, directory or file",
    .writes = "the same",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 1,
    .operands_maximum = 200,
    .takes_rest = true,
    .operand_kind = OPTION_CHOICE,
    .words = words,
    .arguments_size = sizeof(struct arguments),
};
