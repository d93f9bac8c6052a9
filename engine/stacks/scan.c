/* The source directory without what no image needs. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/credential_files.h"
#include "engine/ignore.h"
#include "engine/stacks/stack.h"

#include <string.h>

static const uint64_t BYTES_LIMIT = 4ULL << 30;

struct scan {
    struct ignore *ignore;
    const struct ignore *secrets; /* credentials that these patterns name are left out without a word; NULL: none are */
    struct credential_check check;
};

bool stack_leaves_out(const char *path, bool is_directory) {
    static const char *const directories[] = {
        ".git",        ".hg",  ".svn", ".venv",        "venv",  "__pycache__", ".pytest_cache", ".mypy_cache",
        ".ruff_cache", ".tox", ".nox", "node_modules", ".idea", ".vscode",     ".github",       ".eggs"};
    static const char *const files[] = {".DS_Store", ".gitignore", ".gitattributes", ".dockerignore",
                                        ".plignore", ".coverage",  "pl.lock"};
    const char *name = path_base(path);
    const char *const *list = is_directory ? directories : files;
    size_t count = is_directory ? ARRAY_LENGTH(directories) : ARRAY_LENGTH(files);
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, list[i]))
            return true;
    return is_directory ? text_ends_with(name, ".egg-info") : text_ends_with(name, ".pyc");
}

static bool belongs(void *context, const char *path, bool is_directory, bool *descend) {
    const struct scan *scan = context;
    return !stack_leaves_out(path, is_directory) && !ignore_matches(scan->ignore, path, is_directory ? descend : NULL);
}

/* A refused file is not read any further; the scan goes on, to name all of them at once. */
static enum tree_verdict inspect(void *context, const char *path) {
    struct scan *scan = context;
    if (scan->secrets && ignore_matches(scan->secrets, path, NULL) && credential_file_kind(scan->check.directory, path))
        return TREE_REFUSED;
    return credential_check_inspect(&scan->check, path);
}

/* A virtual environment under any name. */
static bool is_environment(const char *directory, const char *path) {
    AUTO_FREE char *mark = text_format("%s/%s/pyvenv.cfg", directory, path);
    return file_exists(mark);
}

static bool belongs_to_tests(void *context, const char *path, bool is_directory, bool *descend) {
    const struct scan *scan = context;
    return belongs(context, path, is_directory, descend) &&
           !(is_directory && is_environment(scan->check.directory, path));
}

static int load_patterns(const char *directory, const char *name, struct ignore *ignore, struct error *error) {
    AUTO_FREE char *path = path_join(directory, name);
    return ignore_load(ignore, path, error);
}

static int run_scan(struct engine *engine, struct scan *context, tree_filter *filter, struct tree *tree,
                    struct error *error) {
    struct tree_scan scan = {.directory = context->check.directory,
                             .filter = filter,
                             .context = context,
                             .inspect = inspect,
                             .inspect_context = context,
                             .rules = CREDENTIAL_RULES,
                             .follow_nothing_outside = true,
                             .file_limit = BYTES_LIMIT,
                             .byte_limit = BYTES_LIMIT};
    int result = tree_scan(engine, &scan, tree, error);
    if (result == 0 && credential_check_finish(&context->check, error) < 0) {
        tree_release(tree);
        result = -1;
    }
    credential_check_release(&context->check);
    return result;
}

int stack_scan(struct engine *engine, const char *directory, const struct text_list *allowed, struct tree *tree,
               struct error *error) {
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    if (load_patterns(directory, ".dockerignore", ignore, error) < 0 ||
        load_patterns(directory, ".plignore", ignore, error) < 0)
        return -1;
    struct scan context = {.ignore = ignore, .check = {.directory = directory, .allowed = allowed}};
    return run_scan(engine, &context, belongs, tree, error);
}

static bool is_of_stack(void *context, const struct tree_entry *entry) {
    for (const char *slash = strchr(entry->path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *above = text_copy_length(entry->path, (size_t)(slash - entry->path));
        bool descend = false;
        if (stack_leaves_out(above, true) || (ignore_matches(context, above, &descend) && !descend))
            return false;
    }
    return !stack_leaves_out(entry->path, entry->type == 'd') && !ignore_matches(context, entry->path, NULL);
}

int stack_select(const char *directory, const struct tree *context, struct tree *tree, struct error *error) {
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    if (load_patterns(directory, ".plignore", ignore, error) < 0)
        return -1;
    tree_select(context, is_of_stack, ignore, tree);
    return 0;
}

/* ---- for tests ---- */

/* As a walk from the top finds it: nothing is looked at below a directory that is left out for good. */
static bool is_in_image(void *context, const struct tree_entry *entry) {
    for (const char *slash = strchr(entry->path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *above = text_copy_length(entry->path, (size_t)(slash - entry->path));
        bool descend = false;
        if (ignore_matches(context, above, &descend) && !descend)
            return false;
    }
    return !ignore_matches(context, entry->path, NULL);
}

int stack_scan_tests(struct engine *engine, const char *directory, const struct text_list *allowed, struct tree *all,
                     struct tree *image, struct error *error) {
    AUTO_IGNORE struct ignore *ignore = ignore_new(), *left_out = ignore_new();
    if (load_patterns(directory, ".plignore", ignore, error) < 0 ||
        load_patterns(directory, ".dockerignore", left_out, error) < 0)
        return -1;
    struct scan context = {
        .ignore = ignore, .secrets = left_out, .check = {.directory = directory, .allowed = allowed}};
    if (run_scan(engine, &context, belongs_to_tests, all, error) < 0)
        return -1;
    tree_select(all, is_in_image, left_out, image);
    return 0;
}
