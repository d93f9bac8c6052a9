/* What the files step*.c and explain.c share. */
#ifndef ENGINE_STEP_INTERNAL_H
#define ENGINE_STEP_INTERNAL_H

#include "engine/step.h"

/* What every definition begins with. The caller releases. */
struct json *step_definition(struct engine *engine, const char *operation, const struct container *input);
/* Counts and shows a step that was found under `key`, and lets the slot of --explain point to it. */
void step_tell_found(struct engine *engine, const char *name, const char *key);
/* Changes an image config as step_config does. */
void step_change_config(struct json *image, const struct json *change);

/* Looks a definition up: 1 with the container when its result is there, 0 when it must be made, -1. key: DIGEST_HEX. */
int step_find(struct engine *engine, const struct json *definition, char *key, struct container *output,
              struct error *error);
/* The key of a definition; DIGEST_HEX. */
void step_key(const struct json *definition, char *key);
/* Whoever wants the same step at the same time waits for the first one; with --no-cache each makes its own. *lock is
 * closed to end it. Taken before the locks of caches; with it held the step is looked up once more. */
int step_lock(struct engine *engine, const char *key, const char *name, int *lock, struct error *error);
/* Durable: definition and result (taken over, under the name `member`) under the key; what the slot of --explain points
 * to. */
int step_record(struct engine *engine, const char *key, const struct json *definition, const char *name,
                const char *member, struct json *result, struct error *error);
/* The same with several members: `value` is an object that has them, and is taken over. */
int step_write(struct engine *engine, const char *key, const struct json *definition, const char *name,
               struct json *value, struct error *error);
int step_record_container(struct engine *engine, const char *key, const struct json *definition, const char *name,
                          const struct container *output, struct error *error);
/* Says why the step `name` was found or is made, when the user asked for it. */
void step_explain(struct engine *engine, const char *name, const struct json *definition, bool found);
/* What differs between two definitions, each with "; " before it. */
void step_compare(struct engine *engine, const struct json *old, const struct json *new, struct buffer *out);
/* names/slots/…: the latest key of a step of this name in this source directory. */
void step_slot(struct engine *engine, const char *name, char *key);

/* The input with one layer and one history entry more (layer NULL: an empty one). */
int step_append(struct engine *engine, const struct container *input, const struct digest *layer,
                const char *created_by, struct json *config, struct container *output, struct error *error);
/* "1970-01-01T00:00:00Z" of the engine's epoch. */
struct epoch_text {
    char text[32];
};
struct epoch_text step_epoch(const struct engine *engine);

/* What decides about a step that runs a command; `operation` is "exec" or "check". */
struct json *step_define(struct engine *engine, const char *operation, const struct container *input,
                         const struct step_exec *exec);

/* The mounts of an exec step, made ready on the disk. */
struct prepared {
    struct sandbox_mount *mounts;
    size_t count;
    struct text_list paths;                  /* owns what mounts point to */
    struct text_list cache_ids, cache_paths; /* of the locked caches, in the same order */
    struct text_list environment;
    int *locks;
    size_t lock_count;
};
/* What the store knows a cache by. The caller frees. */
char *step_cache_id(enum sandbox_mode mode, const char *id);
/* Locks the cache mounts first, in the order of their ids. */
int step_lock_caches(struct engine *engine, const struct step_exec *exec, struct prepared *prepared,
                     struct error *error);
int step_prepare_mounts(struct engine *engine, const struct step_exec *exec, const char *scratch,
                        struct prepared *prepared, struct error *error);
void step_prepared_release(struct prepared *prepared);

/* step_outcome.c: what a command prints, until it has succeeded. */
struct step_kept {
    struct buffer streams[2]; /* standard output, standard error */
};
void step_kept_add(struct step_kept *kept, int stream, const char *data, size_t length);
/* Fills exec->outcome when it is wanted, without the secrets of the step. */
int step_kept_store(struct engine *engine, const struct step_exec *exec, struct step_kept *kept, int status,
                    struct error *error);
void step_kept_release(struct step_kept *kept);
struct json *step_outcome_json(const struct step_outcome *outcome);
/* Of the step that is recorded under the key; false when something of it is no longer there. */
bool step_outcome_recall(struct engine *engine, const char *key, struct step_outcome *outcome);

/* ERROR_DATA when this machine cannot run what is in the container. */
int step_check_architecture(const struct container *input, struct error *error);

/* Runs the command of a step on its input. */
struct step_run {
    const struct container *input;
    const struct step_exec *exec;
    struct prepared *prepared;         /* its caches are locked */
    const char *scratch;               /* an empty directory of the store */
    const char *upper;                 /* receives what is changed */
    const struct sandbox_mount *mount; /* one more than the step's own, or NULL */
    unsigned timeout;                  /* as in struct sandbox */
    void (*output)(void *context, int stream, const char *data, size_t length);
    void *output_context;
    bool joins_streams;
    int step; /* of the progress */
};
/* *status: the exit code or 128 + signal. */
int step_run(struct engine *engine, const struct step_run *run, int *status, struct error *error);

/* step_extract without the directories of these names, wherever they are. */
int step_extract_except(struct engine *engine, const struct container *from, const char *path,
                        const struct text_list *except, struct digest *tree, bool *is_directory, struct error *error);

/* Lays a tree object out below a new directory. */
int tree_materialise(struct engine *engine, const struct digest *digest, const char *directory, struct error *error);

#endif
