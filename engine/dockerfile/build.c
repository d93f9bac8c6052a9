/* Stages: which there are, which the target needs, and their instructions one after the other. */
#include "common/file/file.h"
#include "engine/base.h"
#include "engine/dockerfile/builder.h"

#include <string.h>

enum { TEXT_LIMIT = 1024 * 1024, STAGE_LIMIT = 200 };

int instruction_wrap(const struct build_state *state, struct error *error) {
    return error_wrap(error, "%s:%u", state->builder->file.path, state->instruction->line);
}

char *instruction_expand(const struct build_state *state, const char *text, struct error *error) {
    char *value =
        variables_expand(text, state->builder->file.escape, true, &state->environment, &state->arguments, error);
    if (!value)
        instruction_wrap(state, error);
    return value;
}

int instruction_words(const struct build_state *state, const char *text, struct text_list *words, struct error *error) {
    AUTO_LIST struct text_list raw = {0};
    words_split(&raw, text, state->builder->file.escape);
    for (size_t i = 0; i < raw.count; i++) {
        char *word = instruction_expand(state, raw.items[i], error);
        if (!word)
            return -1;
        text_list_take(words, word);
    }
    return 0;
}

int instruction_flag(const struct build_state *state, const char *name, char **value, struct error *error) {
    *value = NULL;
    AUTO_FREE char *prefix = text_format("--%s", name);
    const struct text_list *flags = &state->instruction->flags;
    for (size_t i = 0; i < flags->count; i++) {
        const char *flag = flags->items[i];
        if (!text_starts_with(flag, prefix))
            continue;
        const char *rest = flag + strlen(prefix);
        if (*rest == '\0')
            rest = "=true";
        if (*rest != '=')
            continue;
        free(*value);
        *value = instruction_expand(state, rest + 1, error);
        if (!*value)
            return -1;
    }
    return 0;
}

int instruction_check_flags(const struct build_state *state, const char *const *allowed, struct error *error) {
    const struct text_list *flags = &state->instruction->flags;
    for (size_t i = 0; i < flags->count; i++) {
        const char *name = flags->items[i] + 2;
        size_t length = strcspn(name, "=");
        bool known = false;
        for (size_t k = 0; allowed[k]; k++)
            known = known || (strlen(allowed[k]) == length && strncmp(allowed[k], name, length) == 0);
        if (!known)
            return instruction_error(state, error, "%s --%.*s is not supported", state->instruction->name, (int)length,
                                     name);
    }
    return 0;
}

char *instruction_title(const struct build_state *state) {
    const struct instruction *instruction = state->instruction;
    struct buffer title = BUFFER(400);
    buffer_append_text(&title, instruction->name);
    for (size_t i = 0; i < instruction->flags.count; i++)
        buffer_append_format(&title, " %s", instruction->flags.items[i]);
    buffer_append_format(&title, " %.300s", instruction->rest);
    return buffer_take(&title);
}

char *instruction_path(const struct build_state *state, const char *path) {
    return *path == '/' ? text_copy(path) : path_join(state->directory, path);
}

/* What later instructions ask of the container's config. */
static void read_config(struct build_state *state) {
    const struct json *config = json_get(state->container.config, "config");
    text_list_release(&state->environment);
    const struct json *environment = json_get(config, "Env");
    for (size_t i = 0; i < json_count(environment); i++)
        if (json_text(json_at(environment, i)))
            text_list_add(&state->environment, json_text(json_at(environment, i)));
    const char *directory = json_get_text(config, "WorkingDir", "/");
    free(state->directory);
    state->directory = text_copy(*directory ? directory : "/");
    free(state->user);
    state->user = text_copy(json_get_text(config, "User", ""));
}

/* What the base says, else Docker's. */
static void read_shell(struct build_state *state) {
    const struct json *shell = json_get_path(state->container.config, "config.Shell");
    for (size_t i = 0; i < json_count(shell); i++)
        if (json_text(json_at(shell, i)))
            text_list_add(&state->shell, json_text(json_at(shell, i)));
    if (state->shell.count > 0)
        return;
    text_list_add(&state->shell, "/bin/sh");
    text_list_add(&state->shell, "-c");
}

