#include "tools/pl-export/command.h"

static const char *const answers[] = {"entries",  "tree",   "size",   "digest",    "inspect",
                                      "contents", "stdout", "stderr", "exit-code", NULL};
static const char *const engines[] = {"podman", "docker", NULL};

static const struct option options[] = {
    {.name = "path",
     .value_name = "PATH",
     .help = "take what lies at this path of the container or directory",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(path)},
    {.name = "show",
     .value_name = "WHAT",
     .help =
         "print it instead of writing it: entries, a tree, the size in bytes, the digest, an inspection as JSON, the "
         "contents of a file, or the output and exit code of the last pl-with exec",
     .kind = OPTION_CHOICE,
     .choices = answers,
     .variable = "",
     INTO(show)},
    {.name = "merge",
     .help = "lay it over what is in DEST; without it DEST holds afterwards what is exported and nothing else",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(merge)},
    {.name = "force",
     .help = "replace DEST although it holds what pl-export has not written",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(force)},
    {.name = "oci",
     .value_name = "DIR",
     .help = "write the container as an OCI image layout, or add it to one",
     .kind = OPTION_DIRECTORY,
     .variable = "",
     INTO(layout)},
    {.name = "docker-archive",
     .value_name = "FILE",
     .help = "write the container as an archive that docker load and podman load read",
     .kind = OPTION_FILE,
     .variable = "",
     INTO(archive)},
    {.name = "load",
     .value_name = "ENGINE",
     .help = "load the container into podman or docker",
     .kind = OPTION_CHOICE,
     .choices = engines,
     .variable = "",
     INTO(load)},
    {.name = "tag",
     .value_name = "NAME[:TAG]",
     .help = "what the image is called there; without it the name that the record says",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(tag)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-build ./frontend | pl-export ./dist", "a site as a directory of this disk"},
    {"pl-build . | pl-export --path /app/docs | pl-firebase-deploy --site docs", "a directory of a container"},
    {"pl-from debian:12 | pl-with exec -- cat /etc/os-release | pl-export --show stdout", "what a command printed"},
    {"pl-build . | pl-export --oci ./image --tag shop:1.2", "an OCI layout"},
    {"pl-build . | pl-export --load podman --tag shop", "into podman, to run it there"},
    {"pl-build . | pl-export --show inspect | jq .config.Env", "the image's configuration"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "there is nothing at the path, or DEST holds what pl-export has not written"},
    {66, "no record arrived"},
    {69, "a registry does not answer"},
    {70, "podman or docker failed"},
    {73, "DEST or the store cannot be written"},
    {78, "podman or docker is missing"},
    {0},
};

static const char *const see_also[] = {"pl-from", "pl-with", "pl-build", "pl-push-image", NULL};

const struct command pl_export_command = {
    .name = "pl-export",
    .summary = "take something out of a chain: to the disk, into an image, or to look at it",
    .synopsis = "[DEST]",
    .description =
        "Reads a record and writes what it names to DEST: a directory as a directory, a file as a file, of a container "
        "what lies at --path. Files belong to whoever calls it and have the modes that they have there.\n\n"
        "A directory takes the place of DEST as a whole, in one moment, when DEST is absent, empty, or was written by "
        "pl-export and not replaced since; anything else is refused, unless --force says otherwise. --merge lays it "
        "over what is there. Nothing outside of DEST is ever written, whatever links lie in it.\n\n"
        "Without DEST the result is a record: of the directory or file at --path, for pl-with or "
        "pl-firebase-deploy.\n\n"
        "An OCI layout holds the image by which pl-push-image would push it, byte for byte.",
    .reads = "container, directory or file",
    .writes = "container, directory or file",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 1,
    .operand_kind = OPTION_DIRECTORY,
    .arguments_size = sizeof(struct arguments),
};
