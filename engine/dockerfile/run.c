/* RUN: shell and exec form, here-documents, mounts, network. */
#include "common/file/file.h"
#include "engine/dockerfile/builder.h"

#include <string.h>

enum { MOUNT_LIMIT = 32 };

struct running {
    struct build_state *state;
    struct step_mount mounts[MOUNT_LIMIT];
    size_t mount_count;
    struct container containers[MOUNT_LIMIT]; /* of --mount=from= */
    size_t container_count;
    struct text_list kept; /* owns the texts that mounts point to */
    struct text_list argv, environment;
};

static void running_release(struct running *running) {
    for (size_t i = 0; i < running->container_count; i++)
        container_release(&running->containers[i]);
    text_list_release(&running->kept);
    text_list_release(&running->argv);
    text_list_release(&running->environment);
}

static const char *keep(struct running *running, char *text) {
    text_list_take(&running->kept, text);
    return running->kept.items[running->kept.count - 1];
}

/* ---- mounts ---- */

/* The value of a key of "type=cache,target=/x", expanded, or NULL. A key without '=' is "true". */
static const char *mount_option(struct running *running, const struct text_list *options, const char *key) {
    size_t length = strlen(key);
    for (size_t i = 0; i < options->count; i++) {
        if (text_equal(options->items[i], key))
            return "true";
        if (strncmp(options->items[i], key, length) == 0 && options->items[i][length] == '=')
            return keep(running, text_copy(options->items[i] + length + 1));
    }
    return NULL;
}

static bool is_true(const char *value) {
    return value && (text_equal(value, "true") || text_equal(value, "1"));
}

static int check_options(const struct running *running, const struct text_list *options, const char *type,
                         const char *const *allowed, struct error *error) {
    for (size_t i = 0; i < options->count; i++) {
        size_t length = strcspn(options->items[i], "="), at = 0;
        while (allowed[at] && !(strlen(allowed[at]) == length && strncmp(allowed[at], options->items[i], length) == 0))
            at++;
        if (!allowed[at])
            return instruction_error(running->state, error, "--mount=type=%s does not know the option \"%.*s\"", type,
                                     (int)length, options->items[i]);
    }
    return 0;
}

static int number_option(struct running *running, const struct text_list *options, const char *key, int base,
                         unsigned long maximum, unsigned long *value, struct error *error) {
    const char *text = mount_option(running, options, key);
    char *end;
    if (!text)
        return 0;
    *value = strtoul(text, &end, base);
    if (*end || end == text || *text == '-' || *value > maximum)
        return instruction_error(running->state, error, "--mount: %s=%s is not a number that fits", key, text);
    return 0;
}

static int owner_options(struct running *running, const struct text_list *options, struct step_mount *mount,
                         struct error *error) {
    unsigned long uid = 0, gid = 0, mode = 0;
    if (number_option(running, options, "uid", 10, UINT32_MAX - 1, &uid, error) < 0 ||
        number_option(running, options, "gid", 10, UINT32_MAX - 1, &gid, error) < 0 ||
        number_option(running, options, "mode", 8, 07777, &mode, error) < 0)
        return -1;
    mount->uid = (uint32_t)uid;
    mount->gid = (uint32_t)gid;
    mount->mode = (unsigned)mode;
    return 0;
}

static const char *target_option(struct running *running, const struct text_list *options) {
    const char *target = mount_option(running, options, "target");
    if (!target)
        target = mount_option(running, options, "dst");
    if (!target)
        target = mount_option(running, options, "destination");
    return target ? keep(running, instruction_path(running->state, target)) : NULL;
}

static int mount_cache(struct running *running, const struct text_list *options, struct step_mount *mount,
                       struct error *error) {
    static const char *const allowed[] = {"type", "id",  "target", "dst", "destination", "sharing",
                                          "mode", "uid", "gid",    "rw",  "readwrite",   NULL};
    if (check_options(running, options, "cache", allowed, error) < 0 ||
        owner_options(running, options, mount, error) < 0)
        return -1;
    mount->type = MOUNT_CACHE;
    mount->id = mount_option(running, options, "id");
    if (!mount->target)
        return instruction_error(running->state, error, "--mount=type=cache needs a target");
    if (!mount->id)
        mount->id = mount->target;
    return 0;
}