void state_set_container(struct build_state *state, struct container *container) {
    container_release(&state->container);
    state->container = *container;
    *container = (struct container){0};
    read_config(state);
}

int state_configure(struct build_state *state, const struct json *change, struct error *error) {
    AUTO_FREE char *title = instruction_title(state);
    struct container output = {0};
    if (step_config(state->builder->engine, &state->container, change, title, &output, error) < 0)
        return instruction_wrap(state, error);
    state_set_container(state, &output);
    return 0;
}

/* ---- the context ---- */

static bool belongs_to_context(void *context, const char *path, bool is_directory, bool *descend) {
    return !ignore_matches(context, path, is_directory ? descend : NULL);
}

/* A link in the context leads to no file outside of it: what that says would be in messages. */
static int check_link(const struct builder *builder, const char *path, struct error *error) {
    struct stat status;
    const char *context = builder->build->context;
    if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode))
        return 0;
    AUTO_FREE char *real = path_resolve(path, error), *root = path_resolve(context, error);
    AUTO_FREE char *folder = text_copy_length(path, (size_t)(path_base(path) - path));
    AUTO_FREE char *above = path_resolve(*folder ? folder : ".", error);
    if (!real || !root || !above)
        return -1;
    size_t length = strlen(root);
    bool is_context = strncmp(above, root, length) == 0 && strchr("/", above[length]);
    if (!is_context || (strncmp(real, root, length) == 0 && real[length] == '/'))
        return 0;
    error_set(error, ERROR_DATA, "%s is a symbolic link out of the build context", path);
    return error_next(error, "put the file itself there, or name it with --file");
}

int builder_context(struct builder *builder, const struct tree **tree, struct error *error) {
    *tree = &builder->context;
    if (builder->has_context)
        return 0;
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    AUTO_FREE char *own = builder->build->file ? text_format("%s.dockerignore", builder->build->file)
                                               : path_join(builder->build->context, "Dockerfile.dockerignore");
    AUTO_FREE char *general = path_join(builder->build->context, ".dockerignore");
    const char *path = file_exists(own) ? own : general;
    if (check_link(builder, path, error) < 0 || ignore_load(ignore, path, error) < 0)
        return -1;
    struct credential_check *credentials = builder->build->credentials;
    struct tree_scan scan = {.directory = builder->build->context,
                             .filter = belongs_to_context,
                             .context = ignore,
                             .inspect = credentials ? credential_check_inspect : NULL,
                             .inspect_context = credentials,
                             .rules = CREDENTIAL_RULES};
    if (tree_scan(builder->engine, &scan, &builder->context, error) < 0)
        return -1;
    builder->has_context = true;
    return 0;
}

/* ---- stages ---- */

static int add_stage(struct builder *builder, size_t index, struct error *error) {
    const struct instruction *from = &builder->file.instructions[index];
    if (builder->stage_count == STAGE_LIMIT)
        return dockerfile_error(&builder->file, from, error, "more than %d stages", STAGE_LIMIT);
    if (builder->stage_count > 0)
        builder->stages[builder->stage_count - 1].last = index;
    builder->stages = memory_resize(builder->stages, builder->stage_count + 1, sizeof(struct stage));
    struct stage *stage = &builder->stages[builder->stage_count++];
    *stage = (struct stage){.first = index, .last = builder->file.count};
    if (from->words.count == 3 && strcasecmp(from->words.items[1], "as") == 0)
        stage->name = text_copy(from->words.items[2]);
    else if (from->words.count != 1)
        return dockerfile_error(&builder->file, from, error, "FROM takes an image and, with AS, a name");
    return 0;
}

