/* What the files about Python share. Internal to engine/stacks. */
#ifndef STACKS_PYTHON_H
#define STACKS_PYTHON_H

#include "engine/stacks/stack.h"

enum python_manager {
    PYTHON_NO_MANAGER, /* nothing is installed */
    PYTHON_PIP,        /* requirements files */
    PYTHON_PROJECT,    /* [project] of pyproject.toml, by pip */
    PYTHON_SETUP,      /* setup.py, or a pyproject.toml that leaves its dependencies to code: by pip, sees all files */
    PYTHON_UV,
    PYTHON_POETRY,
    PYTHON_PDM,
    PYTHON_PIPENV,
};

enum python_interface { PYTHON_SCRIPT, PYTHON_WSGI, PYTHON_ASGI };

struct python_application {
    char *object;                    /* "src.main:app", or "main.py" of a script; NULL: none was found */
    char *file;                      /* "src/main.py" */
    const char *framework;           /* "FastAPI", or NULL */
    char *directory;                 /* where it is run: "" or "backend" */
    enum python_interface interface; /* of the object */
    bool is_factory;                 /* the object is a function that makes it */
    bool add_src;                    /* src/ is to be on the module path */
    size_t modules;                  /* how many files were looked at */
};

struct python_project {
    const struct stack_source *source;
    struct stack_plan *plan;
    struct json *settings;  /* "build" of pl.json, or NULL */
    struct json *pyproject; /* NULL: there is none */
    struct json *pipfile;
    enum python_manager manager;
    char *manifest;             /* the file that decided, "requirements.txt" */
    struct text_list files;     /* what the dependency step may see */
    struct text_list arguments; /* requirements given on the command line: [project].dependencies */
    struct text_list packages;  /* normalised names of what is declared directly, with "name[extra]" beside "name" */
    bool needs_all_files;       /* a requirement is a directory of the source */
    char *tool_version;         /* of poetry, as its lock file says; NULL: any */
    char *version;              /* "3.12" */
    char *allowed_versions;     /* " 3.11 3.12": by version_constraint; "" when there is none */
    char *version_constraint;   /* "pyproject.toml asks for Python >=3.11", or NULL */
    struct python_application application;
    const struct python_server *server; /* NULL: none */
    bool add_server;                    /* it is not among the dependencies */
    struct text_list command;           /* what starts the container */
    bool has_environment;               /* there is a virtual environment */
};

/* What is installed on top for tests and linters. */
struct python_development {
    struct text_list files;     /* requirements files, for pip */
    struct text_list arguments; /* requirements, for pip */
    struct text_list groups;    /* dependency groups, for uv, poetry and pdm */
    struct text_list extras;    /* likewise */
    bool is_declared;           /* there is something to install */
    char *added;                /* "pytest==8.3.5": what no file declares, or NULL */
    const char *added_program;  /* "pytest": it is not added where that is there already */
};

/* A server that pl knows how to start. */
struct python_server {
    const char *name;    /* of the package */
    const char *program; /* what it is called in a command */
    const char *version; /* the one that is added when none is declared */
};
const struct python_server *python_server_of(const char *package);

/* stack_detect for Python. */
int python_detect(const struct stack_source *source, struct stack_plan *plan, struct error *error) MUST_CHECK;

/* For tests in the image of a Dockerfile: settings and dependencies alone. */
int python_begin_image_tests(struct python_project *project, struct error *error) MUST_CHECK;
/* For tests: everything up to the step that installs the dependencies, which is that of a build. */
int python_begin_tests(struct python_project *project, struct error *error) MUST_CHECK;
/* Zeroed but for source and plan. */
void python_project_release(struct python_project *project);
/* The image's environment variables. The caller releases. */
struct json *python_environment(const struct python_project *project);

/* Reads a file of the source: within the limit of `text`; *found false when the tree has no such regular file. */
int python_read(const struct python_project *project, const char *path, struct buffer *text, bool *found,
                struct error *error) MUST_CHECK;
bool python_has(const struct python_project *project, const char *path);
/* PEP 503: lower case, runs of "-_." become one "-". The caller frees. */
char *python_package_name(const char *text, size_t length);
bool python_declares(const struct python_project *project, const char *package);
/* Adds "fastapi[standard]>=0.1 ; …" to the packages. */
void python_add_requirement(struct python_project *project, const char *requirement);

/* python_dependencies.c: manager, manifest, files, arguments, packages. */
int python_find_dependencies(struct python_project *project, struct error *error) MUST_CHECK;
/* python_requirements.c: a requirements file with all that it includes. */
int python_read_requirements(struct python_project *project, const char *path, struct error *error) MUST_CHECK;
/* python_version.c: version, and the plan's base and fallback. */
int python_find_version(struct python_project *project, struct error *error) MUST_CHECK;
/* Whether "3.12" satisfies ">=3.10,<4" (PEP 440, major and minor only; Poetry's ^ and ~ too). */
bool python_version_satisfies(unsigned minor, const char *constraint);
/* python_application.c. Sets the application where one is found. */
int python_find_application(struct python_project *project, struct error *error) MUST_CHECK;
/* Packages in src/, which is no package itself. */
bool python_has_src_layout(const struct python_project *project);
void python_application_release(struct python_application *application);
/* python_scan.c: what one module defines. `text` is changed: strings and comments are blanked. */
struct python_module {
    char *object;          /* the application object's name, or NULL */
    char *rival;           /* another that may be meant as well: neither is called app, application or api */
    char *factory;         /* the name of a function that makes one, or NULL */
    const char *framework; /* of either, or NULL: it is not told here */
    enum python_interface interface;
    struct text_list imports; /* full names: "fastapi", "src.settings"; relative ones are left out */
};
void python_scan_module(char *text, size_t length, struct python_module *module);
void python_module_release(struct python_module *module);
/* python_start.c: server, command and port. */
int python_find_start(struct python_project *project, struct error *error) MUST_CHECK;
/* python_failure.c: as plan_step.explain takes it. What is recognised: a package or version that does not exist,
 * requirements that contradict each other, a lock file or hash that does not fit, another Python than is asked for, an
 * index that cannot be reached or refuses, a compiler, header or library that the base does not have. */
void python_explain_failure(const char *printed, const char *base, const struct plan_step *step, struct error *error);
/* python_install.c: the step that installs dependencies; nothing when there are none. */
void python_plan_install(struct python_project *project, const struct text_list *all_files);
/* The step on top of it; nothing when there is nothing to install. */
void python_plan_development(struct python_project *project, const struct python_development *development);

/* The same in an image that is not ours: by its own pip; what other managers declare is left to the image. */
void python_plan_image_development(struct python_project *project, const struct python_development *development);

/* python_development.c: adds to the project's files and packages. */
int python_find_development(struct python_project *project, struct python_development *development,
                            struct error *error) MUST_CHECK;
void python_development_release(struct python_development *development);

#endif
