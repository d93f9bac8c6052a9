/* Stacks: what pl-build makes of a source directory that says nothing about containers.
 *
 * stack_detect reads the few files that decide (manifests, lock files, the module with the application object) and
 * returns a plan: a base, steps with exactly the files each may see, and a line of text for every decision. A plan is
 * plain data; making one runs nothing and asks nobody. stack_build carries a plan out with the engine's steps.
 *
 * Python. The first of these that is there decides where dependencies come from:
 *   uv.lock, poetry.lock, pdm.lock, Pipfile.lock, requirements.txt (or requirements/{production,prod,base}.txt),
 *   pyproject.toml ([project], [tool.poetry]), Pipfile, setup.py
 * They are installed by a step of their own into /opt/venv. The source comes after, in /app; then the start command,
 * which a Procfile or "build" in pl.json decides where they exist:
 *   {"build": {"stack": "python", "python": "3.12", "app": "src.main:app", "start": "…" or ["…"], "port": 8080}}
 *
 * Node. The package manager is that of "packageManager", then of the lock file, then npm. It installs into /app by a
 * step of its own; the source comes after, and the script "build" is run. Angular, Vite, Next.js and others say where
 * the site comes to lie; the step that takes it looks for its index.html. What is no site is a server: a container with
 * what was built and the dependencies of production. Files with an index.html and nothing to build are a site as they
 * are.
 *   {"build": {"stack": "node", "node": "22", "script": "build", "output": "dist", "project": "shop",
 *              "configuration": "staging", "start": "…" or ["…"], "port": 8080}}
 */
#ifndef STACKS_STACK_H
#define STACKS_STACK_H

#include "engine/container.h"
#include "engine/step.h"
#include "engine/tree.h"

enum {
    STACK_PORT = 8080,          /* where a container listens when nothing says otherwise */
    STACK_USER_ID = 10001,      /* who it runs as */
    STACK_FILE_LIMIT = 1 << 20, /* bytes of one file that is read for a decision */
};

/* Where a plan's steps get a cache directory from. */
struct plan_cache {
    char *id;     /* "pip" */
    char *target; /* absolute */
};

enum plan_step_type {
    PLAN_EXEC,    /* runs argv in `directory`, with `files` there if it has any; then what it writes there is dropped */
    PLAN_COPY,    /* lays `files` at `directory`, or what was taken */
    PLAN_CONFIG,  /* changes the config by `config` */
    PLAN_TAKE,    /* takes the files at `directory` out of the container, or the site at one of `places` below it */
    PLAN_RESTART, /* goes on from the base */
    PLAN_GATHER,  /* takes `files` of the source, which lie below `directory` there ("": all of it) */
};

struct plan_step {
    enum plan_step_type type;
    char *name;                   /* "install dependencies" */
    char *input_name;             /* what --explain calls the files: "requirements.txt" */
    struct text_list argv;        /* PLAN_EXEC */
    struct text_list environment; /* PLAN_EXEC, "NAME=value" */
    struct text_list files;       /* paths in the source, sorted; directories are not named */
    char *directory;              /* absolute, in the container */
    struct plan_cache *caches;
    size_t cache_count;
    struct json *config; /* as step_config takes it */
    bool sees_secrets;   /* PLAN_EXEC: those of the stack_source */
    char *advice;        /* what to do when it fails, or NULL */
    /* Finds the reason of a failure in the last part of what was printed, puts it into *error and says what to type.
     * NULL, or when nothing is said: the advice. */
    void (*explain)(const char *printed, const char *base, const struct plan_step *step, struct error *error);
    bool copies_taken;       /* PLAN_COPY */
    struct text_list except; /* PLAN_TAKE: names of directories that are left out */
    struct text_list places; /* PLAN_TAKE: where a site may be, the likeliest first; empty: `directory` itself */
    bool is_certain;         /* it is in the first of them, or the build is wrong */
    bool is_split;           /* each language of the site has a directory of its own */
};

struct stack_plan {
    char *stack;         /* "python" */
    bool is_site;        /* the last step gives a directory; else the result is the container */
    char *base;          /* NULL: nothing is run */
    char *fallback_base; /* when no registry can be reached: made from Debian packages; NULL: none will do */
    char *fallback_note; /* what is different then, or why there is none */
    unsigned port;
    struct text_list notes; /* one line for each thing that was found or decided */
    struct plan_step *steps;
    size_t step_count;
};

