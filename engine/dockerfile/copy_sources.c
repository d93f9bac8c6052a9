/* The files that COPY and ADD name: in the build context, in another stage or image, in here-documents. */
#include "common/file/file.h"
#include "engine/dockerfile/builder.h"

#include <string.h>

enum { LINK_LIMIT = 40 };

/* ---- the resulting tree ---- */

static void put(struct copying *copying, const char *path, const struct tree_entry *like) {
    struct tree *tree = &copying->result;
    if (tree->count == copying->capacity) {
        copying->capacity = copying->capacity ? copying->capacity * 2 : 64;
        tree->entries = memory_resize(tree->entries, copying->capacity, sizeof(*tree->entries));
    }
    struct tree_entry *entry = &tree->entries[tree->count++];
    *entry = *like;
    entry->path = text_copy(path);
    entry->target = text_copy(like->target);
}

/* Everything below the directory `prefix` ("" is all). */
static void put_content(struct copying *copying, const struct tree *tree, const char *prefix) {
    size_t length = strlen(prefix);
    copying->into_directory = true;
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->entries[i].path;
        if (length == 0)
            put(copying, path, &tree->entries[i]);
        else if (strncmp(path, prefix, length) == 0 && path[length] == '/')
            put(copying, path + length + 1, &tree->entries[i]);
    }
}

static void put_file(struct copying *copying, const char *name, const struct tree_entry *file) {
    copying->files++;
    put(copying, name, file);
}

static int compare_entries(const void *left, const void *right, void *context) {
    const struct tree_entry *entries = context;
    size_t one = *(const size_t *)left, other = *(const size_t *)right;
    int order = strcmp(entries[one].path, entries[other].path);
    return order ? order : one < other ? -1 : 1;
}

void copying_sort(struct copying *copying) {
    struct tree *tree = &copying->result;
    if (tree->count == 0)
        return;
    AUTO_FREE size_t *order = memory_allocate(tree->count, sizeof(*order));
    struct tree_entry *sorted = memory_allocate(tree->count, sizeof(*sorted));
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++)
        order[i] = i;
    qsort_r(order, tree->count, sizeof(*order), compare_entries, tree->entries);
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[order[i]];
        if (kept && text_equal(sorted[kept - 1].path, entry->path)) {
            free(sorted[--kept].path);
            free(sorted[kept].target);
        }
        sorted[kept++] = *entry;
    }
    free(tree->entries);
    tree->entries = sorted;
    tree->count = copying->capacity = kept;
}

/* ---- the build context ---- */

/* "./a//b/" is "a/b"; what leaves the context is refused. The caller frees. */
static int clean_source(const struct copying *copying, const char *source, char **clean, struct error *error) {
    AUTO_LIST struct text_list parts = {0};
    struct buffer out = BUFFER(65536);
    text_list_split(&parts, source, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, "..") && out.length > 0) {
            const char *slash = strrchr(out.data, '/');
            out.length = slash ? (size_t)(slash - out.data) : 0;
            out.data[out.length] = '\0';
        } else if (text_equal(part, "..")) {
            buffer_release(&out);
            return instruction_error(copying->state, error, "%s leaves the build context", source);
        } else if (*part && !text_equal(part, ".")) {
            buffer_append_format(&out, "%s%s", out.length ? "/" : "", part);
        }
    }
    *clean = buffer_take(&out);
    return 0;
}

/* The entry that a path leads to when links are followed, inside of the context as if that were the root. NULL without
 * *error: there is none. */
static const struct tree_entry *follow(const struct copying *copying, const struct tree *tree, const char *source,
                                       struct error *error) {
    AUTO_FREE char *path = text_copy(source);
    for (unsigned links = 0; links < LINK_LIMIT; links++) {
        const struct tree_entry *link = NULL;
        size_t end = 0;
        for (bool more = true; more && !link; end += more) {
            end += strcspn(path + end, "/");
            more = path[end] == '/';
            AUTO_FREE char *prefix = text_copy_length(path, end);
            const struct tree_entry *entry = tree_find(tree, prefix);
            link = entry && entry->type == 'l' ? entry : NULL;
            if (!more && !link)
                return entry;
        }
        size_t length = (size_t)(path_base(link->path) - link->path);
        AUTO_FREE char *folder = text_copy_length(link->path, *link->target == '/' ? 0 : length);
        AUTO_FREE char *next = text_format("%s%s/%s", folder, link->target, path + strlen(link->path));
        free(path);
        path = NULL;
        if (clean_source(copying, next, &path, error) < 0) {
            instruction_error(copying->state, error, "%s is a symbolic link to %s, outside of the build context",
                              link->path, link->target);
            return NULL;
        }
        if (!*path)
            break;
    }
    instruction_error(copying->state, error, "%s leads through too many symbolic links", source);
    return NULL;
}

static int put_archive(struct copying *copying, const struct tree_entry *file, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if (archive_content(copying->state->builder->engine, file, &tree, error) < 0)
        return instruction_wrap(copying->state, error);
    put_content(copying, &tree, "");
    return 0;
}

