/* Where the application object is. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <ctype.h>
#include <string.h>

enum { CANDIDATE_LIMIT = 300, DEPTH_LIMIT = 5, BYTES_LIMIT = 8 << 20 };

/* A module's rank: lower is looked at first, and the first application found is taken. A factory counts as FACTORY_RANK
 * worse than an object, so that app/__init__.py's create_app loses to wsgi.py's app = create_app(). */
enum { DEPTH_RANK = 100, DIRECTORY_RANK = 40, OTHER_NAME_RANK = 50, FACTORY_RANK = 160 };

struct candidate {
    const char *path;
    unsigned rank;
};

struct search {
    struct python_project *project;
    struct candidate *candidates;
    size_t count;
    unsigned best_rank;
    size_t modules; /* that were read */
    char *rival;    /* "other/main.py (app)", found at the same rank */
};

static void search_release(struct search *search) {
    free(search->candidates);
    free(search->rival);
}

static bool one_of(const char *text, size_t length, const char *const *list, size_t count, unsigned *position) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == length && memcmp(list[i], text, length) == 0) {
            *position = (unsigned)i;
            return true;
        }
    }
    return false;
}

/* Directories whose modules are no service. */
static bool is_aside(const char *name, size_t length) {
    static const char *const aside[] = {"tests",      "test",       "testing", "docs",    "doc",      "examples",
                                        "example",    "migrations", "alembic", "scripts", "tools",    "benchmark",
                                        "benchmarks", "build",      "dist",    "vendor",  "notebooks"};
    unsigned position;
    return length == 0 || *name == '.' || one_of(name, length, aside, ARRAY_LENGTH(aside), &position);
}

static bool is_identifier(const char *text, size_t length) {
    if (length == 0 || isdigit((unsigned char)*text))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

/* False when the path can be no application module. */
static bool rank_path(const char *path, unsigned *rank) {
    static const char *const names[] = {"main", "app",     "asgi", "wsgi",     "server",   "application",
                                        "api",  "service", "run",  "__init__", "__main__", "index"};
    static const char *const directories[] = {"src", "app", "api", "backend", "server", "service", "web"};
    unsigned depth = 0, position;
    *rank = 0;
    for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        size_t length = (size_t)(slash - path);
        if (++depth > DEPTH_LIMIT || is_aside(path, length))
            return false;
        *rank += DEPTH_RANK;
        *rank += one_of(path, length, directories, ARRAY_LENGTH(directories), &position) ? position : DIRECTORY_RANK;
    }
    if (!text_ends_with(path, ".py") || text_starts_with(path, "test_") || text_ends_with(path, "_test.py"))
        return false;
    size_t length = strlen(path) - 3;
    if (!is_identifier(path, length) || text_equal(path, "conftest.py") || text_equal(path, "setup.py"))
        return false;
    *rank += one_of(path, length, names, ARRAY_LENGTH(names), &position) ? position : OTHER_NAME_RANK;
    return true;
}

static int compare_candidates(const void *left, const void *right) {
    const struct candidate *a = left, *b = right;
    return a->rank != b->rank ? (a->rank < b->rank ? -1 : 1) : strcmp(a->path, b->path);
}

static void list_candidates(struct search *search) {
    const struct tree *tree = search->project->source->tree;
    search->candidates = memory_allocate(tree->count + 1, sizeof(*search->candidates));
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        struct candidate candidate = {.path = entry->path};
        if ((entry->type == 'f' || entry->type == 'x') && rank_path(entry->path, &candidate.rank))
            search->candidates[search->count++] = candidate;
    }
    qsort(search->candidates, search->count, sizeof(*search->candidates), compare_candidates);
}

/* ---- the module's name ---- */

/* "app/main.py" → "app.main", "app/__init__.py" → "app". The caller frees; NULL when it has no name. */
static char *module_name(const char *path) {
    char *name = text_copy_length(path, strlen(path) - 3);
    if (text_ends_with(name, "/__init__"))
        name[strlen(name) - strlen("/__init__")] = '\0';
    for (char *p = name; *p; p++)
        *p = *p == '/' ? '.' : *p;
    return name;
}

static bool has_in(const struct python_project *project, const char *directory, const char *name, const char *ending) {
    AUTO_FREE char *path = text_format("%s/%s%s", directory, name, ending);
    return python_has(project, path);
}

/* Whether the module takes others of its directory by their bare names: it is meant to be run from there. Never so when
 * it also names its own package. */
