/* Steps: (operation, arguments, the digests of exactly the inputs it may see) → a container. Design section 5.
 *
 * The key of a step is the sha256 of its definition's canonical JSON. names/steps/KEY holds definition and result. A
 * definition names its inputs ("requirements.txt" → digest), so that two can be compared for --explain. Only success is
 * stored. */
#ifndef ENGINE_STEP_H
#define ENGINE_STEP_H

#include "engine/container.h"
#include "engine/layer.h"
#include "engine/sandbox/visit.h"
#include "engine/service.h"

/* A secret that the user gave: known by its id, never part of a key. */
struct step_secret {
    const char *id;
    const void *data;
    size_t length;
};

struct step_mount {
    enum step_mount_type { MOUNT_CACHE, MOUNT_SECRET, MOUNT_BIND_TREE, MOUNT_BIND_CONTAINER, MOUNT_TMPFS } type;
    const char *target;                /* absolute, in the container */
    const char *id;                    /* of a cache or a secret */
    const char *input_name;            /* what --explain calls a tree: "requirements.txt" */
    struct digest tree;                /* MOUNT_BIND_TREE */
    const struct container *container; /* MOUNT_BIND_CONTAINER: its file system, from `source` */
    const char *source;                /* path inside the tree or container; NULL: all of it */
    const void *secret;                /* MOUNT_SECRET: the bytes; only the id enters the key */
    size_t secret_length;
    unsigned mode;        /* of a secret's file, 0: 0400 */
    uint32_t uid, gid;    /* of a secret or cache */
    uint64_t size;        /* of a tmpfs, 0: 512 MiB */
    bool writable;        /* of a bind; what is written is discarded */
    const char *variable; /* MOUNT_SECRET: also as this environment variable, or NULL */
};

/* What a command printed, as objects of the store, and its exit code. */
struct step_outcome {
    int status; /* 128 + signal */
    struct digest out, err;
};
enum { STEP_OUTCOME_LIMIT = 16 << 20 }; /* bytes of each that are kept; secrets of the step are "***" in them */

struct step_exec {
    const char *name; /* shown to the user */
    const struct text_list *argv;
    const struct text_list *environment; /* "K=V" laid over the container's, for this step only; part of the key */
    const struct text_list *volatile_environment; /* visible to the step, in neither key nor image */
    const char *directory;                        /* NULL: the container's WorkingDir */
    const char *user;                             /* NULL: the container's User; "0" for root */
    const struct step_mount *mounts;
    size_t mount_count;
    bool no_network;
    const struct service *services; /* that run meanwhile: the only network that the command has */
    size_t service_count;
    const struct digest *input;   /* what it reads as standard input, an object of the store; NULL: nothing */
    const int *expected;          /* the exit codes that are no failure */
    size_t expected_count;        /* 0: only 0 is none */
    struct step_outcome *outcome; /* keeps what it prints and gets it, also of a step that is found; NULL: nothing is
                                   * kept. A step that keeps is another one than the same that does not */
    const char *created_by;       /* history; NULL: from argv */
    /* Called before the command is run, not when the step is found: gets what the key does not know (secrets) into the
     * mounts. NULL: nothing is missing. */
    int (*prepare)(void *context, struct error *error);
    void *prepare_context;
    /* Is also given what it prints, on stream 1 or 2; NULL: nobody is. */
    void (*output)(void *context, int stream, const char *data, size_t length);
    void *output_context;
};
int step_exec(struct engine *engine, const struct container *input, const struct step_exec *exec,
              struct container *output, struct error *error) MUST_CHECK;

/* What engine->failed is told. Nothing of the container is gone yet: what the command wrote until it failed, its
 * mounts, what it left running, the services beside it. A shell of its image can be let in as a visitor
 * (engine/sandbox/visit.h). When the call returns, the step fails as it would have without it. */
struct step_failure {
    int step; /* of the progress */
    const char *name;
    const struct text_list *argv;
    const char *directory, *user; /* "" is root */
    int status;                   /* the exit code, or 128 + signal */
    const struct error *reason;   /* why it could not be started, or that it was out of time; NULL: see the status */
};

struct step_copy {
    const char *name;
    const char *input_name; /* "source" */
    struct layer_content content;
    const char *created_by;
    /* Look at what is at the destination, as COPY does: links on the way are followed, directories that exist keep
     * their owner and mode, new ones belong to the content's owner, and what is no directory where one is wanted is
     * ERROR_DATA. Needs the layers of the container, except while it is fresh (no command has changed it) and the
     * destination is a directory that every base has, or below /usr. Else the layer says what content.parents says. */
    bool looks;
    bool is_fresh;
    const char *file_name; /* the tree is one file of this name. It gets the destination's own name, unless there is a
                            * directory at the destination: then it goes in there. NULL: the tree is laid as it is */
    bool only_missing;     /* nothing is laid when the destination exists */
    const struct json *change; /* of the config, in the same step; NULL: none */
};
int step_copy(struct engine *engine, const struct container *input, const struct step_copy *copy,
              struct container *output, struct error *error) MUST_CHECK;

/* Replaces the config's members by those of `change` (an object of OCI config names: Env (merged by name; one without a
 * value is removed), Cmd, Entrypoint, WorkingDir, User, ExposedPorts (merged), Labels (merged), StopSignal, Volumes
 * (merged), Healthcheck, Shell…; null removes). Instant, never cached, adds a history entry with empty_layer. */
int step_config(struct engine *engine, const struct container *input, const struct json *change, const char *created_by,
                struct container *output, struct error *error) MUST_CHECK;

/* Removes absolute paths from the file system, with all below them. Links on the way are followed, the last part is
 * not; what does not exist is no failure. Needs the layers of the container. */
int step_remove(struct engine *engine, const struct container *input, const struct text_list *paths, const char *name,
                struct container *output, struct error *error) MUST_CHECK;

/* The container with one layer instead of its own: the tree object laid at the root. Its config stays. */
int step_replace_root(struct engine *engine, const struct container *input, const struct digest *tree, const char *name,
                      struct container *output, struct error *error) MUST_CHECK;

/* Every layer that is to be seen as a directory, topmost first, as a struct sandbox takes them; fetches and unpacks
 * what is missing. */
int container_lay_out(struct engine *engine, const struct container *container, struct text_list *lowers,
                      struct error *error) MUST_CHECK;

/* Where an absolute path leads in a container when symbolic links on the way are followed, the last part excluded; what
 * does not exist is kept as it is. Fetches its layers. The caller frees. */
int container_resolve(struct engine *engine, const struct container *container, const char *path, char **resolved,
                      struct error *error) MUST_CHECK;

/* Makes a tree object from a path of a container's file system (COPY --from): a directory's content, or one file under
 * its own name. *is_directory may be NULL. Owners are not kept. Fetches its layers. */
int step_extract(struct engine *engine, const struct container *from, const char *path, struct digest *tree,
                 bool *is_directory, struct error *error) MUST_CHECK;

#endif
