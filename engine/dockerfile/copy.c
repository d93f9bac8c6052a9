/* COPY and ADD: choosing files of the build context, of another stage or of here-documents, and where they go. */
#include "common/file/file.h"
#include "engine/dockerfile/builder.h"
#include "engine/dockerfile/owner.h"

#include <fcntl.h>
#include <string.h>

struct copying {
    struct build_state *state;
    struct container from; /* of --from */
    bool has_from;
    char *destination;   /* absolute, without a trailing slash (but "/") */
    bool into_directory; /* files keep their names below the destination */
    struct tree result;  /* relative to the destination, or to its parent when a single file gets a new name */
    size_t capacity;
    char *new_name;
};

static void copying_release(struct copying *copying) {
    if (copying->has_from)
        container_release(&copying->from);
    free(copying->destination);
    free(copying->new_name);
    tree_release(&copying->result);
}

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
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->entries[i].path;
        if (length == 0)
            put(copying, path, &tree->entries[i]);
        else if (strncmp(path, prefix, length) == 0 && path[length] == '/')
            put(copying, path + length + 1, &tree->entries[i]);
    }
}

static void put_file(struct copying *copying, const struct tree_entry *file) {
    if (copying->into_directory) {
        put(copying, path_base(file->path), file);
        return;
    }
    free(copying->new_name);
    copying->new_name = text_copy(path_base(copying->destination));
    put(copying, copying->new_name, file);
}

static int compare_entries(const void *left, const void *right, void *context) {
    const struct tree_entry *entries = context;
    size_t one = *(const size_t *)left, other = *(const size_t *)right;
    int order = strcmp(entries[one].path, entries[other].path);
    return order ? order : one < other ? -1 : 1;
}

/* Sorts by path; of several entries of one path the one that came last stays. */
static void sort_result(struct copying *copying) {
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

/* ---- sources ---- */

/* "./a//b/" is "a/b"; what leaves the context is refused. */
static int clean_source(const struct copying *copying, const char *source, char **clean, struct error *error) {
    AUTO_LIST struct text_list parts = {0};
    struct buffer out = BUFFER(65536);
    text_list_split(&parts, source, '/');
    for (size_t i = 0; i < parts.count; i++) {
        if (text_equal(parts.items[i], "..")) {
            buffer_release(&out);
            return instruction_error(copying->state, error, "%s leaves the build context", source);
        }
        if (*parts.items[i] && !text_equal(parts.items[i], "."))
            buffer_append_format(&out, "%s%s", out.length ? "/" : "", parts.items[i]);
    }
    *clean = buffer_take(&out);
    return 0;
}

static bool is_archive(const struct copying *copying, const struct tree_entry *file) {
    if (!text_equal(copying->state->instruction->name, "ADD") || file->type == 'd' || file->type == 'l')
        return false;
    unsigned char start[512] = {0};
    uint64_t size;
    AUTO_CLOSE int fd = store_open_object(copying->state->builder->engine->store, &file->digest, &size, NULL);
    if (fd < 0 || read(fd, start, sizeof(start)) < 262)
        return false;
    return memcmp(start + 257, "ustar", 5) == 0 || memcmp(start, "\x1f\x8b", 2) == 0 ||
           memcmp(start, "\x28\xb5\x2f\xfd", 4) == 0;
}

static ssize_t read_object(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    return got < 0 ? error_set_errno(error, errno, "cannot read from the store") : got;
}

static int unpack_archive(struct engine *engine, const struct tree_entry *file, const char *folder, struct tree *tree,
                          struct error *error) {
    uint64_t size, skipped = 0;
    AUTO_CLOSE int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = store_open_object(engine->store, &file->digest, &size, error);
    if (fd < 0 || root < 0)
        return -1;
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(read_object, &fd, 20ULL << 30);
    struct unpack options = {.whiteouts = WHITEOUTS_NONE, .skipped_devices = &skipped};
    if (tar_unpack(decompressor_read, plain, root, &options, error) < 0)
        return error_wrap(error, "%s", file->path);
    struct tree_scan scan = {.directory = folder, .is_temporary = true};
    return tree_scan(engine, &scan, tree, error);
}

/* ADD takes a local tar archive apart. */
static int put_archive(struct copying *copying, const struct tree_entry *file, struct error *error) {
    struct engine *engine = copying->state->builder->engine;
    AUTO_FREE char *folder = NULL;
    AUTO_TREE struct tree tree = {0};
    if (store_scratch(engine->store, &folder, error) < 0)
        return -1;
    int result = unpack_archive(engine, file, folder, &tree, error);
    store_scratch_remove(engine->store, folder);
    if (result == 0)
        put_content(copying, &tree, "");
    return result;
}

static int put_match(struct copying *copying, const struct tree *tree, const struct tree_entry *entry,
                     struct error *error) {
    if (is_archive(copying, entry)) {
        copying->into_directory = true;
        return put_archive(copying, entry, error);
    }
    if (entry->type == 'd') {
        copying->into_directory = true;
        put_content(copying, tree, entry->path);
    } else {
        put_file(copying, entry);
    }
    return 0;
}

static int put_matches(struct copying *copying, const struct tree *tree, const char *pattern, const char *shown,
                       struct error *error) {
    if (!*pattern) {
        copying->into_directory = true;
        put_content(copying, tree, "");
        return 0;
    }
    size_t matches = 0;
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->entries[i].path;
        if (!text_equal(path, pattern) && !(glob_has_wildcard(pattern) && glob_matches(pattern, path)))
            continue;
        matches++;
        if (put_match(copying, tree, &tree->entries[i], error) < 0)
            return -1;
    }
    if (matches > 0)
        return 0;
    instruction_error(copying->state, error, "there is no %s", shown);
    return copying->has_from ? -1
                             : error_next(error, "look at the path and at .dockerignore: both decide what is seen");
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
    return put_matches(copying, context, clean, source, error);
}

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
    put_file(copying, &tree.entries[0]);
    return 0;
}

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
    put_file(copying, &file);
    return 0;
}

