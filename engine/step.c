/* Steps: looked up by their key, carried out, recorded. */
#include "engine/step.h"
#include "common/file/file.h"
#include "engine/layer_internal.h"
#include "engine/step_internal.h"

#include <string.h>
#include <time.h>

struct epoch_text step_epoch(const struct engine *engine) {
    struct epoch_text out;
    time_t epoch = (time_t)engine->epoch;
    struct tm parts;
    if (!gmtime_r(&epoch, &parts) || strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out.text, sizeof(out.text), "1970-01-01T00:00:00Z");
    return out;
}

/* ---- looking up and recording ---- */

static bool has_layers(struct engine *engine, const struct container *container) {
    for (size_t i = 0; i < container_layer_count(container); i++) {
        struct digest diff_id;
        if (container_layer(container, i, &diff_id, NULL) < 0 || !layer_is_available(engine, &diff_id))
            return false;
    }
    return true;
}

static int lookup(struct engine *engine, const char *key, struct container *output, struct error *error) {
    AUTO_JSON struct json *found = NULL;
    struct digest digest;
    if (store_name_read(engine->store, "steps", key, &found, error) < 0)
        return -1;
    if (!found || digest_parse(json_get_text(found, "container", ""), &digest, NULL) < 0 ||
        !store_has(engine->store, &digest) || container_load(engine, &digest, output, NULL) < 0)
        return 0;
    if (has_layers(engine, output))
        return 1;
    container_release(output);
    return 0;
}