enum stack_kind { STACK_UNKNOWN, STACK_DOCKERFILE, STACK_PYTHON, STACK_NODE };

struct stack_source {
    enum stack_kind kind;
    const char *directory;               /* absolute; of a workspace's member: the workspace */
    const char *member;                  /* the member that is built, "apps/web"; NULL or "": the directory itself */
    const struct tree *tree;             /* its files, as stack_scan gives them */
    const char *name;                    /* the image's title; NULL: the directory's name */
    const char *base;                    /* --base, or NULL: chosen by the version that is asked for */
    const struct container *start;       /* stack_build goes on from this instead of a base; or NULL */
    const char *interpreter;             /* the base's Python; NULL: "python3" */
    const char *project;                 /* --project: of an Angular workspace, or NULL */
    const char *configuration;           /* --configuration: of the build, or NULL */
    const struct text_list *environment; /* --env, "NAME=value": also for the script that builds a site; or NULL */
    /* Only the step that installs dependencies sees them, as /run/secrets/ID; in no layer, key or log. The package
     * managers find the IDs "netrc", "pip.conf" and "uv.toml" by themselves. */
    const struct step_secret *secrets;
    size_t secret_count;
};

/* Which stack it is: "build": {"stack": …} of pl.json, else a Dockerfile, else by the files that are there. Needs only
 * `directory`, so that it can be asked before the scan. ERROR_DATA when the directory is missing, empty or has no known
 * stack; the message names the directories below it that have one. */
int stack_find(const char *directory, enum stack_kind *kind, struct error *error) MUST_CHECK;

/* Makes the plan. ERROR_DATA when a file is malformed or no start command can be found, naming what to write. */
int stack_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) MUST_CHECK;
void stack_plan_release(struct stack_plan *plan);
#define AUTO_PLAN AUTO(stack_plan_release)

/* The source as the stack sees it: all files but those that .dockerignore and .plignore name and those that no image
 * needs (version control, virtual environments, caches; stack_leaves_out). A file that holds credentials is refused
 * before it is read into the store, see engine/credential_files.h. `allowed`: --allow-file, may be NULL. */
int stack_scan(struct engine *engine, const char *directory, const struct text_list *allowed, struct tree *tree,
               struct error *error) MUST_CHECK;
/* The source as its tests see it: .dockerignore speaks of the image, so what it names is there for the tests, but for
 * credentials and virtual environments. `image`: what stack_scan would give, so that the steps of a build are found. */
int stack_scan_tests(struct engine *engine, const char *directory, const struct text_list *allowed, struct tree *all,
                     struct tree *image, struct error *error) MUST_CHECK;
/* What stack_scan would give of a Dockerfile's context, which .dockerignore has left its part out of already. */
int stack_select(const char *directory, const struct tree *context, struct tree *tree, struct error *error) MUST_CHECK;
/* Whether a path is left out of every image of a stack by its name. */
bool stack_leaves_out(const char *path, bool is_directory);

/* What a plan came to: a tree of a site, or a container. */
struct stack_result {
    bool is_site;
    struct digest site;
    struct container container;
    char *base; /* the reference of the base that was used, or NULL; the caller frees */
};
/* Carries a plan out; every decision is told through progress_note. ERROR_DATA when a build passes but leaves no site,
 * with the directories that could be one. */
int stack_build(struct engine *engine, const struct stack_source *source, const struct stack_plan *plan,
                const char *platform, struct stack_result *result, struct error *error) MUST_CHECK;

/* For --plan: the decisions, then the steps with all they are given. Nothing in it depends on the machine. */
int stack_plan_print(const struct stack_plan *plan, struct buffer *out, struct error *error) MUST_CHECK;

/* For the stacks themselves. plan_add_step: the step is zeroed and lives in the plan. */
struct plan_step *plan_add_step(struct stack_plan *plan, enum plan_step_type type, const char *name);
void plan_add_cache(struct plan_step *step, const char *id, const char *target);
void plan_note(struct stack_plan *plan, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