static int mount_secret(struct running *running, const struct text_list *options, struct step_mount *mount, bool *skip,
                        struct error *error) {
    static const char *const allowed[] = {"type", "id",  "target", "dst", "destination", "required",
                                          "mode", "uid", "gid",    "env", NULL};
    const struct dockerfile_build *build = running->state->builder->build;
    if (check_options(running, options, "secret", allowed, error) < 0 ||
        owner_options(running, options, mount, error) < 0)
        return -1;
    mount->type = MOUNT_SECRET;
    mount->id = mount_option(running, options, "id");
    if (!mount->id && mount->target)
        mount->id = path_base(mount->target);
    if (!mount->id || !*mount->id || strchr(mount->id, '/'))
        return instruction_error(running->state, error, "--mount=type=secret needs an id");
    mount->variable = mount_option(running, options, "env");
    if (!mount->target)
        mount->target = keep(running, text_format("/run/secrets/%s", mount->id));
    for (size_t i = 0; i < build->secret_count; i++)
        if (text_equal(build->secrets[i].id, mount->id)) {
            mount->secret = build->secrets[i].data;
            mount->secret_length = build->secrets[i].length;
            return 0;
        }
    *skip = true;
    if (!is_true(mount_option(running, options, "required")))
        return 0;
    instruction_error(running->state, error, "the secret %s was not given", mount->id);
    return error_next(error, "add --secret %s=env:NAME or --secret %s=file:PATH", mount->id, mount->id);
}

struct below {
    const char *path;
    size_t length;
};

static bool path_lies_below(void *context, const char *path) {
    const struct below *below = context;
    return below->length == 0 || (strncmp(path, below->path, below->length) == 0 &&
                                  (path[below->length] == '\0' || path[below->length] == '/'));
}

static bool is_below(void *context, const struct tree_entry *entry) {
    return path_lies_below(context, entry->path);
}

static int bind_context(struct running *running, struct step_mount *mount, struct error *error) {
    const struct tree *context;
    AUTO_TREE struct tree selected = {0};
    const char *source = mount->source ? mount->source : "";
    while (*source == '/' || (*source == '.' && (source[1] == '/' || source[1] == '\0')))
        source++;
    if (builder_context(running->state->builder, &context, error) < 0)
        return -1;
    struct below below = {source, strlen(source)};
    const struct credential_check *credentials = running->state->builder->build->credentials;
    if (credentials && credential_check_selected(credentials, path_lies_below, &below, error) < 0)
        return -1;
    tree_select(context, is_below, &below, &selected);
    mount->type = MOUNT_BIND_TREE;
    mount->source = *source ? source : NULL;
    mount->input_name = *source ? source : "the build context";
    return tree_store(running->state->builder->engine, &selected, &mount->tree, error);
}

static int mount_bind(struct running *running, const struct text_list *options, struct step_mount *mount,
                      struct error *error) {
    static const char *const allowed[] = {"type", "from",        "source", "src",       "target",
                                          "dst",  "destination", "rw",     "readwrite", NULL};
    if (check_options(running, options, "bind", allowed, error) < 0)
        return -1;
    const char *from = mount_option(running, options, "from");
    mount->source = mount_option(running, options, "source");
    if (!mount->source)
        mount->source = mount_option(running, options, "src");
    mount->writable =
        is_true(mount_option(running, options, "rw")) || is_true(mount_option(running, options, "readwrite"));
    if (!mount->target)
        return instruction_error(running->state, error, "--mount=type=bind needs a target");
    if (!from)
        return bind_context(running, mount, error);
    struct container *container = &running->containers[running->container_count];
    if (builder_container(running->state, from, container, error) < 0)
        return -1;
    running->container_count++;
    mount->type = MOUNT_BIND_CONTAINER;
    mount->container = container;
    if (mount->source && *mount->source != '/')
        mount->source = keep(running, text_format("/%s", mount->source));
    return 0;
}

static int mount_tmpfs(struct running *running, const struct text_list *options, struct step_mount *mount,
                       struct error *error) {
    static const char *const allowed[] = {"type", "target", "dst", "destination", "size", NULL};
    unsigned long size = 0;
    if (check_options(running, options, "tmpfs", allowed, error) < 0 ||
        number_option(running, options, "size", 10, 1UL << 40, &size, error) < 0)
        return -1;
    mount->type = MOUNT_TMPFS;
    mount->size = size;
    return mount->target ? 0 : instruction_error(running->state, error, "--mount=type=tmpfs needs a target");
}

static int add_mount(struct running *running, const char *text, struct error *error) {
    AUTO_LIST struct text_list options = {0};
    AUTO_FREE char *plain = instruction_expand(running->state, text, error);
    bool skip = false;
    if (!plain)
        return -1;
    if (running->mount_count == MOUNT_LIMIT - 1)
        return instruction_error(running->state, error, "more than %d mounts", MOUNT_LIMIT - 1);
    text_list_split(&options, plain, ',');
    const char *type = mount_option(running, &options, "type");
    struct step_mount *mount = &running->mounts[running->mount_count];
    *mount = (struct step_mount){.target = target_option(running, &options)};
    int result;
    if (!type || text_equal(type, "bind"))
        result = mount_bind(running, &options, mount, error);
    else if (text_equal(type, "cache"))
        result = mount_cache(running, &options, mount, error);
    else if (text_equal(type, "secret"))
        result = mount_secret(running, &options, mount, &skip, error);
    else if (text_equal(type, "tmpfs"))
        result = mount_tmpfs(running, &options, mount, error);
    else
        result = instruction_error(running->state, error, "--mount=type=%s is not supported", type);
    if (result == 0 && !skip)
        running->mount_count++;
    return result;
}