/* The default of "ARG NAME=default", or the value of --build-arg, which wins. */
static int declare_argument(struct build_state *state, const char *word, struct error *error) {
    AUTO_LIST struct text_list pair = {0};
    text_list_split(&pair, word, '=');
    const char *name = pair.items[0];
    const char *given = state->builder->build->arguments ? variables_get(state->builder->build->arguments, name) : NULL;
    if (!*name)
        return instruction_error(state, error, "ARG has no name");
    const char *fallback = pair.count > 1 ? strchr(word, '=') + 1 : variables_get(&state->builder->arguments, name);
    if (given || fallback)
        variables_set(&state->arguments, name, given ? given : fallback);
    return 0;
}

static int run_argument(struct build_state *state, struct error *error) {
    AUTO_LIST struct text_list words = {0};
    if (instruction_words(state, state->instruction->rest, &words, error) < 0)
        return -1;
    if (words.count == 0)
        return instruction_error(state, error, "ARG has no name");
    for (size_t i = 0; i < words.count; i++)
        if (declare_argument(state, words.items[i], error) < 0)
            return -1;
    return 0;
}

/* What BuildKit gives for free: TARGETPLATFORM and its relatives. */
static void declare_platform(struct builder *builder) {
    static const char *const sides[] = {"TARGET", "BUILD"};
    const char *platforms[] = {builder->build->platform, platform_native()};
    for (size_t i = 0; i < ARRAY_LENGTH(sides); i++) {
        AUTO_LIST struct text_list parts = {0};
        text_list_split(&parts, platforms[i], '/');
        AUTO_FREE char *platform = text_format("%sPLATFORM", sides[i]), *os = text_format("%sOS", sides[i]),
                       *architecture = text_format("%sARCH", sides[i]);
        variables_set(&builder->arguments, platform, platforms[i]);
        variables_set(&builder->arguments, os, parts.items[0]);
        variables_set(&builder->arguments, architecture, parts.count > 1 ? parts.items[1] : "");
    }
}

static void state_release(struct build_state *state) {
    container_release(&state->container);
    text_list_release(&state->environment);
    text_list_release(&state->arguments);
    text_list_release(&state->shell);
    free(state->directory);
    free(state->user);
    free(state->base);
}

static int find_stages(struct builder *builder, struct error *error) {
    struct build_state state = {.builder = builder, .arguments = {0}};
    text_list_add_all(&state.arguments, &builder->arguments);
    int result = 0;
    for (size_t i = 0; result == 0 && i < builder->file.count; i++) {
        state.instruction = &builder->file.instructions[i];
        if (text_equal(state.instruction->name, "FROM"))
            result = add_stage(builder, i, error);
        else if (builder->stage_count == 0 && text_equal(state.instruction->name, "ARG"))
            result = run_argument(&state, error);
        else if (builder->stage_count == 0)
            result = instruction_error(&state, error, "%s stands before the first FROM", state.instruction->name);
    }
    text_list_release(&builder->arguments);
    builder->arguments = state.arguments;
    state.arguments = (struct text_list){0};
    state_release(&state);
    if (result == 0 && builder->stage_count == 0)
        return error_set(error, ERROR_DATA, "%s has no FROM", builder->file.path);
    return result;
}

/* By name, or by number when `name` is one. NULL when there is no such stage among the first `limit`. */
static struct stage *find_stage(struct builder *builder, const char *name, size_t limit) {
    for (size_t i = limit; i-- > 0;)
        if (builder->stages[i].name && strcasecmp(builder->stages[i].name, name) == 0)
            return &builder->stages[i];
    uint64_t number;
    if (text_to_u64(name, STAGE_LIMIT, &number) && number < limit)
        return &builder->stages[number];
    return NULL;
}

static int build_stage(struct builder *builder, struct stage *stage, struct error *error);

/* pl runs no triggers of a base: to leave them out would change what is built. */
static int refuse_triggers(const struct build_state *state, const char *image, const struct container *container,
                           struct error *error) {
    const struct json *triggers = json_get_path(container->config, "config.OnBuild");
    if (json_count(triggers) == 0)
        return 0;
    return instruction_error(state, error, "the base %s has ONBUILD instructions, which are not supported: %s", image,
                             json_text(json_at(triggers, 0)) ?: "");
}

