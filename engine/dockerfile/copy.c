/* COPY, ADD and WORKDIR: what is laid into the image, and where. */
#include "common/file/file.h"
#include "engine/dockerfile/builder.h"
#include "engine/owner.h"

#include <string.h>

static void copying_release(struct copying *copying) {
    if (copying->has_from)
        container_release(&copying->from);
    tree_release(&copying->result);
}

static int set_from(struct copying *copying, struct error *error) {
    AUTO_FREE char *from = NULL;
    if (instruction_flag(copying->state, "from", &from, error) < 0)
        return -1;
    if (!from)
        return 0;
    if (builder_container(copying->state, from, &copying->from, error) < 0)
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

static int resolve_owner(const struct build_state *state, const char *owner, struct layer_content *content,
                         struct error *error) {
    if (owner_resolve(state->builder->engine, &state->container, owner, &content->uid, &content->gid, error) < 0)
        return instruction_wrap(state, error);
    return 0;
}

static int set_owner(const struct build_state *state, struct layer_content *content, struct error *error) {
    AUTO_FREE char *owner = NULL;
    if (instruction_flag(state, "chown", &owner, error) < 0)
        return -1;
    content->has_owner = owner != NULL;
    return owner ? resolve_owner(state, owner, content, error) : 0;
}

/* "/a/b/" and "/a/b/." are "/a/b". The caller frees. */
static char *destination_path(const struct build_state *state, const char *destination) {
    AUTO_FREE char *path = instruction_path(state, destination);
    AUTO_LIST struct text_list parts = {0}, kept = {0};
    struct buffer out = BUFFER(65536);
    text_list_split(&parts, path, '/');
    for (size_t i = 0; i < parts.count; i++) {
        if (text_equal(parts.items[i], "..") && kept.count > 0)
            free(take_pointer(&kept.items[--kept.count]));
        else if (*parts.items[i] && !text_equal(parts.items[i], ".") && !text_equal(parts.items[i], ".."))
            text_list_add(&kept, parts.items[i]);
    }
    for (size_t i = 0; i < kept.count; i++)
        buffer_append_format(&out, "/%s", kept.items[i]);
    return out.length ? buffer_take(&out) : text_copy("/");
}

static bool names_directory(const char *destination) {
    return text_ends_with(destination, "/") || text_equal(destination, ".") || text_ends_with(destination, "/.") ||
           text_equal(destination, "..") || text_ends_with(destination, "/..");
}

static int lay(struct copying *copying, const struct text_list *words, struct error *error) {
    struct build_state *state = copying->state;
    struct engine *engine = state->builder->engine;
    const char *destination = words->items[words->count - 1];
    AUTO_FREE char *title = instruction_title(state), *path = destination_path(state, destination);
    struct step_copy copy = {.name = title,
                             .input_name = words->items[0],
                             .created_by = title,
                             .content = {.destination = path},
                             .looks = true,
                             .is_fresh = state->is_fresh};
    AUTO_CONTAINER struct container output = {0};
    AUTO_FREE char *link = NULL;
    if (set_mode(state, &copy.content, error) < 0 || set_owner(state, &copy.content, error) < 0 ||
        instruction_flag(state, "link", &link, error) < 0)
        return -1;
    /* Independent of what lies below: nothing of the base is fetched for it. */
    copy.looks = !link || text_equal(link, "false");
    copying_sort(copying);
    if (!copying->into_directory && copying->files > 1)
        return instruction_error(state, error, "several files are copied: end the destination %s with a /",
                                 destination);
    if (!copying->into_directory)
        copy.file_name = copying->result.entries[0].path;
    if (tree_store(engine, &copying->result, &copy.content.tree, error) < 0)
        return -1;
    if (step_copy(engine, &state->container, &copy, &output, error) < 0)
        return instruction_wrap(state, error);
    state_set_container(state, &output);
    return 0;
}

static int copy_all(struct copying *copying, const struct text_list *words, struct error *error) {
    if (words->count < 2)
        return instruction_error(copying->state, error, "%s needs a source and a destination",
                                 copying->state->instruction->name);
    copying->into_directory = words->count > 2 || names_directory(words->items[words->count - 1]);
    if (set_from(copying, error) < 0)
        return -1;
    for (size_t i = 0; i + 1 < words->count; i++)
        if (copying_add(copying, words->items[i], error) < 0)
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

int run_workdir(struct build_state *state, struct error *error) {
    AUTO_FREE char *expanded = instruction_expand(state, state->instruction->rest, error);
    if (!expanded)
        return -1;
    if (!*expanded)
        return instruction_error(state, error, "WORKDIR needs a path");
    AUTO_FREE char *path = destination_path(state, expanded), *title = instruction_title(state);
    AUTO_JSON struct json *change = json_new_object();
    AUTO_CONTAINER struct container output = {0};
    struct tree nothing = {0};
    struct step_copy copy = {.name = title,
                             .created_by = title,
                             .content = {.destination = path, .mode = -1, .has_owner = true},
                             .looks = true,
                             .is_fresh = state->is_fresh,
                             .only_missing = true,
                             .change = change};
    json_set_text(change, "WorkingDir", path);
    if (tree_store(state->builder->engine, &nothing, &copy.content.tree, error) < 0 ||
        (!text_is_empty(state->user) && resolve_owner(state, state->user, &copy.content, error) < 0))
        return -1;
    if (step_copy(state->builder->engine, &state->container, &copy, &output, error) < 0)
        return instruction_wrap(state, error);
    state_set_container(state, &output);
    return 0;
}