static bool imports_siblings(const struct python_project *project, const char *directory,
                             const struct python_module *module) {
    AUTO_FREE char *package = text_copy(directory);
    for (char *p = package; *p; p++)
        *p = *p == '/' ? '.' : *p;
    AUTO_FREE char *prefix = text_format("%s.", package);
    bool siblings = false;
    for (size_t i = 0; i < module->imports.count; i++) {
        const char *import = module->imports.items[i];
        if (text_equal(import, package) || text_starts_with(import, prefix))
            return false;
        AUTO_FREE char *first = text_copy_length(import, strcspn(import, "."));
        bool at_top = python_has(project, first);
        siblings = siblings || (!at_top && (has_in(project, directory, first, ".py") ||
                                            has_in(project, directory, first, "/__init__.py")));
    }
    return siblings;
}

static bool names_src(const struct python_module *module) {
    for (size_t i = 0; i < module->imports.count; i++)
        if (text_equal(module->imports.items[i], "src") || text_starts_with(module->imports.items[i], "src."))
            return true;
    return false;
}

bool python_has_src_layout(const struct python_project *project) {
    return tree_find(project->source->tree, "src") && !python_has(project, "src/__init__.py");
}

/* Decides what the module is relative to, and with it its name. */
static void name_module(struct search *search, const char *path, const struct python_module *module, const char *name) {
    struct python_project *project = search->project;
    struct python_application *application = &project->application;
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = slash ? text_copy_length(path, (size_t)(slash - path)) : text_copy("");
    size_t skipped = 0;
    if (*directory && !text_ends_with(path, "/__init__.py") && imports_siblings(project, directory, module))
        skipped = strlen(directory) + 1;
    else
        /* "backend-service/app/main.py": what is no identifier cannot be part of a module's name */
        for (const char *p = path, *next; (next = strchr(p, '/')) != NULL; p = next + 1)
            if (!is_identifier(p, (size_t)(next - p)))
                skipped = (size_t)(next - path) + 1;
    python_application_release(application);
    application->add_src = python_has_src_layout(project);
    bool below_src = skipped == 0 && application->add_src && text_starts_with(path, "src/") && strchr(path + 4, '/');
    application->directory = text_copy_length(path, skipped > 0 ? skipped - 1 : 0);
    AUTO_FREE char *dotted = module_name(path + (below_src && !names_src(module) ? strlen("src/") : skipped));
    application->object = text_format("%s:%s", dotted, name);
    application->file = text_copy(path);
    application->framework = module->framework;
    application->interface = module->interface;
}

/* ---- the search ---- */

/* Where a module does not tell its framework itself (app = create_app() of another module). */
static void guess_framework(const struct python_project *project, struct python_module *module) {
    static const struct {
        const char *package, *framework;
        enum python_interface interface;
    } known[] = {{"fastapi", "FastAPI", PYTHON_ASGI}, {"litestar", "Litestar", PYTHON_ASGI},
                 {"quart", "Quart", PYTHON_ASGI},     {"flask", "Flask", PYTHON_WSGI},
                 {"django", "Django", PYTHON_WSGI},   {"starlette", "Starlette", PYTHON_ASGI},
                 {"bottle", "Bottle", PYTHON_WSGI}};
    for (size_t i = 0; i < ARRAY_LENGTH(known) && !module->framework; i++) {
        if (python_declares(project, known[i].package)) {
            module->framework = known[i].framework;
            module->interface = known[i].interface;
        }
    }
}

/* Django has both interfaces; the one that the declared server speaks is taken, WSGI when none is declared. */
static bool is_unwanted_django(const struct python_project *project, const struct python_module *module) {
    if (!text_equal(module->framework, "Django") || !module->object)
        return false;
    bool asgi = !python_declares(project, "gunicorn") &&
                (python_declares(project, "uvicorn") || python_declares(project, "hypercorn"));
    return (module->interface == PYTHON_ASGI) != asgi;
}

static void consider(struct search *search, const struct candidate *candidate, struct python_module *module) {
    struct python_project *project = search->project;
    if (!module->object && !module->factory)
        return;
    guess_framework(project, module);
    if (!module->framework)
        return;
    bool is_factory = !module->object;
    unsigned rank =
        candidate->rank + (is_factory ? FACTORY_RANK : 0) + (is_unwanted_django(project, module) ? DEPTH_RANK : 0);
    const char *name = is_factory ? module->factory : module->object;
    if (rank == search->best_rank && !search->rival)
        search->rival = text_format("%s in %s", name, candidate->path);
    if (rank >= search->best_rank)
        return;
    search->best_rank = rank;
    free(take_pointer(&search->rival));
    if (module->rival && !is_factory)
        search->rival = text_format("%s in %s", module->rival, candidate->path);
    name_module(search, candidate->path, module, name);
    project->application.is_factory = is_factory;
}