static int resolve_from(struct build_state *state, const char *image, const char *platform, struct error *error) {
    struct builder *builder = state->builder;
    AUTO_CONTAINER struct container container = {0};
    struct stage *earlier = find_stage(builder, image, state->stage);
    state->is_fresh = true;
    if (earlier) {
        if (builder_container(state, image, &container, error) < 0)
            return -1;
        state->is_fresh = earlier->is_fresh;
        state->base = text_copy(earlier->base);
    } else {
        if (base_resolve(builder->engine, image, platform ? platform : builder->build->platform, &container, error) < 0)
            return instruction_wrap(state, error);
        if (refuse_triggers(state, image, &container, error) < 0)
            return -1;
        state->base = text_copy(image);
    }
    state_set_container(state, &container);
    return 0;
}

static int run_from(struct build_state *state, struct error *error) {
    struct builder *builder = state->builder;
    static const char *const allowed[] = {"platform", NULL};
    AUTO_FREE char *platform = NULL;
    AUTO_FREE char *image = NULL;
    text_list_add_all(&state->arguments, &builder->arguments);
    if (instruction_check_flags(state, allowed, error) < 0 || instruction_flag(state, "platform", &platform, error) < 0)
        return -1;
    image = instruction_expand(state, state->instruction->words.items[0], error);
    text_list_release(&state->arguments);
    if (!image)
        return -1;
    if (!*image)
        return instruction_error(state, error, "FROM: the image's name is empty after its variables were replaced");
    if (resolve_from(state, image, platform, error) < 0)
        return -1;
    read_shell(state);
    return 0;
}

static int run_instruction(struct build_state *state, struct error *error) {
    const char *name = state->instruction->name;
    if (text_equal(name, "ARG"))
        return run_argument(state, error);
    if (text_equal(name, "RUN"))
        return run_run(state, error);
    if (text_equal(name, "COPY") || text_equal(name, "ADD"))
        return run_copy(state, error);
    bool known = true;
    int result = run_config(state, &known, error);
    if (known)
        return result;
    return instruction_error(state, error, "the instruction %s is not supported", name);
}

static int build_stage(struct builder *builder, struct stage *stage, struct error *error) {
    struct build_state state = {.builder = builder,
                                .stage = (size_t)(stage - builder->stages),
                                .instruction = &builder->file.instructions[stage->first]};
    if (stage->is_running)
        return instruction_error(&state, error, "this stage depends on itself");
    stage->is_running = true;
    int result = run_from(&state, error);
    for (size_t i = stage->first + 1; result == 0 && i < stage->last; i++) {
        state.instruction = &builder->file.instructions[i];
        result = progress_cancelled(builder->engine->progress)
                     ? error_set(error, ERROR_CANCELLED, "the build was stopped")
                     : run_instruction(&state, error);
    }
    stage->is_running = false;
    if (result == 0) {
        stage->container = state.container;
        stage->is_fresh = state.is_fresh;
        stage->base = take_pointer(&state.base);
        state.container = (struct container){0};
        stage->is_done = true;
    }
    state_release(&state);
    return result;
}

int builder_container(const struct build_state *state, const char *name, struct container *container,
                      struct error *error) {
    struct builder *builder = state->builder;
    struct stage *stage = find_stage(builder, name, state->stage);
    uint64_t number;
    if (!stage && text_to_u64(name, UINT32_MAX, &number))
        return instruction_error(state, error, "there is no stage %s before this one", name);
    if (!stage && find_stage(builder, name, builder->stage_count))
        return instruction_error(state, error, "the stage %s does not come before this one", name);
    if (!stage) {
        if (base_resolve(builder->engine, name, builder->build->platform, container, error) == 0)
            return 0;
        error_wrap(error, "no stage before this one is called %s, so it is taken for an image", name);
        return instruction_wrap(state, error);
    }
    if (!stage->is_done && build_stage(builder, stage, error) < 0)
        return -1;
    *container = container_share(&stage->container);
    return 0;
}

