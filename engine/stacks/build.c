/* Carrying a plan out with the engine's steps. */
#include "common/base/text.h"
#include "engine/base.h"
#include "engine/stacks/stack.h"
#include "engine/step.h"
#include "engine/take.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNREACHABLE_SECONDS = 10 * 60, DIGEST_HEX_SIZE = 65, PRINTED_LIMIT = 128 * 1024 };

struct run {
    struct engine *engine;
    const struct stack_source *source;
    const struct stack_plan *plan;
    const char *base; /* the one that was used */
    struct container container;
    struct container start; /* the base itself */
    struct digest taken;    /* the last tree that was taken */
};

static void replace(struct run *run, struct container *container) {
    container_release(&run->container);
    run->container = *container;
    *container = (struct container){0};
}

/* names/unreachable remembers that a base could not be had, so that a machine without a registry does not wait for the
 * same answer at every build. */
static void unreachable_key(const struct run *run, char *key) {
    struct digest digest = digest_of(run->plan->base, strlen(run->plan->base));
    snprintf(key, DIGEST_HEX_SIZE, "%s", digest_format_hex(&digest).text);
}

static bool was_unreachable(const struct run *run) {
    char key[DIGEST_HEX_SIZE];
    AUTO_JSON struct json *note = NULL;
    unreachable_key(run, key);
    if (run->engine->no_cache || run->engine->ask_bases || !run->plan->fallback_base ||
        store_name_read(run->engine->store, "unreachable", key, &note, NULL) < 0 || !note)
        return false;
    int64_t age = (int64_t)time(NULL) - json_get_integer(note, "time", 0);
    return age >= 0 && age < UNREACHABLE_SECONDS;
}

static int remember_unreachable(const struct run *run, struct error *error) {
    char key[DIGEST_HEX_SIZE];
    unreachable_key(run, key);
    AUTO_JSON struct json *note = json_new_object();
    json_set_text(note, "base", run->plan->base);
    json_set_integer(note, "time", (int64_t)time(NULL));
    return store_name_write(run->engine->store, "unreachable", key, note, error);
}

static bool is_locked(const struct run *run, const char *base, const char *platform) {
    return !run->engine->new_lock && base && lock_find(run->engine->lock, base, platform);
}

static int resolve_fallback(struct run *run, const char *platform, struct error *error) {
    const struct stack_plan *plan = run->plan;
    if (is_locked(run, plan->fallback_base, platform))
        progress_note(run->engine->progress, "the base is the one of pl.lock: %s", plan->fallback_base);
    else
        progress_note(run->engine->progress, "the base is made from Debian packages instead: %s (%s)",
                      plan->fallback_note, plan->fallback_base);
    run->base = plan->fallback_base;
    return base_resolve(run->engine, plan->fallback_base, platform, &run->container, error);
}

static int resolve_base(struct run *run, const char *platform, struct error *error) {
    const struct stack_plan *plan = run->plan;
    run->base = plan->base;
    /* What is locked is taken and nothing else. */
    bool is_pinned = is_locked(run, plan->base, platform);
    if (!is_pinned && is_locked(run, plan->fallback_base, platform))
        return resolve_fallback(run, platform, error);
    if (!is_pinned && was_unreachable(run)) {
        progress_note(run->engine->progress, "%s could not be had less than %d minutes ago", plan->base,
                      UNREACHABLE_SECONDS / 60);
        return resolve_fallback(run, platform, error);
    }
    struct error failure = {0};
    if (base_resolve(run->engine, plan->base, platform, &run->container, &failure) == 0)
        return 0;
    if (failure.kind == ERROR_UNAVAILABLE && plan->fallback_base && !is_pinned) {
        progress_note(run->engine->progress, "%s cannot be had: %s", plan->base, failure.text);
        return remember_unreachable(run, error) < 0 ? -1 : resolve_fallback(run, platform, error);
    }
    if (failure.kind == ERROR_UNAVAILABLE && is_pinned) {
        error_wrap(&failure, "pl.lock names the base");
        error_next(&failure, "let this machine reach its registry, or lock another base: pl-build --lock");
    } else if (failure.kind == ERROR_UNAVAILABLE && plan->fallback_note) {
        error_wrap(&failure, "%s", plan->fallback_note);
        error_next(&failure, "let this machine reach the registry of %s, or name another base with --base", plan->base);
    }
    if (error)
        *error = failure;
    return -1;
}

static int compare_text(const void *key, const void *item) {
    return strcmp(key, *(char *const *)item);
}

