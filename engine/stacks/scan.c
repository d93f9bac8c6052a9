/* The source directory without what no image needs. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/credential_files.h"
#include "engine/ignore.h"
#include "engine/stacks/stack.h"

#include <string.h>

enum { FILES_LIMIT = 200000 };
static const uint64_t BYTES_LIMIT = 4ULL << 30;

struct scan {
    struct ignore *ignore;
    struct credential_check check;
};

bool stack_leaves_out(const char *path, bool is_directory) {
    static const char *const directories[] = {
        ".git",        ".hg",  ".svn", ".venv",        "venv",  "__pycache__", ".pytest_cache", ".mypy_cache",
        ".ruff_cache", ".tox", ".nox", "node_modules", ".idea", ".vscode",     ".github",       ".eggs"};
    static const char *const files[] = {".DS_Store",     ".gitignore", ".gitattributes",
                                        ".dockerignore", ".plignore",  ".coverage"};
    const char *name = path_base(path);
    const char *const *list = is_directory ? directories : files;
    size_t count = is_directory ? ARRAY_LENGTH(directories) : ARRAY_LENGTH(files);
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, list[i]))
            return true;
    return is_directory ? text_ends_with(name, ".egg-info") : text_ends_with(name, ".pyc");
}

static bool belongs(void *context, const char *path, bool is_directory, bool *descend) {
    struct scan *scan = context;
    if (stack_leaves_out(path, is_directory) || ignore_matches(scan->ignore, path, is_directory ? descend : NULL))
        return false;
    /* A refused file is not read any further; the scan goes on, to name all of them at once. */
    return is_directory || credential_check_file(&scan->check, path);
}

int stack_scan(struct engine *engine, const char *directory, const struct text_list *allowed, struct tree *tree,
               struct error *error) {
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    static const char *const files[] = {".dockerignore", ".plignore"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        AUTO_FREE char *path = path_join(directory, files[i]);
        if (ignore_load(ignore, path, error) < 0)
            return -1;
    }
    struct scan context = {.ignore = ignore, .check = {.directory = directory, .allowed = allowed}};
    struct tree_scan scan = {.directory = directory,
                             .filter = belongs,
                             .context = &context,
                             .follow_nothing_outside = true,
                             .file_limit = FILES_LIMIT,
                             .byte_limit = BYTES_LIMIT};
    int result = tree_scan(engine, &scan, tree, error);
    if (result == 0 && credential_check_finish(&context.check, error) < 0) {
        tree_release(tree);
        result = -1;
    }
    credential_check_release(&context.check);
    return result;
}