void step_key(const struct json *definition, char *key) {
    AUTO_FREE char *text = json_format(definition, JSON_CANONICAL);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

int step_find(struct engine *engine, const struct json *definition, char *key, struct container *output,
              struct error *error) {
    step_key(definition, key);
    return engine->no_cache ? 0 : lookup(engine, key, output, error);
}

void step_slot(struct engine *engine, const char *name, char *key) {
    AUTO_FREE char *text = text_format("%s\n%s", engine->scope ? engine->scope : "", name);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

static int point_slot(struct engine *engine, const char *name, const char *key, struct error *error) {
    char slot_key[DIGEST_HEX];
    AUTO_JSON struct json *slot = NULL;
    step_slot(engine, name, slot_key);
    if (store_name_read(engine->store, "slots", slot_key, &slot, NULL) == 0 && slot &&
        text_equal(json_get_text(slot, "step", ""), key))
        return 0;
    AUTO_JSON struct json *fresh = json_new_object();
    json_set_text(fresh, "step", key);
    return store_hint_write(engine->store, "slots", slot_key, fresh, error);
}

int step_record(struct engine *engine, const char *key, const struct json *definition, const char *name,
                const char *member, struct json *result, struct error *error) {
    AUTO_JSON struct json *value = json_new_object();
    json_set_text(value, "name", name);
    json_set(value, member, result);
    json_set(value, "definition", json_copy_deep(definition));
    if (store_name_write(engine->store, "steps", key, value, error) < 0)
        return -1;
    return point_slot(engine, name, key, error);
}

int step_record_container(struct engine *engine, const char *key, const struct json *definition, const char *name,
                          const struct container *output, struct error *error) {
    struct json *digest = json_new_text(digest_format(&output->digest).text);
    return step_record(engine, key, definition, name, "container", digest, error);
}

int step_append(struct engine *engine, const struct container *input, const struct digest *layer,
                const char *created_by, struct json *config, struct container *output, struct error *error) {
    struct json *copy = config ? config : json_copy_deep(input->config), *entry = json_new_object();
    struct json *history = json_get(copy, "history");
    if (!json_is_array(history)) {
        json_set(copy, "history", json_new_array());
        history = json_get(copy, "history");
    }
    json_set_text(copy, "created", step_epoch(engine).text);
    json_set_text(entry, "created", step_epoch(engine).text);
    json_set_text(entry, "created_by", created_by);
    if (layer)
        json_append_text(json_get_path(copy, "rootfs.diff_ids"), digest_format(layer).text);
    else
        json_set_bool(entry, "empty_layer", true);
    json_append(history, entry);
    return container_store(engine, copy, output, error);
}

struct json *step_definition(struct engine *engine, const char *operation, const struct container *input) {
    struct json *definition = json_new_object();
    json_set_integer(definition, "pl", 1);
    json_set_text(definition, "operation", operation);
    json_set_text(definition, "input", digest_format(&input->digest).text);
    json_set_integer(definition, "epoch", engine->epoch);
    return definition;
}

static struct json *text_array(const struct text_list *list) {
    struct json *array = json_new_array();
    for (size_t i = 0; list && i < list->count; i++)
        json_append_text(array, list->items[i]);
    return array;
}

void step_tell_found(struct engine *engine, const char *name, const char *key) {
    /* It may have been made for another source directory. That this one cannot be noted is no failure. */
    (void)!point_slot(engine, name, key, NULL);
    progress_end(engine->progress, progress_begin(engine->progress, "%s", name), PROGRESS_CACHED);
    engine->steps_found++;
}

/* ---- exec ---- */

static struct json *define_mount(const struct step_mount *mount) {
    static const char *const types[] = {"cache", "secret", "tree", "container", "tmpfs"};
    struct json *json = json_new_object();
    json_set_text(json, "type", types[mount->type]);
    json_set_text(json, "target", mount->target);
    if (mount->type == MOUNT_CACHE || mount->type == MOUNT_SECRET)
        json_set_text(json, "id", mount->id);
    if (mount->type == MOUNT_SECRET)
        json_set_text(json, "variable", mount->variable);
    if (mount->type == MOUNT_BIND_TREE) {
        json_set_text(json, "name", mount->input_name);
        json_set_text(json, "tree", digest_format(&mount->tree).text);
    }
    if (mount->type == MOUNT_BIND_CONTAINER)
        json_set_text(json, "container", digest_format(&mount->container->digest).text);
    json_set_text(json, "source", mount->source);
    if (mount->writable)
        json_set_bool(json, "writable", true);
    if (mount->mode)
        json_set_integer(json, "mode", mount->mode);
    if (mount->uid || mount->gid) {
        json_set_integer(json, "uid", mount->uid);
        json_set_integer(json, "gid", mount->gid);
    }
    return json;
}

struct json *step_define(struct engine *engine, const char *operation, const struct container *input,
                         const struct step_exec *exec) {
    struct json *definition = step_definition(engine, operation, input), *mounts = json_new_array();
    json_set(definition, "argv", text_array(exec->argv));
    json_set(definition, "environment", text_array(exec->environment));
    json_set_text(definition, "directory", exec->directory);
    json_set_text(definition, "user", exec->user);
    if (exec->no_network)
        json_set_text(definition, "network", "none");
    for (size_t i = 0; i < exec->mount_count; i++)
        json_append(mounts, define_mount(&exec->mounts[i]));
    json_set(definition, "mounts", mounts);
    return definition;
}

/* Later entries of the same name win; the first place is kept. */
static void lay_over(struct text_list *environment, const char *entry) {
    size_t length = strcspn(entry, "=");
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], entry, length) == 0 && environment->items[i][length] == '=') {
            free(environment->items[i]);
            environment->items[i] = text_copy(entry);
            return;
        }
    text_list_add(environment, entry);
}

