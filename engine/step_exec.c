/* Steps that run a command: their definition, their run, what is kept of it. */
#include "common/file/file.h"
#include "engine/layer_internal.h"
#include "engine/shell.h"
#include "engine/step_internal.h"

#include <string.h>

/* ---- the definition ---- */

static struct json *text_array(const struct text_list *list) {
    struct json *array = json_new_array();
    for (size_t i = 0; list && i < list->count; i++)
        json_append_text(array, list->items[i]);
    return array;
}

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

static struct json *number_array(const int *numbers, size_t count) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append(array, json_new_integer(numbers[i]));
    return array;
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
    for (size_t i = 0; i < exec->service_count; i++)
        json_set_text(json_need_object(definition, "services"), exec->services[i].name,
                      digest_format(&exec->services[i].container->digest).text);
    if (exec->input)
        json_set_text(definition, "stdin", digest_format(exec->input).text);
    if (exec->expected_count > 0)
        json_set(definition, "expected", number_array(exec->expected, exec->expected_count));
    if (exec->outcome)
        json_set_bool(definition, "keeps", true);
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

/* ---- the run ---- */

struct output_target {
    struct engine *engine;
    int step;
    const struct step_exec *exec;
    struct step_kept kept;
};

static void pass_output(void *context, int stream, const char *data, size_t length) {
    struct output_target *target = context;
    progress_output(target->engine->progress, target->step, data, length);
    if (target->exec->outcome)
        step_kept_add(&target->kept, stream, data, length);
    if (target->exec->output)
        target->exec->output(target->exec->output_context, stream, data, length);
}

/* Where one layer is lost, others are, as a rule: asked for once, each is known to be, and one more run makes them all.
 */
static void ask_for_lost_layers(struct engine *engine, const struct container *container) {
    for (size_t i = 0; i < container_layer_count(container); i++) {
        struct digest diff_id;
        AUTO_FREE char *path = NULL;
        if (container_layer(container, i, &diff_id, NULL) == 0 && !layer_is_available(engine, &diff_id))
            (void)!layer_directory(engine, &diff_id, &path, NULL);
    }
}

