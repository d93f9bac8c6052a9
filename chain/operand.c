#include "chain/operand.h"

#include "chain/artifact.h"
#include "chain/inside.h"
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>
#include <sys/stat.h>

enum { REF_DIGEST = DIGEST_TEXT - 1 };

void operand_release(struct operand *operand) {
    tree_release(&operand->tree);
}

const struct tree_entry *operand_file(const struct operand *operand) {
    return &operand->tree.entries[0];
}

static bool is_reference(const char *text) {
    return *text == '{' || text_starts_with(text, "directory:") || text_starts_with(text, "container:") ||
           text_starts_with(text, "file:");
}

/* ---- refs ---- */

static void name_file(struct operand *operand, struct engine *engine, const struct artifact *file, const char *name) {
    uint64_t size = 0;
    AUTO_CLOSE int fd = store_open_object(engine->store, &file->digest, &size, NULL);
    operand->tree.entries = memory_allocate(1, sizeof(*operand->tree.entries));
    operand->tree.entries[operand->tree.count++] =
        (struct tree_entry){.path = text_copy(name ? name : "file"),
                            .type = json_get_bool(file->record, "executable", false) ? 'x' : 'f',
                            .digest = file->digest,
                            .size = size};
}

static int open_tree(struct engine *engine, const struct digest *digest, const char *inside, struct operand *operand,
                     struct error *error) {
    AUTO_TREE struct tree all = {0};
    if (tree_load(engine, digest, &all, error) < 0)
        return -1;
    const struct tree_entry *entry = *inside ? tree_find(&all, inside) : NULL;
    operand->is_directory = !*inside || (entry && entry->type == 'd');
    return tree_below(&all, inside, &operand->tree) ? 0 : error_set(error, ERROR_DATA, "it has no %s", inside);
}

static int open_container(struct engine *engine, const struct artifact *artifact, const char *inside,
                          struct operand *operand, struct error *error) {
    struct digest digest;
    AUTO_FREE char *path = text_format("/%s", inside);
    if (inside_container(engine, &artifact->container, path, &digest, &operand->is_directory, error) < 0)
        return -1;
    return tree_load(engine, &digest, &operand->tree, error);
}

/* "file:sha256:HEX/name" names the file. */
static int open_reference(struct engine *engine, const char *text, struct operand *operand, struct error *error) {
    AUTO_FREE char *line = text_copy(text), *inside = NULL;
    AUTO_ARTIFACT struct artifact artifact = {0};
    struct record record;
    const char *digest = *line == '{' ? NULL : strstr(line, ":sha256:");
    size_t end = digest ? (size_t)(digest - line) + 1 + REF_DIGEST : strlen(line);
    if (digest && strlen(line) > end && line[end] == '/') {
        if (chain_path_inside(line + end, &inside, error) < 0)
            return -1;
        line[end] = '\0';
    }
    if (record_parse(line, strcspn(line, "\n"), &record, error) < 0)
        return -1;
    int result = artifact_open(engine, &record, &artifact, error);
    record_release(&record);
    if (result < 0)
        return -1;
    if (artifact.type == RECORD_CONTAINER)
        return open_container(engine, &artifact, inside ? inside : "", operand, error);
    if (artifact.type == RECORD_DIRECTORY)
        return open_tree(engine, &artifact.digest, inside ? inside : "", operand, error);
    if (artifact.type != RECORD_FILE)
        return error_set(error, ERROR_DATA, "%s is neither a directory nor a file", line);
    name_file(operand, engine, &artifact, inside ? path_base(inside) : json_get_text(artifact.record, "name", NULL));
    return 0;
}

/* ---- paths ---- */

static int open_path(struct engine *engine, const char *path, const struct selection_options *options,
                     struct operand *operand, struct error *error) {
    struct stat status;
    if (stat(path, &status) < 0) {
        error_set_errno(error, errno, "cannot open %s", path);
        return error_next(error, "give a path, or a ref such as directory:sha256:… (ls %s)",
                          text_is_plain_word(path) ? path : ".");
    }
    operand->is_directory = S_ISDIR(status.st_mode);
    if (!operand->is_directory)
        return selection_file(engine, path, options, &operand->tree, error);
    AUTO_FREE char *full = path_resolve(path, error);
    return full ? selection_scan(engine, full, options, &operand->tree, error) : -1;
}

static int select_files(struct engine *engine, const struct selection_options *options, struct operand *operand,
                        struct error *error) {
    struct tree chosen;
    bool selects = (options->include && options->include->count) || (options->exclude && options->exclude->count) ||
                   options->gitignore;
    if (!operand->is_directory || !selects)
        return 0;
    if (selection_filter(engine, &operand->tree, options, &chosen, error) < 0)
        return -1;
    tree_release(&operand->tree);
    operand->tree = chosen;
    return 0;
}

int operand_open(struct engine *engine, const char *text, const struct selection_options *options,
                 struct operand *operand, struct error *error) {
    static const struct selection_options none;
    *operand = (struct operand){.shown = text};
    const struct selection_options *chosen = options ? options : &none;
    if (!is_reference(text))
        return open_path(engine, text, chosen, operand, error);
    if (open_reference(engine, text, operand, error) < 0 || select_files(engine, chosen, operand, error) < 0)
        return error_wrap(error, "%.120s", text);
    return 0;
}

static int wrong_kind(const char *text, bool directory, struct error *error) {
    error_set(error, ERROR_DATA, "%.120s is %s", text, directory ? "a file" : "a directory");
    return error_next(error,
                      directory ? "lay it with: pl-with file FILE PATH" : "lay it with: pl-with directory DIR PATH");
}

int operand_need(struct engine *engine, const char *text, const struct selection_options *options, bool directory,
                 struct operand *operand, struct error *error) {
    struct stat status;
    *operand = (struct operand){0};
    /* Not read to find that out. */
    if (!directory && !is_reference(text) && stat(text, &status) == 0 && S_ISDIR(status.st_mode))
        return wrong_kind(text, directory, error);
    if (operand_open(engine, text, options, operand, error) < 0)
        return -1;
    if (operand->is_directory == directory)
        return 0;
    operand_release(operand);
    *operand = (struct operand){0};
    return wrong_kind(text, directory, error);
}
