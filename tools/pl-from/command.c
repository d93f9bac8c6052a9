#include "tools/pl-from/command.h"

static const struct option options[] = {
    {.name = "platform",
     .value_name = "OS/ARCH",
     .help = "take an image for this platform instead of the machine's own",
     .kind = OPTION_TEXT,
     .values = "platforms",
     INTO(platform)},
    {.letter = 'n',
     .name = "name",
     .value_name = "NAME",
     .help = "what the artifact is called, such as the name that an image is pushed by",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(name)},
    {.name = "include",
     .value_name = "PATTERN",
     .help = "of a directory, take only what matches",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(include)},
    {.name = "exclude",
     .value_name = "PATTERN",
     .help = "of a directory, leave out what matches",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(exclude)},
    {.name = "gitignore",
     .help = "of a directory, leave out what its .gitignore files name",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(gitignore)},
    {.name = "allow-file",
     .value_name = "PATH",
     .help = "take this file although it looks like credentials",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(allowed_files)},
    {.name = "lock-file",
     .value_name = "FILE",
     .help = "the file that says what references mean",
     .kind = OPTION_FILE,
     .fallback = "pl.lock",
     INTO(lock_file)},
    {.name = "locked",
     .help = "fail when the lock file does not say what the reference means",
     .kind = OPTION_FLAG,
     INTO(locked)},
    {.name = "update",
     .help = "ask what the reference means now, and write that into the lock file",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(update)},
    {.name = "pull",
     .help = "ask the registry what a tag means now; without it the answer of the last day is taken",
     .kind = OPTION_FLAG,
     INTO(pull)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-from python:3.12-slim | pl-with workdir /app | pl-with directory ./src /app/src | pl-push-image --repo "
     "my-repo --name shop",
     "an image, one change after the other"},
    {"pl-from ./dist | pl-firebase-deploy --site my-site", "a directory that is there already"},
    {"pl-from 'https://github.com/org/repo.git#v1.2:docs'", "a directory of a git repository at a tag"},
    {"pl-from 'https://example.com/tool.tar.gz#sha256:6e39…'", "a file that must have this digest"},
    {"pl-from --update python:3.12-slim", "write into pl.lock what the tag means now"},
    {"pl-from --locked python:3.12-slim", "take what pl.lock says, and fail when it says nothing"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "it does not exist, is malformed, has another digest, or holds credentials"},
    {69, "a registry, a web server or a git server does not answer"},
    {70, "a root file system could not be made"},
    {73, "the store cannot be written"},
    {76, "a registry does not speak its protocol, or a digest is wrong"},
    {77, "a login is missing or does not suffice"},
    {78, "a program that is needed (git, mmdebstrap) is missing"},
    {0},
};

static const char *const see_also[] = {"pl-with", "pl-export", "pl-build", "pl-push-image", NULL};

const struct command pl_from_command = {
    .name = "pl-from",
    .summary = "begin a chain: from an image, a directory, a file, a repository or a URL",
    .synopsis = "[SOURCE]",
    .description =
        "Writes one record of what SOURCE is: a container, a directory or a file. SOURCE is one of\n\n"
        "python:3.12-slim, HOST/REPOSITORY@sha256:… (an image of a registry, of which nothing is fetched until a step "
        "needs it), scratch, oci:DIR[:TAG], docker-archive:FILE, rootfs:FILE.tar, apt:SUITE?PACKAGE,PACKAGE;\n\n"
        "./DIR, ./FILE or an absolute path, recognised by a dot or a slash at the beginning;\n\n"
        "a git repository, URL[#BRANCH, TAG or COMMIT[:SUBDIRECTORY]], recognised by .git, git:, ssh: or git+ in the "
        "URL; git is never asked for a password;\n\n"
        "https://…#sha256:HEX, a file with its digest;\n\n"
        "container:sha256:…, directory:sha256:… or file:sha256:…, what is in the store already.\n\n"
        "Without SOURCE it reads image records, as pl-push-image writes them, and gives the containers.\n\n"
        "Where pl.lock says what a reference means, that is taken.",
    .reads = "image",
    .writes = "container, directory or file",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 1,
    .operand_kind = OPTION_FILE,
    .operand_values = "images",
    .arguments_size = sizeof(struct arguments),
};