static int open_builder(struct builder *builder, struct error *error) {
    AUTO_FREE char *fallback = path_join(builder->build->context, "Dockerfile");
    const char *path = builder->build->file ? builder->build->file : fallback;
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    const char *shown = builder->build->shown ? builder->build->shown : path;
    if (check_link(builder, path, error) < 0 || file_read(path, &text, NULL, error) < 0 ||
        dockerfile_parse(shown, buffer_text(&text), &builder->file, error) < 0)
        return -1;
    declare_platform(builder);
    return find_stages(builder, error);
}

static void builder_release(struct builder *builder) {
    for (size_t i = 0; i < builder->stage_count; i++) {
        free(builder->stages[i].name);
        free(builder->stages[i].base);
        container_release(&builder->stages[i].container);
    }
    free(builder->stages);
    text_list_release(&builder->arguments);
    tree_release(&builder->context);
    dockerfile_release(&builder->file);
}

static struct stage *target_stage(struct builder *builder, struct error *error) {
    if (!builder->build->target)
        return &builder->stages[builder->stage_count - 1];
    struct stage *stage = find_stage(builder, builder->build->target, builder->stage_count);
    if (!stage)
        error_set(error, ERROR_USAGE, "%s has no stage \"%s\"", builder->file.path, builder->build->target);
    return stage;
}

static bool declares(const struct dockerfile *file, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < file->count; i++) {
        const struct instruction *instruction = &file->instructions[i];
        for (size_t k = 0; text_equal(instruction->name, "ARG") && k < instruction->words.count; k++) {
            const char *word = instruction->words.items[k];
            if (strncmp(word, name, length) == 0 && (word[length] == '=' || !word[length]))
                return true;
        }
    }
    return false;
}

/* A misspelt --build-arg would go unnoticed. */
static void note_undeclared(const struct builder *builder) {
    const struct text_list *given = builder->build->arguments;
    for (size_t i = 0; given && i < given->count; i++) {
        AUTO_FREE char *name = text_copy_length(given->items[i], strcspn(given->items[i], "="));
        if (!declares(&builder->file, name))
            progress_note(builder->engine->progress, "--build-arg %s is not declared by any ARG of %s: it does nothing",
                          name, builder->file.path);
    }
}

static int build_once(struct engine *engine, const struct dockerfile_build *build, struct container *container,
                      struct error *error) {
    struct builder builder = {.engine = engine, .build = build};
    int result = open_builder(&builder, error);
    struct stage *stage = result == 0 ? target_stage(&builder, error) : NULL;
    if (stage)
        note_undeclared(&builder);
    if (stage && build_stage(&builder, stage, error) == 0) {
        *container = container_share(&stage->container);
        if (build->base)
            *build->base = take_pointer(&stage->base);
        if (build->scanned) {
            *build->scanned = builder.context;
            builder.context = (struct tree){0};
        }
    } else {
        result = -1;
    }
    builder_release(&builder);
    return result;
}

int dockerfile_build(struct engine *engine, const struct dockerfile_build *build, struct container *container,
                     struct error *error) {
    if (build_once(engine, build, container, error) == 0)
        return 0;
    return layer_was_lost(engine) ? build_once(engine, build, container, error) : -1;
}

int dockerfile_plan(const struct dockerfile_build *build, struct buffer *plan, struct error *error) {
    struct builder builder = {.build = build};
    int result = open_builder(&builder, error);
    struct stage *target = result == 0 ? target_stage(&builder, error) : NULL;
    for (size_t s = 0; target && builder.stages + s <= target; s++) {
        const struct stage *stage = &builder.stages[s];
        for (size_t i = stage->first; i < stage->last; i++) {
            struct build_state state = {.builder = &builder, .instruction = &builder.file.instructions[i]};
            AUTO_FREE char *title = instruction_title(&state);
            buffer_append_format(plan, "%4u  %-10s  %s\n", state.instruction->line, stage->name ? stage->name : "",
                                 title);
        }
    }
    builder_release(&builder);
    return target ? buffer_check(plan, "the plan", error) : -1;
}
