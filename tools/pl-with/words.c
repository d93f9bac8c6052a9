/* The words, each with what it takes. */
#include "tools/pl-with/with.h"

#include "common/base/text.h"

enum {
    CONTAINERS = RECORD_CONTAINER,
    DIRECTORIES = RECORD_DIRECTORY,
    BOTH = RECORD_CONTAINER | RECORD_DIRECTORY,
    MANY = 199,
};

static const char *const exec_options[] = {
    "shell",       "stdin",   "expect", "mount-cache", "mount-secret", "secret-env", "mount-directory",
    "mount-tmpfs", "network", "user",   "env",         "volatile-env", "service",    NULL};
static const char *const file_options[] = {"owner", "mode", "allow-file", NULL};
static const char *const directory_options[] = {"owner", "mode", "allow-file", "include", "exclude", "gitignore", NULL};
static const char *const new_file_options[] = {"owner", "mode", NULL};
static const char *const owner_options[] = {"owner", NULL};
static const char *const filter_options[] = {"include", "exclude", "gitignore", NULL};
static const char *const allow_options[] = {"allow-file", NULL};
static const char *const expand_options[] = {"expand", NULL};
static const char *const entrypoint_options[] = {"keep-cmd", NULL};
static const char *const health_options[] = {"shell", "none", "interval", "timeout", "start-period", "retries", NULL};

static const struct word words[] = {
    {"exec", "-- ARGV", CONTAINERS, 0, 0, true, exec_options, with_exec},
    {"file", "FILE PATH", BOTH, 2, 2, false, file_options, with_file},
    {"directory", "DIR PATH", BOTH, 2, 2, false, directory_options, with_directory},
    {"new-file", "PATH TEXT", BOTH, 1, 2, false, new_file_options, with_new_file},
    {"new-directory", "PATH", BOTH, 1, 1, false, owner_options, with_new_directory},
    {"symlink", "TARGET PATH", BOTH, 2, 2, false, owner_options, with_symlink},
    {"without", "KIND NAME...", BOTH, 1, MANY, false, NULL, with_without},
    {"workdir", "PATH", CONTAINERS, 1, 1, false, NULL, with_workdir},
    {"env", "NAME=VALUE...", CONTAINERS, 1, MANY, false, expand_options, with_env},
    {"env-file", "FILE", CONTAINERS, 1, 1, false, allow_options, with_env_file},
    {"user", "USER[:GROUP]", CONTAINERS, 1, 1, false, NULL, with_user},
    {"label", "NAME=VALUE...", CONTAINERS, 1, MANY, false, NULL, with_label},
    {"annotation", "NAME=VALUE...", CONTAINERS, 1, MANY, false, NULL, with_annotation},
    {"port", "PORT[/udp]...", CONTAINERS, 1, MANY, false, NULL, with_port},
    {"entrypoint", "-- ARGV", CONTAINERS, 0, 0, true, entrypoint_options, with_entrypoint},
    {"cmd", "-- ARGV", CONTAINERS, 0, 0, true, NULL, with_cmd},
    {"volume", "PATH...", CONTAINERS, 1, MANY, false, NULL, with_volume},
    {"rootfs", "DIR", CONTAINERS, 1, 1, false, directory_options, with_rootfs},
    {"stop-signal", "SIGNAL", CONTAINERS, 1, 1, false, NULL, with_stop_signal},
    {"health-check", "-- ARGV", CONTAINERS, 0, 0, true, health_options, with_health_check},
    {"timestamps", "SECONDS", BOTH, 1, 1, false, NULL, with_timestamps},
    {"name", "NAME", CHAIN_TYPES, 1, 1, false, NULL, with_name},
    {"filter", "", DIRECTORIES, 0, 0, false, filter_options, with_filter},
    {"patch", "FILE", DIRECTORIES, 1, 1, false, NULL, with_patch},
    {"diff", "DIR", DIRECTORIES, 1, 1, false, filter_options, with_diff},
};

const struct word *word_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (text_equal(words[i].name, name))
            return &words[i];
    return NULL;
}