static int put_source(struct copying *copying, const char *source, struct error *error) {
    const struct instruction *instruction = copying->state->instruction;
    if (text_starts_with(source, "<<") && !instruction->is_json) {
        const char *name = source + 2 + strspn(source + 2, "-\"'");
        for (size_t i = 0; i < instruction->heredoc_count; i++)
            if (strncmp(instruction->heredocs[i].name, name, strlen(instruction->heredocs[i].name)) == 0)
                return put_heredoc(copying, &instruction->heredocs[i], error);
    }
    return copying->has_from ? put_from_container(copying, source, error) : put_from_context(copying, source, error);
}

/* ---- the destination ---- */

/* Without a look at the base: directories that every base has, and those that this file has made. */
static bool is_known_directory(const struct build_state *state, const char *path) {
    static const char *const usual[] = {
        "/",        "/bin",     "/boot", "/dev",       "/etc",           "/home",     "/lib",       "/media",  "/mnt",
        "/opt",     "/proc",    "/root", "/run",       "/sbin",          "/srv",      "/sys",       "/tmp",    "/usr",
        "/usr/bin", "/usr/lib", "/var",  "/usr/local", "/usr/local/bin", "/usr/sbin", "/usr/share", "/var/lib"};
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
        if (text_equal(path, usual[i]))
            return true;
    return text_equal(path, state->directory) || text_list_contains(&state->known_directories, path);
}

static void set_destination(struct copying *copying, const char *destination, size_t sources) {
    struct build_state *state = copying->state;
    AUTO_FREE char *path = instruction_path(state, destination);
    size_t length = strlen(path);
    bool slash = text_ends_with(destination, "/") || text_equal(destination, ".") || text_ends_with(destination, "/.");
    while (length > 1 && (path[length - 1] == '/' || (path[length - 1] == '.' && path[length - 2] == '/')))
        path[--length] = '\0';
    copying->destination = text_copy(path);
    copying->into_directory = slash || sources > 1 || is_known_directory(state, path);
}