static bool is_wanted(void *context, const struct tree_entry *entry) {
    const struct text_list *files = context;
    return files->count > 0 && bsearch(entry->path, files->items, files->count, sizeof(*files->items), compare_text);
}

/* A tree object of exactly the step's files. */
static int store_files(const struct run *run, const struct plan_step *step, struct digest *digest,
                       struct error *error) {
    AUTO_TREE struct tree selected = {0};
    tree_select(run->source->tree, is_wanted, (void *)&step->files, &selected);
    return tree_store(run->engine, &selected, digest, error);
}

/* The mounts but for the one of the files; *targets owns the paths of the secrets. The caller frees. */
static struct step_mount *list_mounts(const struct run *run, const struct plan_step *step, struct text_list *targets,
                                      size_t *count) {
    const struct stack_source *source = run->source;
    struct step_mount *mounts = memory_allocate(step->cache_count + source->secret_count + 1, sizeof(*mounts));
    *count = 0;
    for (size_t i = 0; i < step->cache_count; i++)
        mounts[(*count)++] =
            (struct step_mount){.type = MOUNT_CACHE, .id = step->caches[i].id, .target = step->caches[i].target};
    for (size_t i = 0; step->sees_secrets && i < source->secret_count; i++) {
        const struct step_secret *secret = &source->secrets[i];
        text_list_add_format(targets, "/run/secrets/%s", secret->id);
        mounts[(*count)++] = (struct step_mount){.type = MOUNT_SECRET,
                                                 .id = secret->id,
                                                 .target = targets->items[i],
                                                 .secret = secret->data,
                                                 .secret_length = secret->length};
    }
    return mounts;
}

/* The last part of what a step prints. */
static void keep_printed(void *context, int stream, const char *data, size_t length) {
    struct buffer *printed = context;
    size_t most = PRINTED_LIMIT / 2;
    (void)stream;
    if (length > most) {
        data += length - most;
        length = most;
    }
    if (printed->length + length > PRINTED_LIMIT) {
        memmove(printed->data, printed->data + printed->length - most, most);
        printed->length = most;
        printed->data[most] = '\0';
    }
    buffer_append(printed, data, length);
}

static int run_exec(struct run *run, const struct plan_step *step, struct container *output, struct error *error) {
    AUTO_LIST struct text_list targets = {0};
    size_t count;
    AUTO_FREE struct step_mount *mounts = list_mounts(run, step, &targets, &count);
    if (step->files.count > 0) {
        struct step_mount *mount = &mounts[count++];
        *mount = (struct step_mount){
            .type = MOUNT_BIND_TREE, .target = step->directory, .input_name = step->input_name, .writable = true};
        if (store_files(run, step, &mount->tree, error) < 0)
            return -1;
    }
    AUTO_BUFFER struct buffer printed = BUFFER(PRINTED_LIMIT);
    struct step_exec exec = {.name = step->name,
                             .argv = &step->argv,
                             .environment = &step->environment,
                             .directory = step->directory ? step->directory : "/",
                             .user = "0",
                             .mounts = mounts,
                             .mount_count = count,
                             .created_by = step->name,
                             .output = keep_printed,
                             .output_context = &printed};
    struct error failure = {0};
    if (step_exec(run->engine, &run->container, &exec, output, &failure) == 0)
        return 0;
    if (failure.kind == ERROR_STEP && text_is_empty(failure.next) && step->explain)
        step->explain(buffer_text(&printed), run->base, step, &failure);
    if (failure.kind == ERROR_STEP && text_is_empty(failure.next) && step->advice)
        error_next(&failure, "%s", step->advice);
    if (error)
        *error = failure;
    return -1;
}

static int run_copy(struct run *run, const struct plan_step *step, struct container *output, struct error *error) {
    struct step_copy copy = {.name = step->name,
                             .input_name = step->input_name,
                             .content = {.destination = step->directory, .mode = -1},
                             .created_by = step->name};
    if (step->copies_taken)
        copy.content.tree = run->taken;
    else if (store_files(run, step, &copy.content.tree, error) < 0)
        return -1;
    return step_copy(run->engine, &run->container, &copy, output, error);
}

