/* One change of one artifact: what the files of the words share. */
#ifndef TOOLS_PL_WITH_WITH_H
#define TOOLS_PL_WITH_WITH_H

#include "chain/artifact.h"
#include "chain/operand.h"
#include "chain/session.h"
#include "engine/step.h"
#include "tools/pl-with/command.h"

struct with {
    struct chain_session session;
    const struct arguments *arguments;
    const struct word *word;
    char *const *operands; /* behind the word */
    size_t operand_count;
    char *const *rest; /* behind "--" */
    size_t rest_count;
    char *title;              /* "exec pip install": for people, and in the image's history */
    struct artifact artifact; /* what is changed */
};

struct word {
    const char *name;
    const char *usage;          /* "FILE PATH" */
    unsigned on;                /* the types that it changes, a mask of enum record_type */
    size_t least, most;         /* operands */
    bool takes_rest;            /* an argv behind "--" */
    const char *const *options; /* that go with it beside the common ones; NULL: none */
    int (*run)(struct with *with, struct error *error);
};

/* NULL when there is none of that name. */
const struct word *word_find(const char *name);

/* files.c: into a container */
int with_file(struct with *with, struct error *error);
int with_directory(struct with *with, struct error *error);
int with_new_file(struct with *with, struct error *error);
int with_new_directory(struct with *with, struct error *error);
int with_symlink(struct with *with, struct error *error);
int with_workdir(struct with *with, struct error *error);
int with_rootfs(struct with *with, struct error *error);
/* trees.c: the same in a directory */
int tree_file(struct with *with, struct error *error);
int tree_directory(struct with *with, struct error *error);
int tree_new_file(struct with *with, struct error *error);
int tree_new_directory(struct with *with, struct error *error);
int tree_symlink(struct with *with, struct error *error);
int with_filter(struct with *with, struct error *error);
int with_diff(struct with *with, struct error *error);
int with_patch(struct with *with, struct error *error);
/* without.c */
int with_without(struct with *with, struct error *error);
/* settings.c */
int with_env(struct with *with, struct error *error);
int with_env_file(struct with *with, struct error *error);
int with_user(struct with *with, struct error *error);
int with_label(struct with *with, struct error *error);
int with_annotation(struct with *with, struct error *error);
int with_port(struct with *with, struct error *error);
int with_volume(struct with *with, struct error *error);
int with_stop_signal(struct with *with, struct error *error);
int with_entrypoint(struct with *with, struct error *error);
int with_cmd(struct with *with, struct error *error);
int with_health_check(struct with *with, struct error *error);
int with_timestamps(struct with *with, struct error *error);
int with_name(struct with *with, struct error *error);
/* exec.c */
int with_exec(struct with *with, struct error *error);

/* ---- help for them ---- */

/* The container's config with this change, and one entry more in its history. */
int with_change(struct with *with, const struct json *change, struct error *error);
/* A setting of the container's config ("WorkingDir"), or `fallback`. Borrowed. */
const char *with_setting(const struct with *with, const char *name, const char *fallback);
/* An absolute path from one that may be relative to the container's working directory. The caller frees. */
int with_path(const struct with *with, const char *given, char **path, struct error *error);
/* What --shell gives to the image's shell, or what follows "--". ERROR_USAGE when there is neither. */
int with_argv(const struct with *with, struct text_list *argv, struct error *error);
struct selection_options with_selection(const struct with *with);
/* --mode, or -1. */
int with_mode(const struct with *with, int *mode, struct error *error);

#endif