static int search_modules(struct search *search, struct error *error) {
    size_t bytes = 0;
    for (size_t i = 0; i < search->count && i < CANDIDATE_LIMIT && bytes < BYTES_LIMIT; i++) {
        const struct candidate *candidate = &search->candidates[i];
        if (candidate->rank > search->best_rank)
            return 0;
        const struct tree_entry *entry = tree_find(search->project->source->tree, candidate->path);
        if (!entry || entry->size > STACK_FILE_LIMIT)
            continue;
        AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
        bool found;
        if (python_read(search->project, candidate->path, &text, &found, error) < 0)
            return -1;
        if (!found || text.length == 0)
            continue;
        bytes += text.length;
        search->modules++;
        AUTO(python_module_release) struct python_module module;
        python_scan_module(text.data, text.length, &module);
        consider(search, candidate, &module);
    }
    return 0;
}

/* A program without a framework: it is run as it is. */
static void find_script(struct python_project *project) {
    static const char *const scripts[] = {"main.py",  "app.py",      "server.py",  "run.py",
                                          "start.py", "__main__.py", "src/main.py"};
    for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
        if (!python_has(project, scripts[i]))
            continue;
        project->application.object = text_copy(scripts[i]);
        project->application.file = text_copy(scripts[i]);
        project->application.directory = text_copy("");
        project->application.add_src = python_has_src_layout(project);
        project->application.interface = PYTHON_SCRIPT;
        plan_note(project->plan, "found no application object: %s is run as it is and must listen on $PORT",
                  scripts[i]);
        return;
    }
}

/* "app" of pl.json: "src.main:app" or "src.main:create_app()". */
static int take_setting(struct python_project *project, const char *object, struct error *error) {
    size_t length = strlen(object);
    bool is_factory = text_ends_with(object, "()");
    const char *colon = strchr(object, ':');
    if (!colon || colon == object ||
        strspn(object, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:") <
            length - (is_factory ? 2 : 0))
        return error_set(error, ERROR_DATA, "pl.json: \"app\" must be MODULE:OBJECT, such as src.main:app");
    struct python_application *application = &project->application;
    application->object = text_copy_length(object, length - (is_factory ? 2 : 0));
    application->is_factory = is_factory;
    application->directory = text_copy("");
    application->add_src = python_has_src_layout(project);
    struct python_module module = {0};
    guess_framework(project, &module);
    application->framework = module.framework;
    application->interface = module.framework ? module.interface : PYTHON_ASGI;
    plan_note(project->plan, "found %s in pl.json", object);
    return 0;
}

int python_find_application(struct python_project *project, struct error *error) {
    const char *setting = json_get_text(project->settings, "app", NULL);
    if (setting)
        return take_setting(project, setting, error);
    AUTO(search_release) struct search search = {.project = project, .best_rank = UINT32_MAX};
    list_candidates(&search);
    if (search_modules(&search, error) < 0)
        return -1;
    struct python_application *application = &project->application;
    application->modules = search.modules;
    if (!application->object) {
        find_script(project);
        return 0;
    }
    const char *name = strchr(application->object, ':') + 1;
    if (search.rival) {
        error_set(error, ERROR_DATA, "found two applications and cannot tell which one is meant: %s in %s and %s", name,
                  application->file, search.rival);
        return error_next(error, "write into pl.json: {\"build\": {\"app\": \"%s\"}}, or into a Procfile: web: COMMAND",
                          application->object);
    }
    if (application->is_factory)
        plan_note(project->plan, "found %s() for %s in %s: %s", name, application->framework, application->file,
                  application->object);
    else
        plan_note(project->plan, "found %s = %s(...) in %s: %s", name, application->framework, application->file,
                  application->object);
    if (*application->directory)
        plan_note(project->plan, "%s is run from %s/", application->file, application->directory);
    return 0;
}

void python_application_release(struct python_application *application) {
    free(application->object);
    free(application->file);
    free(application->directory);
    *application = (struct python_application){0};
}