/* `shown` is the name it was found by, which may be that of a link to it. */
static int put_entry(struct copying *copying, const struct tree *tree, const struct tree_entry *entry,
                     const char *shown, struct error *error) {
    bool is_archive = false;
    if (entry->type == 'd') {
        put_content(copying, tree, entry->path);
        return 0;
    }
    if (text_equal(copying->state->instruction->name, "ADD") && !copying->has_from &&
        archive_detect(copying->state->builder->engine, entry, &is_archive, error) < 0)
        return instruction_wrap(copying->state, error);
    if (is_archive)
        return put_archive(copying, entry, error);
    put_file(copying, path_base(shown), entry);
    return 0;
}

static int nothing_found(const struct copying *copying, const char *shown, struct error *error) {
    instruction_error(copying->state, error, "there is no %s", shown);
    return copying->has_from ? -1
                             : error_next(error, "look at the path and at .dockerignore: both decide what is seen");
}

static int put_match(struct copying *copying, const struct tree *tree, const char *path, const char *shown,
                     struct error *error) {
    struct error failure = {0};
    const struct tree_entry *entry = follow(copying, tree, path, &failure);
    if (!entry && failure.kind != ERROR_NONE) {
        *error = failure;
        return -1;
    }
    return entry ? put_entry(copying, tree, entry, path, error) : nothing_found(copying, shown, error);
}

/* A pattern, or "" for all. */
static int put_matches(struct copying *copying, const struct tree *tree, const char *pattern, const char *shown,
                       struct error *error) {
    if (!*pattern) {
        put_content(copying, tree, "");
        return 0;
    }
    if (!glob_has_wildcard(pattern))
        return put_match(copying, tree, pattern, shown, error);
    size_t matches = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if (!glob_matches(pattern, tree->entries[i].path))
            continue;
        matches++;
        if (put_match(copying, tree, tree->entries[i].path, shown, error) < 0)
            return -1;
    }
    return matches > 0 ? 0 : nothing_found(copying, shown, error);
}

/* Whether a pattern takes a path: itself, or a directory that it lies in. */
static bool takes(void *pattern, const char *path) {
    if (!*(const char *)pattern)
        return true;
    AUTO_FREE char *part = text_copy(path);
    for (char *slash; !glob_matches(pattern, part); *slash = '\0')
        if (!(slash = strrchr(part, '/')))
            return false;
    return true;
}

static int put_from_context(struct copying *copying, const char *source, struct error *error) {
    AUTO_FREE char *clean = NULL;
    const struct tree *context;
    if (text_equal(copying->state->instruction->name, "ADD") &&
        (strstr(source, "://") || text_starts_with(source, "git@")))
        return instruction_error(copying->state, error,
                                 "ADD of a URL is not supported: download it in a RUN step and check its digest");
    if (clean_source(copying, source, &clean, error) < 0 ||
        builder_context(copying->state->builder, &context, error) < 0)
        return -1;
    const struct credential_check *credentials = copying->state->builder->build->credentials;
    if (credentials && credential_check_selected(credentials, takes, clean, error) < 0)
        return -1;
    return put_matches(copying, context, clean, source, error);
}

/* ---- another stage or image ---- */

/* With wildcards the directory above the first of them is looked into. */
static int put_from_container(struct copying *copying, const char *source, struct error *error) {
    struct engine *engine = copying->state->builder->engine;
    AUTO_FREE char *clean = NULL, *folder = NULL;
    AUTO_TREE struct tree tree = {0};
    struct digest digest;
    bool is_directory;
    if (clean_source(copying, source, &clean, error) < 0)
        return -1;
    folder = text_format("/%s", clean);
    const char *pattern = "";
    if (glob_has_wildcard(clean)) {
        size_t cut = strcspn(folder, "*?[");
        while (cut > 0 && folder[cut] != '/')
            cut--;
        pattern = clean + cut;
        folder[cut ? cut : 1] = '\0';
    }
    if (step_extract(engine, &copying->from, folder, &digest, &is_directory, error) < 0)
        return instruction_wrap(copying->state, error);
    if (tree_load(engine, &digest, &tree, error) < 0)
        return -1;
    if (*pattern || is_directory)
        return put_matches(copying, &tree, pattern, source, error);
    put_file(copying, path_base(clean), &tree.entries[0]);
    return 0;
}

/* ---- here-documents ---- */

static int put_heredoc(struct copying *copying, const struct heredoc *heredoc, struct error *error) {
    struct engine *engine = copying->state->builder->engine;
    const struct build_state *state = copying->state;
    AUTO_FREE char *content = heredoc->expands ? variables_expand(heredoc->content, state->builder->file.escape, false,
                                                                  &state->environment, &state->arguments, error)
                                               : text_copy(heredoc->content);
    struct tree_entry file = {.path = heredoc->name, .type = 'f'};
    if (!content)
        return -1;
    file.size = strlen(content);
    if (store_put(engine->store, content, file.size, &file.digest, error) < 0)
        return -1;
    put_file(copying, file.path, &file);
    return 0;
}

int copying_add(struct copying *copying, const char *source, struct error *error) {
    const struct instruction *instruction = copying->state->instruction;
    if (text_starts_with(source, "<<") && !instruction->is_json) {
        const char *name = source + 2 + strspn(source + 2, "-\"'");
        for (size_t i = 0; i < instruction->heredoc_count; i++)
            if (strncmp(instruction->heredocs[i].name, name, strlen(instruction->heredocs[i].name)) == 0)
                return put_heredoc(copying, &instruction->heredocs[i], error);
    }
    return copying->has_from ? put_from_container(copying, source, error) : put_from_context(copying, source, error);
}