static int set_from(struct copying *copying, struct error *error) {
    AUTO_FREE char *from = NULL;
    if (instruction_flag(copying->state, "from", &from, error) < 0)
        return -1;
    if (!from)
        return 0;
    if (builder_container(copying->state->builder, from, &copying->from, error) < 0)
        return -1;
    copying->has_from = true;
    return 0;
}

static int set_mode(const struct build_state *state, struct layer_content *content, struct error *error) {
    AUTO_FREE char *mode = NULL;
    content->mode = -1;
    if (instruction_flag(state, "chmod", &mode, error) < 0)
        return -1;
    if (!mode)
        return 0;
    char *end;
    long value = strtol(mode, &end, 8);
    if (*end || end == mode || value < 0 || value > 07777)
        return instruction_error(state, error, "--chmod=%s: only an octal mode such as 0755 is supported", mode);
    content->mode = (int)value;
    return 0;
}

static int set_owner(const struct build_state *state, struct layer_content *content, struct error *error) {
    AUTO_FREE char *owner = NULL;
    if (instruction_flag(state, "chown", &owner, error) < 0)
        return -1;
    return owner ? owner_resolve(state, owner, &content->uid, &content->gid, error) : 0;
}

/* ---- all together ---- */

static int lay(struct copying *copying, const struct text_list *words, struct error *error) {
    struct build_state *state = copying->state;
    struct engine *engine = state->builder->engine;
    AUTO_FREE char *title = instruction_title(state), *parent = NULL, *name = NULL;
    struct step_copy copy = {.name = title, .created_by = title};
    struct container output;
    if (set_mode(state, &copy.content, error) < 0 || set_owner(state, &copy.content, error) < 0)
        return -1;
    sort_result(copying);
    if (tree_store(engine, &copying->result, &copy.content.tree, error) < 0)
        return -1;
    copy.content.destination = copying->destination;
    if (copying->new_name) {
        size_t length = (size_t)(path_base(copying->destination) - copying->destination);
        parent = text_copy_length(copying->destination, length > 1 ? length - 1 : length);
        copy.content.destination = parent;
    }
    text_list_add(&state->known_directories, copy.content.destination);
    name = text_copy(words->items[0]);
    copy.input_name = name;
    if (step_copy(engine, &state->container, &copy, &output, error) < 0)
        return instruction_wrap(state, error);
    state_set_container(state, &output);
    return 0;
}

static int copy_all(struct copying *copying, const struct text_list *words, struct error *error) {
    if (words->count < 2)
        return instruction_error(copying->state, error, "%s needs a source and a destination",
                                 copying->state->instruction->name);
    set_destination(copying, words->items[words->count - 1], words->count - 1);
    if (set_from(copying, error) < 0)
        return -1;
    for (size_t i = 0; i + 1 < words->count; i++)
        if (put_source(copying, words->items[i], error) < 0)
            return -1;
    return lay(copying, words, error);
}

int run_copy(struct build_state *state, struct error *error) {
    static const char *const allowed[] = {"from", "chown", "chmod", "link", NULL};
    static const char *const allowed_add[] = {"chown", "chmod", "link", NULL};
    const struct instruction *instruction = state->instruction;
    AUTO_LIST struct text_list words = {0};
    if (instruction_check_flags(state, text_equal(instruction->name, "ADD") ? allowed_add : allowed, error) < 0)
        return -1;
    for (size_t i = 0; instruction->is_json && i < instruction->words.count; i++) {
        char *word = instruction_expand(state, instruction->words.items[i], error);
        if (!word)
            return -1;
        text_list_take(&words, word);
    }
    if (!instruction->is_json && instruction_words(state, instruction->rest, &words, error) < 0)
        return -1;
    struct copying copying = {.state = state};
    int result = copy_all(&copying, &words, error);
    copying_release(&copying);
    return result;
}
