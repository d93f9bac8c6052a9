#include "tools/pl-push-image/command.h"

static const struct option options[] = {
    {.letter = 'r',
     .name = "repo",
     .value_name = "REPO",
     .help = "a repository of Artifact Registry (my-repo), or a full reference (ghcr.io/me/shop:v1)",
     .kind = OPTION_TEXT,
     .values = "repositories",
     .traits = OPTION_REQUIRED,
     INTO(repo)},
    {.letter = 't',
     .name = "tag",
     .value_name = "TAG",
     .help = "a tag; without it the git commit when the tree is clean, else the digest's first 12 digits",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(tags)},
    {.name = "name",
     .value_name = "NAME",
     .help = "the image's name below my-repo; without it the name in the record, or that of the working directory",
     .kind = OPTION_TEXT,
     INTO(name)},
    {.name = "project",
     .value_name = "ID",
     .help = "the project of my-repo; without it GOOGLE_CLOUD_PROJECT, then what the credentials say",
     .kind = OPTION_TEXT,
     .values = "projects",
     INTO(project)},
    {.name = "region",
     .value_name = "REGION",
     .help = "the region of my-repo",
     .kind = OPTION_TEXT,
     .values = "regions",
     .fallback = "us-central1",
     INTO(region)},
    {.name = "create-repo",
     .help = "make the repository of Artifact Registry when it is not there",
     .kind = OPTION_FLAG,
     INTO(create_repo)},
    {0},
};

static const struct option image_options[] = {
    {.name = "list",
     .help = "the images of my-repo: whether a service or job runs it, name, digest, size, time, tags",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(list)},
    {.name = "clean",
     .help = "delete old images of my-repo, never one that a service or a job runs; needs --confirm",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(clean)},
    {.name = "keep",
     .value_name = "N",
     .help = "with --clean: the newest of each name stay",
     .kind = OPTION_NUMBER,
     .fallback = "10",
     INTO(keep)},
    {.name = "older-than",
     .value_name = "TIME",
     .help = "with --clean: and what is younger stays: 12h, 7d",
     .kind = OPTION_DURATION,
     .fallback = "30d",
     INTO(older_than)},
    {.name = "keep-tag",
     .value_name = "PREFIX",
     .help = "with --clean: and what has a tag that begins so",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(keep_tags)},
    {.name = "daily",
     .help = "with --clean: not now; Artifact Registry does so every day, by clean-up policies of my-repo",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(daily)},
    {.letter = 'n',
     .name = "dry-run",
     .help = "with --clean: say which are old, and delete nothing",
     .kind = OPTION_FLAG,
     INTO(dry_run)},
    {.name = "confirm",
     .value_name = "REPO",
     .help = "with --clean: the repository's name once more",
     .kind = OPTION_TEXT,
     .values = "repositories",
     .variable = "",
     INTO(confirm)},
    {0},
};

static const struct option_group groups[] = {
    {"Instead of pushing", image_options, 0}, CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-build ./backend | pl-push-image --repo my-repo", "to us-central1-docker.pkg.dev/PROJECT/my-repo/backend"},
    {"pl-build ./backend | pl-push-image --repo my-repo --tag v1.2 --tag latest", "with two tags"},
    {"pl-build ./backend | pl-push-image --repo ghcr.io/me/backend", "to another registry"},
    {"pl-push-image --repo 127.0.0.1:5000/shop container:sha256:…", "an image that is in the store"},
    {"pl-push-image --repo my-repo --clean --keep 5 --older-than 14d --dry-run", "which images are old"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "bad record, or an image that the store does not hold"},
    {66, "no record arrived"},
    {69, "the registry does not answer"},
    {75, "the registry is overloaded; try again"},
    {76, "the registry does not speak its protocol, or a digest is wrong"},
    {77, "credentials are missing or do not suffice"},
    {78, "project, region or repository is missing or wrong"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-run-deploy", "pl-gcp-auth", "pl-local", NULL};

const struct command pl_push_image_command = {
    .name = "pl-push-image",
    .summary = "push a container to an image registry",
    .synopsis = "[CONTAINER...]",
    .description =
        "Reads container records, pushes each to the repository and writes an image record that names it by digest. "
        "Only what the registry lacks is sent: a base image that lies in the same registry is mounted across, and a "
        "blob that was pushed there before is not even asked about. The manifest comes after all blobs and a tag after "
        "its manifest, so a push that ends early changes nothing that can be seen.\n\n"
        "--repo my-repo means REGION-docker.pkg.dev/PROJECT/my-repo/NAME. A full reference is taken as it is; its tag, "
        "if it has one, counts as --tag.\n\n"
        "Logins: Google's registries take the credentials that pl-run-deploy takes, every registry those of docker "
        "and podman (config.json, auth.json, credential helpers). A registry on this machine (localhost, 127.0.0.1) "
        "is spoken to without TLS.\n\n"
        "While it waits for the record it checks repository, project, region and login, and ends at once when one of "
        "them is wrong.",
    .reads = "container",
    .writes = "image",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 0,
    .operands_maximum = 100,
    .operand_kind = OPTION_TEXT,
    .operand_values = "containers",
    .arguments_size = sizeof(struct arguments),
};
