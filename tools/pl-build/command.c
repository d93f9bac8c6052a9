#include "tools/pl-build/command.h"

#include "chain/shell.h"

static const struct option options[] = {
    {.letter = 'f',
     .name = "file",
     .value_name = "DOCKERFILE",
     .help = "build this Dockerfile, with DIR as its context",
     .kind = OPTION_FILE,
     INTO(file)},
    {.name = "target",
     .value_name = "STAGE",
     .help = "stop at this stage of the Dockerfile",
     .kind = OPTION_TEXT,
     .values = "stages",
     INTO(target)},
    {.name = "build-arg",
     .value_name = "NAME=VALUE",
     .help = "set an ARG of the Dockerfile",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(build_arguments)},
    {.name = "base",
     .value_name = "REF",
     .help = "start from this image: a registry reference, oci:DIR, docker-archive:FILE, rootfs:FILE or "
             "apt:SUITE?PACKAGE,PACKAGE",
     .kind = OPTION_TEXT,
     .values = "images",
     INTO(base)},
    {.name = "platform",
     .value_name = "OS/ARCH",
     .help = "build for this platform instead of the machine's own",
     .kind = OPTION_TEXT,
     .values = "platforms",
     INTO(platform)},
    {.letter = 'n',
     .name = "name",
     .value_name = "NAME",
     .help = "the name of the application, instead of the directory's",
     .kind = OPTION_TEXT,
     INTO(name)},
    {.name = "project",
     .value_name = "PROJECT",
     .help = "build this project of an Angular workspace",
     .kind = OPTION_TEXT,
     .values = "angular-projects",
     INTO(project)},
    {.letter = 'c',
     .name = "configuration",
     .value_name = "NAME",
     .help = "build this configuration of an Angular project, such as staging",
     .kind = OPTION_TEXT,
     .values = "angular-configurations",
     INTO(configuration)},
    {.letter = 'e',
     .name = "env",
     .value_name = "NAME=VALUE",
     .help = "set an environment variable in the image, and of a site's build script; never a secret",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(environment)},
    {.letter = 'l',
     .name = "label",
     .value_name = "NAME=VALUE",
     .help = "set a label of the image",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(labels)},
    {.name = "secret",
     .value_name = "ID=SOURCE",
     .help = "show a secret to the steps as the file /run/secrets/ID; SOURCE is env:NAME or file:PATH",
     .kind = OPTION_TEXT,
     .values = "NAME=secret-sources",
     .traits = OPTION_REPEATABLE,
     INTO(secrets)},
    {.name = "allow-file",
     .value_name = "PATH",
     .help = "take this file although it looks like credentials",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(allowed_files)},
    {.name = "no-cache", .help = "make every step anew", .kind = OPTION_FLAG, INTO(no_cache)},
    {.name = "pull",
     .help = "ask the registry what the tag of a base means now; without it the answer of the last day is taken",
     .kind = OPTION_FLAG,
     INTO(pull)},
    {.name = "lock",
     .help = "write into DIR/pl.lock what the bases are now; as long as that is there, builds take those",
     .kind = OPTION_FLAG,
     INTO(lock)},
    {.name = "explain",
     .help = "say for each step whether it was found or made, and which of its inputs changed",
     .kind = OPTION_FLAG,
     INTO(explain)},
    SHELL_ON_FAILURE_OPTION,
    {.name = "plan", .help = "print what would be done, and do nothing", .kind = OPTION_FLAG, INTO(plan)},
    {.name = "doctor",
     .help = "print how steps are run on this machine, why, and what would be better",
     .kind = OPTION_FLAG,
     INTO(doctor)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-build ./backend", "build the application in ./backend and print the container's reference"},
    {"pl-build ./backend | pl-push-image --repo my-repo | pl-run-deploy --region us-central1",
     "from source to a running service"},
    {"pl-build ./frontend | pl-firebase-deploy --site my-site", "from source to a deployed site"},
    {"pl-build --configuration staging ./frontend", "another configuration of an Angular project"},
    {"pl-build --plan ./backend", "what would be done"},
    {"pl-build --explain ./backend", "why a step is made again"},
    {"pl-build --shell-on-failure ./backend", "look around in the container of a step that fails"},
    {"pl-build --lock ./backend", "keep the bases as they are now, here and on other machines"},
    {"pl-build --file Dockerfile.dev --target test .", "one stage of a Dockerfile"},
    {"pl-build --secret pip=env:PIP_INDEX_URL ./backend", "a secret for the steps, which is in no layer"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "the source is missing, malformed, has no known stack or holds credentials"},
    {69, "a registry does not answer"},
    {70, "a step failed"},
    {73, "the store cannot be written"},
    {76, "a registry does not speak its protocol, or a digest is wrong"},
    {77, "a registry wants a login that is missing or does not suffice"},
    {78, "something that is needed is missing on this machine"},
    {130, "cancelled, also because the reader of the output went away"},
    {0},
};

static const char *const see_also[] = {"pl-push-image", "pl-run-deploy", "pl-firebase-deploy", "pl-cache", NULL};

const struct command pl_build_command = {
    .name = "pl-build",
    .summary = "build a container or a site from a source directory",
    .synopsis = "[DIR]",
    .description =
        "Finds out what DIR (default: the current directory) holds and builds it in containers. A Dockerfile is built "
        "as it says; a Python application needs nothing: the package manager, the version of Python, the application "
        "object, the server and the port are found, and each decision is told in one line. So does a Node project: the "
        "package manager, the version of Node, the framework and the directory that it writes the site to. A site is "
        "a directory with an index.html; what serves itself is a container. pl.json decides where it says something."
        "\n\n"
        "Every step is looked up by the content of exactly what it may see, and is run only when that was never seen "
        "before. The same source gives the same image, whoever builds it, wherever and whenever.\n\n"
        "Where no image registry can be reached, the base is made from Debian packages, and pl-build says so. A base "
        "of "
        "a registry is fetched layer by layer when a step must run on it. Google's registries take the credentials "
        "that pl-run-deploy takes, every registry those of docker and podman.\n\n"
        "Files that hold credentials are refused unless they are allowed by name.",
    .writes = "container or directory",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 1,
    .operand_kind = OPTION_DIRECTORY,
    .operand_values = "applications",
    .arguments_size = sizeof(struct arguments),
};