static void make_environment(const struct container *input, const struct step_exec *exec,
                             const struct prepared *prepared, int64_t epoch, struct text_list *environment) {
    text_list_add(environment, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    text_list_add_format(environment, "SOURCE_DATE_EPOCH=%lld", (long long)epoch);
    const struct json *image = json_get_path(input->config, "config.Env");
    for (size_t i = 0; i < json_count(image); i++)
        if (json_text(json_at(image, i)))
            lay_over(environment, json_text(json_at(image, i)));
    const struct text_list *lists[] = {exec->environment, exec->volatile_environment, &prepared->environment};
    for (size_t l = 0; l < ARRAY_LENGTH(lists); l++)
        for (size_t i = 0; lists[l] && i < lists[l]->count; i++)
            lay_over(environment, lists[l]->items[i]);
}

struct output_target {
    struct progress *progress;
    int step;
    const struct step_exec *exec;
};

static void pass_output(void *context, int stream, const char *data, size_t length) {
    const struct output_target *target = context;
    progress_output(target->progress, target->step, data, length);
    if (target->exec->output)
        target->exec->output(target->exec->output_context, stream, data, length);
}

static int collect_lowers(struct engine *engine, const struct container *input, struct text_list *lowers,
                          struct error *error) {
    for (size_t i = container_layer_count(input); i-- > 0;) {
        struct digest diff_id;
        char *path = NULL;
        if (container_layer(input, i, &diff_id, error) < 0 || layer_directory(engine, &diff_id, &path, error) < 0)
            return error_wrap(error, "cannot lay out the base");
        text_list_take(lowers, path);
    }
    return 0;
}

int step_check_architecture(const struct container *input, struct error *error) {
    const char *own = platform_native() + strlen("linux/"), *wanted = container_architecture(input);
    if (platform_can_run(wanted))
        return 0;
    error_set(error, ERROR_DATA, "the base is for %s and this machine runs %s", wanted, own);
    return error_next(error,
                      "take a base for linux/%s, build on a machine of that architecture, or let this one emulate it: "
                      "sudo apt-get install qemu-user-static binfmt-support",
                      own);
}

int step_run(struct engine *engine, const struct step_run *run, int *status, struct error *error) {
    const struct container *input = run->input;
    const struct step_exec *exec = run->exec;
    AUTO_LIST struct text_list lowers = {0}, environment = {0};
    AUTO_FREE char *work = path_join(run->scratch, "sandbox");
    if (collect_lowers(engine, input, &lowers, error) < 0 || directory_make(work, 0700, error) < 0 ||
        step_prepare_mounts(engine, exec, run->scratch, run->prepared, error) < 0)
        return -1;
    if (run->mount)
        run->prepared->mounts[run->prepared->count++] = *run->mount;
    make_environment(input, exec, run->prepared, engine->epoch, &environment);
    const char *directory = json_get_text(json_get(input->config, "config"), "WorkingDir", "/");
    struct sandbox sandbox = {.lowers = (const char *const *)lowers.items,
                              .lower_count = lowers.count,
                              .upper = run->upper,
                              .scratch = work,
                              .argv = exec->argv,
                              .environment = &environment,
                              .add_host_network_settings = true,
                              .directory = exec->directory ? exec->directory
                                           : *directory    ? directory
                                                           : "/",
                              .user = exec->user ? exec->user
                                                 : json_get_text(json_get(input->config, "config"), "User", ""),
                              .hostname = "build",
                              .mounts = run->prepared->mounts,
                              .mount_count = run->prepared->count,
                              .locks = run->prepared->locks,
                              .lock_count = run->prepared->lock_count,
                              .network = exec->no_network ? SANDBOX_NETWORK_NONE : SANDBOX_NETWORK_HOST,
                              .output = run->output,
                              .output_context = run->output_context,
                              .joins_streams = run->joins_streams,
                              .progress = engine->progress,
                              .timeout = run->timeout};
    return sandbox_run(&sandbox, status, error) < 0 ? error_wrap(error, "%s", exec->name) : 0;
}

static int run_to_success(struct engine *engine, const struct step_run *run, struct error *error) {
    const struct step_exec *exec = run->exec;
    int status;
    if (step_run(engine, run, &status, error) < 0)
        return -1;
    if (status == 0)
        return 0;
    if (store_is_full(engine->store))
        return error_set(error, ERROR_CANNOT_WRITE, "%s failed: the disk of the store %s is full", exec->name,
                         store_path(engine->store));
    if (status > 128)
        return error_set(error, ERROR_STEP, "%s was ended by signal %d (%s)", exec->name, status - 128,
                         strsignal(status - 128));
    return error_set(error, ERROR_STEP, "%s failed with exit code %d", exec->name, status);
}

static char *describe_argv(const struct step_exec *exec) {
    if (exec->created_by)
        return text_copy(exec->created_by);
    AUTO_BUFFER struct buffer text = BUFFER(64 * 1024);
    for (size_t i = 0; i < exec->argv->count; i++)
        buffer_append_format(&text, "%s%s", i ? " " : "", exec->argv->items[i]);
    return buffer_take(&text);
}

static int make_exec(struct engine *engine, const struct container *input, const struct step_exec *exec,
                     struct prepared *prepared, int step, struct container *output, struct error *error) {
    AUTO_FREE char *scratch = NULL, *upper = NULL, *created_by = describe_argv(exec);
    struct digest layer;
    bool empty;
    if (store_scratch(engine->store, &scratch, error) < 0)
        return -1;
    int result = store_tree_begin(engine->store, &upper, error);
    struct output_target target = {engine->progress, step, exec};
    struct step_run run = {.input = input,
                           .exec = exec,
                           .prepared = prepared,
                           .scratch = scratch,
                           .upper = upper,
                           .output = pass_output,
                           .output_context = &target};
    if (result == 0 && run_to_success(engine, &run, error) < 0) {
        store_tree_abort(engine->store, upper);
        result = -1;
    }
    if (result == 0)
        result = layer_from_upper(engine, upper, &layer, &empty, error);
    store_scratch_remove(engine->store, scratch);
    if (result < 0)
        return -1;
    return step_append(engine, input, empty ? NULL : &layer, created_by, NULL, output, error);
}

int step_lock(struct engine *engine, const char *key, const char *name, int *lock, struct error *error) {
    AUTO_FREE char *lock_name = text_format("step %s", key);
    return engine->no_cache ? 0 : store_lock(engine->store, lock_name, name, engine->progress, lock, error);
}

static int make_and_record(struct engine *engine, const struct container *input, const struct step_exec *exec,
                           const struct json *definition, const char *key, struct prepared *prepared,
                           struct container *output, struct error *error) {
    int step = progress_begin(engine->progress, "%s", exec->name);
    int result = make_exec(engine, input, exec, prepared, step, output, error);
    if (result == 0)
        result = step_record_container(engine, key, definition, exec->name, output, error);
    /* Who waits for the lock looks for it. */
    if (result == 0)
        result = store_batch_flush(engine->store, error);
    bool cancelled = result < 0 && progress_cancelled(engine->progress);
    progress_end(engine->progress, step,
                 result == 0 ? PROGRESS_MADE
                 : cancelled ? PROGRESS_CANCELLED
                             : PROGRESS_FAILED);
    engine->steps_made++;
    return result;
}

/* With the locks held, another process may just have made the same step: then it is found after all. */
static int exec_locked(struct engine *engine, const struct container *input, const struct step_exec *exec,
                       const struct json *definition, char *key, struct container *output, struct error *error) {
    struct prepared prepared = {0};
    AUTO_CLOSE int lock = -1;
    /* What came before is not lost when the step runs long and is killed. */
    int result = store_batch_flush(engine->store, error);
    if (result == 0)
        result = sandbox_enter(error);
    if (result == 0)
        store_remove_leftovers(engine->store);
    if (result == 0)
        result = step_lock(engine, key, exec->name, &lock, error);
    if (result == 0)
        result = step_lock_caches(engine, exec, &prepared, error);
    if (result == 0)
        result = step_find(engine, definition, key, output, error);
    if (result == 1)
        step_tell_found(engine, exec->name, key);
    if (result == 0)
        result = make_and_record(engine, input, exec, definition, key, &prepared, output, error);
    step_prepared_release(&prepared);
    return result < 0 ? -1 : 0;
}

int step_exec(struct engine *engine, const struct container *input, const struct step_exec *exec,
              struct container *output, struct error *error) {
    char key[DIGEST_HEX];
    AUTO_JSON struct json *definition = step_define(engine, "exec", input, exec);
    *output = (struct container){0};
    int state = step_find(engine, definition, key, output, error);
    if (state < 0)
        return -1;
    step_explain(engine, exec->name, definition, state == 1);
    if (state == 1) {
        step_tell_found(engine, exec->name, key);
        return 0;
    }
    if (step_check_architecture(input, error) < 0)
        return -1;
    return exec_locked(engine, input, exec, definition, key, output, error);
}
