#include "chain/selection.h"

#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/credential_files.h"
#include "engine/stat_cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { GITIGNORE_LIMIT = 1024 * 1024, BLOCK = 64 * 1024 };
#define FILE_LIMIT (8ULL << 30)

struct selection {
    struct ignore *include, *exclude; /* include NULL: everything */
    struct gitignore *gitignore;      /* NULL: not asked for */
    const char *directory;            /* on the disk, or */
    struct engine *engine;            /* in the store: */
    const struct tree *tree;
    struct credential_check check;
    struct error error; /* of a .gitignore that cannot be read */
};

static void selection_release(struct selection *selection) {
    ignore_release(&selection->include);
    ignore_release(&selection->exclude);
    gitignore_release(&selection->gitignore);
    credential_check_release(&selection->check);
}

static int add_patterns(struct ignore **ignore, const struct text_list *patterns, struct error *error) {
    for (size_t i = 0; patterns && i < patterns->count; i++) {
        if (!*ignore)
            *ignore = ignore_new();
        if (ignore_add(*ignore, patterns->items[i], error) < 0)
            return -1;
    }
    return 0;
}

static int read_gitignore(struct selection *selection, const char *path, struct buffer *text, bool *found,
                          struct error *error) {
    *found = false;
    if (selection->directory) {
        AUTO_FREE char *full = path_join(selection->directory, path);
        struct stat status;
        return lstat(full, &status) < 0 || !S_ISREG(status.st_mode) ? 0 : file_read(full, text, found, error);
    }
    const struct tree_entry *entry = tree_find(selection->tree, path);
    *found = entry && (entry->type == 'f' || entry->type == 'x') && entry->size <= GITIGNORE_LIMIT;
    return *found ? store_read(selection->engine->store, &entry->digest, text, error) : 0;
}

static void load_gitignore(struct selection *selection, const char *folder) {
    AUTO_BUFFER struct buffer text = BUFFER(GITIGNORE_LIMIT);
    AUTO_FREE char *path = *folder ? path_join(folder, ".gitignore") : text_copy(".gitignore");
    bool found;
    if (!selection->gitignore || selection->error.kind != ERROR_NONE)
        return;
    if (read_gitignore(selection, path, &text, &found, &selection->error) == 0 && found)
        (void)!gitignore_add(selection->gitignore, folder, buffer_text(&text), &selection->error);
}

static int selection_open(struct selection *selection, const struct selection_options *options, struct error *error) {
    if (add_patterns(&selection->include, options->include, error) < 0 ||
        add_patterns(&selection->exclude, options->exclude, error) < 0)
        return error_wrap(error, "--include, --exclude");
    if (options->gitignore)
        selection->gitignore = gitignore_new();
    load_gitignore(selection, "");
    return 0;
}

/* Whether a pattern of --include names the path, or a directory above it. */
static bool is_included(const struct ignore *include, const char *path) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *folder = text_copy_length(path, (size_t)(slash - path));
        if (ignore_matches(include, folder, NULL))
            return true;
    }
    return ignore_matches(include, path, NULL);
}

/* A tree_filter. */
static bool belongs(void *context, const char *path, bool is_directory, bool *descend) {
    struct selection *selection = context;
    if (is_directory && text_equal(path_base(path), ".git"))
        return false;
    if (selection->gitignore && gitignore_matches(selection->gitignore, path, is_directory))
        return false;
    if (is_directory)
        load_gitignore(selection, path);
    if (selection->exclude && ignore_matches(selection->exclude, path, is_directory ? descend : NULL))
        return false;
    if (!selection->include || is_included(selection->include, path))
        return true;
    if (is_directory)
        *descend = true;
    return false;
}

static int check_credentials(const struct credential_check *check, struct error *error) {
    if (credential_check_finish(check, error) == 0)
        return 0;
    const char *path = check->paths.count ? check->paths.items[0] : "PATH";
    return error_next(error,
                      "leave it out with --exclude %s, or move it away; if it holds no secret, allow it: "
                      "--allow-file %s",
                      path, path);
}

static int finish(struct selection *selection, int result, struct tree *tree, struct error *error) {
    if (result == 0 && selection->error.kind != ERROR_NONE) {
        if (error)
            *error = selection->error;
        result = -1;
    }
    if (result == 0)
        result = check_credentials(&selection->check, error);
    if (result < 0)
        tree_release(tree);
    return result;
}

