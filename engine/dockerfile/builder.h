/* What the files that carry out instructions share. Internal to engine/dockerfile. */
#ifndef DOCKERFILE_BUILDER_H
#define DOCKERFILE_BUILDER_H

#include "engine/dockerfile/dockerfile.h"
#include "engine/dockerfile/expand.h"
#include "engine/dockerfile/parse.h"
#include "engine/ignore.h"
#include "engine/step.h"
#include "engine/tree.h"

struct stage {
    char *name;         /* of AS, lower case, or NULL */
    size_t first, last; /* instructions: FROM, and one behind the end */
    bool is_running;    /* being built: asked for again, it depends on itself */
    bool is_done;
    bool is_fresh; /* no command has changed what its base holds */
    char *base;    /* the image that it goes back to, when it is done */
    struct container container;
};

struct builder {
    struct engine *engine;
    const struct dockerfile_build *build;
    struct dockerfile file;
    struct stage *stages;
    size_t stage_count;
    struct text_list arguments; /* of ARG before the first FROM */
    struct tree context;        /* scanned when the first instruction needs it */
    bool has_context;
};

/* One stage while it is built. */
struct build_state {
    struct builder *builder;
    size_t stage; /* its number: only those before it can be copied from */
    const struct instruction *instruction;
    struct container container;
    char *base; /* as struct stage says */
    bool is_fresh;
    bool sets_command;            /* this stage has a CMD of its own */
    struct text_list environment; /* the container's Env */
    struct text_list arguments;   /* ARG in scope */
    struct text_list shell;
    char *directory; /* WorkingDir, absolute */
    char *user;
};

/* ERROR_DATA naming the instruction of `state`. */
#define instruction_error(state, error, ...)                                                                           \
    dockerfile_error(&(state)->builder->file, (state)->instruction, error, __VA_ARGS__)
/* Puts "PATH:LINE" in front of an error that came from below; always -1. */
int instruction_wrap(const struct build_state *state, struct error *error);

/* Variables replaced and quotes removed. The caller frees. */
char *instruction_expand(const struct build_state *state, const char *text, struct error *error);
/* All words of the rest, expanded (not those of a JSON list, which Docker also expands for COPY only). */
int instruction_words(const struct build_state *state, const char *text, struct text_list *words, struct error *error);
/* The value of --NAME=value, expanded, or NULL when it is not given. The caller frees. *error tells failure (kind not
 * NONE). */
int instruction_flag(const struct build_state *state, const char *name, char **value, struct error *error);
/* Refuses every flag that is not in the NULL-terminated list. */
int instruction_check_flags(const struct build_state *state, const char *const *allowed, struct error *error);
/* "COPY src /app" as shown and kept in the history. The caller frees. */
char *instruction_title(const struct build_state *state);
/* An absolute path in the image from one that may be relative to WORKDIR. The caller frees. */
char *instruction_path(const struct build_state *state, const char *path);

/* Replaces the container of the state. */
void state_set_container(struct build_state *state, struct container *container);
int state_configure(struct build_state *state, const struct json *change, struct error *error);

/* The container of an earlier stage by name or number, built when it is not yet; else an image reference. *container is
 * released by the caller. */
int builder_container(const struct build_state *state, const char *name, struct container *container,
                      struct error *error);
int builder_context(struct builder *builder, const struct tree **tree, struct error *error);

int run_config(struct build_state *state, bool *known, struct error *error);
int run_copy(struct build_state *state, struct error *error);
int run_run(struct build_state *state, struct error *error);
/* WORKDIR also makes the directory, as the user of the stage, when it is missing. */
int run_workdir(struct build_state *state, struct error *error);

/* add_archive.c: what ADD takes apart. Whether a file is a tar archive, compressed or not; its content with owners and
 * modes. xz and bzip2 are decompressed by the programs of these names. */
int archive_detect(struct engine *engine, const struct tree_entry *file, bool *is_archive, struct error *error);
int archive_content(struct engine *engine, const struct tree_entry *file, struct tree *tree, struct error *error);

/* copy_sources.c: the files that COPY and ADD name. */
struct copying {
    struct build_state *state;
    struct container from; /* of --from */
    bool has_from;
    bool into_directory; /* files keep their names below the destination */
    size_t files;        /* single files that were chosen */
    struct tree result;  /* relative to the destination */
    size_t capacity;
};
/* Adds what one source stands for. */
int copying_add(struct copying *copying, const char *source, struct error *error);
/* Sorted by path; of several entries of one path the one that came last stays. */
void copying_sort(struct copying *copying);

#endif