/* The base's PATH, which "${PATH}" in a plan stands for. */
static const char *base_path(const struct container *container) {
    const struct json *environment = json_get_path(container->config, "config.Env");
    for (size_t i = 0; i < json_count(environment); i++) {
        const char *variable = json_text(json_at(environment, i));
        if (variable && text_starts_with(variable, "PATH="))
            return variable + strlen("PATH=");
    }
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

static int run_config(struct run *run, const struct plan_step *step, struct container *output, struct error *error) {
    static const char variable[] = "${PATH}";
    AUTO_JSON struct json *change = json_copy_deep(step->config);
    struct json *environment = json_get(change, "Env");
    for (size_t i = 0; i < json_count(environment); i++) {
        const char *text = json_text(json_at(environment, i));
        const char *at = text ? strstr(text, variable) : NULL;
        if (!at || !text_starts_with(text, "PATH="))
            continue;
        AUTO_FREE char *full =
            text_format("%.*s%s%s", (int)(at - text), text, base_path(&run->container), at + strlen(variable));
        json_set_at(environment, i, json_new_text(full));
    }
    json_set_text(json_get(change, "Labels"), "org.opencontainers.image.base.name", run->base);
    return step_config(run->engine, &run->container, change, step->name, output, error);
}

static int run_take(struct run *run, const struct plan_step *step, struct error *error) {
    struct take take = {.name = step->name, .path = step->directory, .except = &step->except};
    struct take_site site = {.name = step->name,
                             .path = step->directory,
                             .places = &step->places,
                             .is_certain = step->is_certain,
                             .is_split = step->is_split};
    return step->places.count > 0 ? take_site(run->engine, &run->container, &site, &run->taken, error)
                                  : take_directory(run->engine, &run->container, &take, &run->taken, error);
}

/* The files below `directory` of the source become a tree of their own. */
static int run_gather(struct run *run, const struct plan_step *step, struct error *error) {
    AUTO_TREE struct tree selected = {0}, tree = {0};
    size_t skip = *step->directory ? strlen(step->directory) + 1 : 0;
    tree_select(run->source->tree, is_wanted, (void *)&step->files, &selected);
    tree.entries = memory_allocate(selected.count + 1, sizeof(*tree.entries));
    for (size_t i = 0; i < selected.count; i++) {
        const struct tree_entry *from = &selected.entries[i];
        if (strlen(from->path) <= skip || (skip > 0 && strncmp(from->path, step->directory, skip - 1) != 0))
            continue;
        struct tree_entry *entry = &tree.entries[tree.count++];
        *entry = *from;
        entry->path = text_copy(from->path + skip);
        entry->target = text_copy(from->target);
    }
    return tree_store(run->engine, &tree, &run->taken, error);
}

static int run_step(struct run *run, const struct plan_step *step, struct error *error) {
    AUTO_CONTAINER struct container output = {0};
    int result = 0;
    switch (step->type) {
    case PLAN_EXEC:
        result = run_exec(run, step, &output, error);
        break;
    case PLAN_COPY:
        result = run_copy(run, step, &output, error);
        break;
    case PLAN_CONFIG:
        result = run_config(run, step, &output, error);
        break;
    case PLAN_RESTART:
        output = container_share(&run->start);
        break;
    case PLAN_TAKE:
        return run_take(run, step, error);
    case PLAN_GATHER:
        return run_gather(run, step, error);
    }
    if (result == 0)
        replace(run, &output);
    return result;
}

static int build_once(struct engine *engine, const struct stack_source *source, const struct stack_plan *plan,
                      const char *platform, struct stack_result *out, struct error *error) {
    struct run run = {.engine = engine, .source = source, .plan = plan};
    *out = (struct stack_result){.is_site = plan->is_site};
    int result = 0;
    if (source->start)
        run.container = container_share(source->start);
    else if (plan->base)
        result = resolve_base(&run, platform, error);
    if (result == 0)
        run.start = container_share(&run.container);
    for (size_t i = 0; i < plan->step_count && result == 0; i++)
        result = run_step(&run, &plan->steps[i], error);
    container_release(&run.start);
    if (result < 0 || plan->is_site)
        container_release(&run.container);
    out->container = run.container;
    out->site = run.taken;
    out->base = result == 0 ? text_copy(run.base) : NULL;
    return result;
}

int stack_build(struct engine *engine, const struct stack_source *source, const struct stack_plan *plan,
                const char *platform, struct stack_result *out, struct error *error) {
    for (size_t i = 0; i < plan->notes.count; i++)
        progress_note(engine->progress, "%s", plan->notes.items[i]);
    if (build_once(engine, source, plan, platform, out, error) == 0)
        return 0;
    return layer_was_lost(engine) ? build_once(engine, source, plan, platform, out, error) : -1;
}