int selection_scan(struct engine *engine, const char *directory, const struct selection_options *options,
                   struct tree *tree, struct error *error) {
    AUTO(selection_release)
    struct selection selection = {.directory = directory,
                                  .check = {.directory = directory, .allowed = options->allowed_files}};
    struct tree_scan scan = {.directory = directory,
                             .filter = belongs,
                             .context = &selection,
                             .inspect = credential_check_inspect,
                             .inspect_context = &selection.check,
                             .rules = CREDENTIAL_RULES};
    *tree = (struct tree){0};
    if (selection_open(&selection, options, error) < 0)
        return -1;
    return finish(&selection, tree_scan(engine, &scan, tree, error), tree, error);
}

/* ---- in a tree ---- */

struct chosen {
    struct selection *selection;
    struct text_list left_out; /* directories that are not descended into, each with a slash */
};

static bool is_wanted(void *context, const struct tree_entry *entry) {
    struct chosen *chosen = context;
    for (size_t i = chosen->left_out.count; i-- > 0;)
        if (text_starts_with(entry->path, chosen->left_out.items[i]))
            return false;
    bool descend = false, is_directory = entry->type == 'd';
    if (belongs(chosen->selection, entry->path, is_directory, &descend))
        return true;
    if (is_directory && !descend)
        text_list_add_format(&chosen->left_out, "%s/", entry->path);
    return false;
}

int selection_filter(struct engine *engine, const struct tree *all, const struct selection_options *options,
                     struct tree *tree, struct error *error) {
    AUTO(selection_release) struct selection selection = {.engine = engine, .tree = all};
    struct chosen chosen = {.selection = &selection};
    *tree = (struct tree){0};
    if (selection_open(&selection, options, error) < 0)
        return -1;
    tree_select(all, is_wanted, &chosen, tree);
    text_list_release(&chosen.left_out);
    return finish(&selection, 0, tree, error);
}

/* ---- one file ---- */

static int put_file(struct engine *engine, int fd, const char *path, struct digest *digest, struct error *error) {
    AUTO_WRITER struct store_writer *writer = store_put_begin(engine->store, NULL, FILE_LIMIT, error);
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    if (!writer)
        return -1;
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;) {
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        if (store_put_write(writer, block, (size_t)got, error) < 0)
            return -1;
    }
    return store_put_commit(&writer, digest, NULL, error);
}

/* Unchanged since it was read last, it is not read again. */
static int take_file(struct engine *engine, const char *path, struct stat *status, struct digest *digest,
                     struct error *error) {
    AUTO_STAT_CACHE struct stat_cache *cache = stat_cache_load(engine->store, path);
    struct stat_cache_content content = {0};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, status) < 0)
        return error_set_errno(error, errno, "cannot read %s", path);
    if (!S_ISREG(status->st_mode))
        return error_set(error, ERROR_DATA, "%s is neither a file nor a directory", path);
    if (!stat_cache_find(cache, "", status, &content) || !store_has(engine->store, &content.digest)) {
        if (put_file(engine, fd, path, &content.digest, error) < 0)
            return -1;
        stat_cache_add(cache, "", status, &content, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
        stat_cache_keep(&cache);
    }
    *digest = content.digest;
    return 0;
}

int selection_file(struct engine *engine, const char *path, const struct selection_options *options, struct tree *tree,
                   struct error *error) {
    AUTO_FREE char *full = path_resolve(path, error), *folder = full ? text_copy(full) : NULL;
    struct stat status;
    *tree = (struct tree){0};
    if (!full)
        return -1;
    *strrchr(folder, '/') = '\0';
    AUTO(credential_check_release)
    struct credential_check check = {.directory = folder, .allowed = options->allowed_files};
    struct tree_entry entry = {.type = 'f'};
    if (!credential_check_file(&check, path_base(full)))
        return check_credentials(&check, error);
    if (take_file(engine, full, &status, &entry.digest, error) < 0)
        return -1;
    entry.path = text_copy(path_base(path));
    entry.type = status.st_mode & 0111 ? 'x' : 'f';
    entry.size = (uint64_t)status.st_size;
    tree->entries = memory_allocate(1, sizeof(*tree->entries));
    tree->entries[tree->count++] = entry;
    return 0;
}
