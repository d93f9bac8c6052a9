/* What the files about Node.js share. Internal to engine/stacks. */
#ifndef STACKS_NODE_H
#define STACKS_NODE_H

#include "engine/stacks/semver.h"
#include "engine/stacks/stack.h"

enum node_manager {
    NODE_NO_MANAGER, /* no package.json: nothing is installed */
    NODE_NPM,
    NODE_PNPM,
    NODE_YARN_CLASSIC, /* yarn 1 */
    NODE_YARN,         /* yarn 2 and later */
    NODE_BUN,
};

/* What makes a site out of the source, as far as pl knows it. */
struct node_framework;

struct node_project {
    const struct stack_source *source;
    struct stack_plan *plan;
    struct json *settings; /* "build" of pl.json, or NULL */
    struct json *package;  /* package.json of what is built, or NULL */
    struct json *root;     /* package.json beside the lock file: that of the workspace, or the same */
    const char *member;    /* "apps/web", or "" */
    struct json *firebase; /* firebase.json, or NULL */

    enum node_manager manager;
    char *manager_version;  /* "9.15.0", or NULL: any */
    char *manager_hash;     /* "sha512.HEX" as packageManager has it, or NULL */
    char *lock;             /* "package-lock.json", or NULL */
    struct text_list files; /* what the install step may see */
    bool needs_all_files;   /* installing runs code of the source */

    const struct node_framework *framework; /* or NULL */
    char *script;                           /* of package.json, that builds; NULL: there is nothing to build */
    char *script_text;                      /* what it says */
    struct text_list arguments;             /* of the script */
    struct text_list members;               /* of the workspace, that are built before */
    struct text_list outputs;               /* directories that the site may be written to, the likeliest first */
    bool is_output_certain;                 /* outputs says all */
    bool is_split_by_language;              /* each language has a directory of its own in the output */
    char *cache;                            /* a directory of the source that the build keeps a cache in, or NULL */
    char *cache_name;                       /* its id */

    bool is_server;           /* a container, not a site */
    struct text_list command; /* that starts it */
};

/* stack_detect for Node and for static files. */
int node_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) MUST_CHECK;

/* For tests in the image of a Dockerfile: package.json and the manager alone. */
int node_begin_image_tests(struct node_project *project, struct error *error) MUST_CHECK;
/* For tests: everything up to the step that installs the dependencies, which is that of a build. */
int node_begin_tests(struct node_project *project, struct error *error) MUST_CHECK;
/* The step that lays the source beside the dependencies. */
void node_plan_source(struct node_project *project);
/* Zeroed but for source and plan. */
void node_project_release(struct node_project *project);

/* The path in the source of a file of what is built; the caller frees. */
char *node_path(const struct node_project *project, const char *path);
/* Where it lies in the container; the caller frees. */
char *node_directory(const struct node_project *project);
/* Reads a file of what is built: within the limit of `text`; *found false when the tree has no such regular file. */
int node_read(const struct node_project *project, const char *path, struct buffer *text, bool *found,
              struct error *error) MUST_CHECK;
/* Reads JSON, comments allowed; *json NULL when there is no such file. */
int node_read_json(const struct node_project *project, const char *path, struct json **json,
                   struct error *error) MUST_CHECK;
bool node_has(const struct node_project *project, const char *path);
/* The same for a file beside the lock file. */
int node_read_root(const struct node_project *project, const char *path, struct buffer *text, bool *found,
                   struct error *error) MUST_CHECK;
int node_read_json_root(const struct node_project *project, const char *path, struct json **json,
                        struct error *error) MUST_CHECK;
bool node_has_root(const struct node_project *project, const char *path);
/* A text of "build" in pl.json, or NULL; what is there and is no text is ERROR_DATA. */
int node_setting(const struct node_project *project, const char *key, const char **text,
                 struct error *error) MUST_CHECK;
/* A script of package.json, or NULL. */
const char *node_script(const struct node_project *project, const char *name);
/* The range that package.json asks for of a package, as any kind of dependency, or NULL. */
const char *node_dependency(const struct node_project *project, const char *package);

/* node_manager.c: manager, its version, lock, files. */
int node_find_manager(struct node_project *project, struct error *error) MUST_CHECK;
const char *node_manager_name(enum node_manager manager);
/* node_workspace.c: the members that what is built depends on and that have to be built before it, in that order. */
int node_find_members(const struct node_project *project, struct text_list *members, struct error *error) MUST_CHECK;
/* ERROR_DATA for a workspace that is no application itself: what is one. Always returns -1. */
int node_refuse_workspace(const struct node_project *project, struct error *error);
/* node_lifecycle.c: whether `install` runs code of the source; adds what is known to be needed to the files. */
void node_find_lifecycle(struct node_project *project);
/* node_version.c: the plan's base and fallback. */
int node_find_version(struct node_project *project, struct error *error) MUST_CHECK;
/* node_site.c: framework, script, outputs; or that it is a server. */
int node_find_build(struct node_project *project, struct error *error) MUST_CHECK;
void node_add_output(struct node_project *project, const char *directory);
/* node_angular.c: project, arguments, outputs. */
int node_find_angular(struct node_project *project, struct error *error) MUST_CHECK;
/* node_start.c: the command of a server, and the port. */
int node_find_start(struct node_project *project, struct error *error) MUST_CHECK;
bool node_start_needs_development(const struct node_project *project);
/* node_install.c: the step that installs the dependencies. */
void node_plan_install(struct node_project *project, bool only_production);
/* Steps for tests: a manager that the base does not have, and another package ("jest-junit@16.0.0") in a folder of its
 * own (NULL: none). */
void node_plan_tools(struct node_project *project, const char *package, const char *folder);
/* For tests that want one: a step that installs Chromium unless the base has a browser; NODE_BROWSER starts it. */
#define NODE_BROWSER "/opt/pl/browser"
void node_plan_browser(struct node_project *project);
/* Where the runner finds them. */
void node_plan_test_path(struct node_project *project);
/* What the manager and frameworks need to know when scripts are run. */
void node_add_test_environment(const struct node_project *project, struct text_list *environment);
/* For tests: the step that builds the members of the workspace that it depends on; nothing without any. */
void node_plan_members(struct node_project *project);
/* The step that runs the build script. */
void node_plan_build(struct node_project *project);

/* script_scan.c: values in a configuration that is code. */
enum script_value { SCRIPT_ABSENT, SCRIPT_TEXT, SCRIPT_COMPUTED };
/* The value of `key:` where it is a literal text, or path.resolve(__dirname, "text") and its like. The text must be
 * without comments. The last one counts; the caller frees *value. */
enum script_value script_find(const char *text, const char *key, char **value);

#endif