/* ---- the command ---- */

/* The body of "RUN <<EOF" that begins with "#!" is a program of its own: it is mounted, not copied into the image. */
static int mount_script(struct running *running, const struct heredoc *heredoc, struct error *error) {
    struct engine *engine = running->state->builder->engine;
    AUTO_TREE struct tree tree = {.entries = memory_allocate(1, sizeof(struct tree_entry)), .count = 1};
    struct step_mount *mount = &running->mounts[running->mount_count++];
    tree.entries[0] = (struct tree_entry){.path = text_copy("script"), .type = 'x', .size = strlen(heredoc->content)};
    *mount = (struct step_mount){
        .type = MOUNT_BIND_TREE, .target = "/run/pl-script", .input_name = "the here-document", .source = "script"};
    text_list_add(&running->argv, "/run/pl-script");
    if (store_put(engine->store, heredoc->content, tree.entries[0].size, &tree.entries[0].digest, error) < 0)
        return -1;
    return tree_store(engine, &tree, &mount->tree, error);
}

static bool is_sole_heredoc(const struct instruction *instruction) {
    const char *rest = instruction->rest + strspn(instruction->rest, " \t");
    return instruction->heredoc_count == 1 && text_starts_with(rest, "<<") && !strpbrk(rest, " \t;|&>()");
}

static int set_command(struct running *running, struct error *error) {
    const struct instruction *instruction = running->state->instruction;
    if (instruction->is_json) {
        text_list_add_all(&running->argv, &instruction->words);
        return instruction->words.count ? 0 : instruction_error(running->state, error, "RUN has no command");
    }
    bool sole = is_sole_heredoc(instruction);
    if (sole && text_starts_with(instruction->heredocs[0].content, "#!"))
        return mount_script(running, &instruction->heredocs[0], error);
    if (!*instruction->rest)
        return instruction_error(running->state, error, "RUN has no command");
    text_list_add_all(&running->argv, &running->state->shell);
    if (sole) {
        text_list_add(&running->argv, instruction->heredocs[0].content);
        return 0;
    }
    struct buffer text = BUFFER(4 * 1024 * 1024);
    buffer_append_text(&text, instruction->rest);
    for (size_t i = 0; i < instruction->heredoc_count; i++)
        buffer_append_format(&text, "\n%s%s", instruction->heredocs[i].content, instruction->heredocs[i].name);
    int result = buffer_check(&text, "a RUN instruction", error);
    text_list_take(&running->argv, buffer_take(&text));
    return result;
}

static int set_options(struct running *running, bool *no_network, struct error *error) {
    static const char *const allowed[] = {"mount", "network", NULL};
    struct build_state *state = running->state;
    AUTO_FREE char *network = NULL;
    if (instruction_check_flags(state, allowed, error) < 0 || instruction_flag(state, "network", &network, error) < 0)
        return -1;
    *no_network = text_equal(network, "none");
    if (network && !*no_network && !text_equal(network, "default") && !text_equal(network, "host"))
        return instruction_error(state, error, "--network=%s is not supported: default, host or none", network);
    for (size_t i = 0; i < state->instruction->flags.count; i++) {
        const char *flag = state->instruction->flags.items[i];
        if (text_starts_with(flag, "--mount=") && add_mount(running, flag + strlen("--mount="), error) < 0)
            return -1;
    }
    return 0;
}

static int run_all(struct running *running, struct error *error) {
    struct build_state *state = running->state;
    AUTO_FREE char *title = instruction_title(state);
    struct step_exec exec = {.name = title,
                             .argv = &running->argv,
                             .environment = &running->environment,
                             .mounts = running->mounts,
                             .created_by = title};
    struct container output;
    if (set_options(running, &exec.no_network, error) < 0 || set_command(running, error) < 0)
        return -1;
    /* ARG is seen by RUN, but what ENV says wins. */
    for (size_t i = 0; i < state->arguments.count; i++) {
        AUTO_FREE char *name = text_copy_length(state->arguments.items[i], strcspn(state->arguments.items[i], "="));
        if (!variables_get(&state->environment, name))
            text_list_add(&running->environment, state->arguments.items[i]);
    }
    exec.mount_count = running->mount_count;
    if (step_exec(state->builder->engine, &state->container, &exec, &output, error) < 0)
        return instruction_wrap(state, error);
    state_set_container(state, &output);
    state->is_fresh = false;
    return 0;
}

int run_run(struct build_state *state, struct error *error) {
    struct running running = {.state = state};
    int result = run_all(&running, error);
    running_release(&running);
    return result;
}