int container_lay_out(struct engine *engine, const struct container *container, struct text_list *lowers,
                      struct error *error) {
    for (size_t i = container_layer_count(container); i-- > 0;) {
        struct digest diff_id;
        char *path = NULL;
        if (container_layer(container, i, &diff_id, error) < 0 || layer_directory(engine, &diff_id, &path, error) < 0) {
            ask_for_lost_layers(engine, container);
            return error_wrap(error, "cannot lay out the base");
        }
        text_list_take(lowers, path);
        if (layer_is_opaque(path))
            break;
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

static enum sandbox_network network_of(const struct step_exec *exec) {
    return exec->service_count > 0 ? SANDBOX_NETWORK_JOINED
           : exec->no_network      ? SANDBOX_NETWORK_NONE
                                   : SANDBOX_NETWORK_HOST;
}

static bool is_expected(const struct step_exec *exec, int status) {
    for (size_t i = 0; i < exec->expected_count; i++)
        if (exec->expected[i] == status)
            return true;
    return exec->expected_count == 0 && status == 0;
}

/* A command that has ended, in a container that is still there. */
struct ended {
    struct engine *engine;
    const struct step_run *run;
    const struct sandbox *sandbox;
};

static void tell_failure(void *context, struct sandbox_visit *visit, int status, const struct error *reason) {
    const struct ended *ended = context;
    struct engine *engine = ended->engine;
    const struct step_failure failure = {.step = ended->run->step,
                                         .name = ended->run->exec->name,
                                         .argv = ended->run->exec->argv,
                                         .directory = ended->sandbox->directory,
                                         .user = ended->sandbox->user,
                                         .status = status,
                                         .reason = reason};
    if ((reason || !is_expected(ended->run->exec, status)) && !progress_cancelled(engine->progress))
        engine->failed(engine->failed_context, &failure, visit);
}

/* Both outlive the run. */
static void listen(struct ended *ended, struct shells *shells, struct sandbox *sandbox) {
    if (!ended->engine->failed)
        return;
    shells_of(ended->run->input, shells);
    sandbox->visitors = shells->argvs;
    sandbox->visitor_count = shells->count;
    sandbox->ended = tell_failure;
    sandbox->ended_context = ended;
}

static int run_beside(struct engine *engine, const struct step_run *run, const struct services *services, int *status,
                      struct error *error) {
    const struct json *config = json_get(run->input->config, "config");
    const struct step_exec *exec = run->exec;
    AUTO_LIST struct text_list lowers = {0}, environment = {0}, names = {0};
    AUTO_FREE char *work = path_join(run->scratch, "sandbox");
    AUTO_CLOSE int input_fd = exec->input ? store_open_object(engine->store, exec->input, NULL, error) : -1;
    if (exec->input && input_fd < 0)
        return -1;
    if (container_lay_out(engine, run->input, &lowers, error) < 0 || directory_make(work, 0700, error) < 0 ||
        step_prepare_mounts(engine, exec, run->scratch, run->prepared, error) < 0)
        return -1;
    if (run->mount)
        run->prepared->mounts[run->prepared->count++] = *run->mount;
    make_environment(run->input, exec, run->prepared, engine->epoch, &environment);
    for (size_t i = 0; i < exec->service_count; i++)
        text_list_add(&names, exec->services[i].name);
    const char *directory = json_get_text(config, "WorkingDir", "/");
    struct sandbox sandbox = {.lowers = (const char *const *)lowers.items,
                              .lower_count = lowers.count,
                              .upper = run->upper,
                              .scratch = work,
                              .argv = exec->argv,
                              .environment = &environment,
                              .add_host_network_settings = exec->service_count == 0,
                              .directory = exec->directory ? exec->directory
                                           : *directory    ? directory
                                                           : "/",
                              .user = exec->user ? exec->user : json_get_text(config, "User", ""),
                              .hostname = "build",
                              .mounts = run->prepared->mounts,
                              .mount_count = run->prepared->count,
                              .locks = run->prepared->locks,
                              .lock_count = run->prepared->lock_count,
                              .network = network_of(exec),
                              .network_fd = services ? services_network(services) : -1,
                              .names = &names,
                              .input_fd = input_fd,
                              .output = run->output,
                              .output_context = run->output_context,
                              .joins_streams = run->joins_streams,
                              .progress = engine->progress,
                              .timeout = run->timeout};
    AUTO_SHELLS struct shells shells = {0};
    struct ended ended = {engine, run, &sandbox};
    listen(&ended, &shells, &sandbox);
    return sandbox_run(&sandbox, status, error) < 0 ? error_wrap(error, "%s", exec->name) : 0;
}

int step_run(struct engine *engine, const struct step_run *run, int *status, struct error *error) {
    struct services *services = NULL;
    const struct step_exec *exec = run->exec;
    if (exec->service_count > 0 && services_start(engine, exec->services, exec->service_count, &services, error) < 0)
        return error_wrap(error, "%s", exec->name);
    int result = run_beside(engine, run, services, status, error);
    services_stop(&services);
    return result;
}

static int run_to_success(struct engine *engine, const struct step_run *run, int *status, struct error *error) {
    const struct step_exec *exec = run->exec;
    if (step_run(engine, run, status, error) < 0)
        return -1;
    if (is_expected(exec, *status))
        return 0;
    if (store_is_full(engine->store))
        return error_set(error, ERROR_CANNOT_WRITE, "%s failed: the disk of the store %s is full", exec->name,
                         store_path(engine->store));
    if (*status > 128)
        return error_set(error, ERROR_STEP, "%s was ended by signal %d (%s)", exec->name, *status - 128,
                         strsignal(*status - 128));
    if (*status == 0)
        return error_set(error, ERROR_STEP, "%s succeeded, which is not what was expected", exec->name);
    return error_set(error, ERROR_STEP, "%s failed with exit code %d", exec->name, *status);
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
    struct output_target target = {.engine = engine, .step = step, .exec = exec};
    int status = 0;
    struct step_run run = {.input = input,
                           .exec = exec,
                           .prepared = prepared,
                           .scratch = scratch,
                           .upper = upper,
                           .output = pass_output,
                           .output_context = &target,
                           .step = step};
    if (result == 0 && run_to_success(engine, &run, &status, error) < 0) {
        store_tree_abort(engine->store, upper);
        result = -1;
    }
    if (result == 0)
        result = layer_from_upper(engine, upper, &layer, &empty, error);
    store_scratch_remove(engine->store, scratch);
    if (result == 0)
        result = step_kept_store(engine, exec, &target.kept, status, error);
    step_kept_release(&target.kept);
    return result < 0 ? -1 : step_append(engine, input, empty ? NULL : &layer, created_by, NULL, output, error);
}

static int record(struct engine *engine, const struct step_exec *exec, const char *key, const struct json *definition,
                  const struct container *output, struct error *error) {
    struct json *value = json_new_object();
    json_set_text(value, "container", digest_format(&output->digest).text);
    if (exec->outcome)
        json_set(value, "outcome", step_outcome_json(exec->outcome));
    return step_write(engine, key, definition, exec->name, value, error);
}

static int make_and_record(struct engine *engine, const struct container *input, const struct step_exec *exec,
                           const struct json *definition, const char *key, struct prepared *prepared,
                           struct container *output, struct error *error) {
    int step = progress_begin(engine->progress, "%s", exec->name);
    int result = make_exec(engine, input, exec, prepared, step, output, error);
    if (result == 0)
        result = record(engine, exec, key, definition, output, error);
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

/* 1 when it is there with all that is wanted of it. */
static int find(struct engine *engine, const struct step_exec *exec, const struct json *definition, char *key,
                struct container *output, struct error *error) {
    int state = step_find(engine, definition, key, output, error);
    if (state != 1 || !exec->outcome || step_outcome_recall(engine, key, exec->outcome))
        return state;
    container_release(output);
    return 0;
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
        result = find(engine, exec, definition, key, output, error);
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
    int state = find(engine, exec, definition, key, output, error);
    if (state < 0)
        return -1;
    step_explain(engine, exec->name, definition, state == 1);
    if (state == 1) {
        step_tell_found(engine, exec->name, key);
        return 0;
    }
    if (step_check_architecture(input, error) < 0 || (exec->prepare && exec->prepare(exec->prepare_context, error) < 0))
        return -1;
    return exec_locked(engine, input, exec, definition, key, output, error);
}
