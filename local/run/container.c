#include "local/run/container.h"

#include "common/file/file.h"
#include "engine/container.h"
#include "engine/layer.h"
#include "local/run/gateway.h"
#include "local/run/volumes.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

enum { LOG_LOOK_MILLISECONDS = 500, DRAIN_ROUNDS = 4, MEMORY_DEFAULT = 512 << 20 };

struct running_container {
    struct instance *instance;
    char *name; /* NULL: it has none */
    char *memory;
    char *scratch;
    struct sandbox_process *process;
    int output; /* what it prints comes here */
    pthread_t logger;
    bool is_logging;
    atomic_bool over; /* the process has ended: no more output is waited for */
};

/* ---- what it prints ---- */

struct line {
    char *text;
    size_t used;
};

static void put_line(const struct running_container *container, struct line *line) {
    if (line->used > 0 && line->text[line->used - 1] == '\r')
        line->used--;
    instance_log(container->instance, container->name, line->text, line->used);
    line->used = 0;
}

static void cut_lines(const struct running_container *container, struct line *line, const char *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (data[i] != '\n')
            line->text[line->used++] = data[i];
        if (data[i] == '\n' || line->used == RUN_LOG_LINE)
            put_line(container, line);
    }
}

static void *keep_log(void *context) {
    struct running_container *container = context;
    struct line line = {.text = memory_allocate(1, RUN_LOG_LINE)};
    char block[16384];
    struct pollfd wait = {.fd = container->output, .events = POLLIN};
    for (int quiet = 0; quiet < DRAIN_ROUNDS;) {
        /* Somebody outside of the container may hold the other end: the process's own end counts, too. */
        int ready = poll(&wait, 1, atomic_load(&container->over) ? 10 : LOG_LOOK_MILLISECONDS);
        quiet = ready == 0 && atomic_load(&container->over) ? quiet + 1 : 0;
        if (ready <= 0)
            continue;
        ssize_t got = read(container->output, block, sizeof(block));
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got > 0)
            cut_lines(container, &line, block, (size_t)got);
    }
    if (line.used)
        put_line(container, &line);
    free(line.text);
    return NULL;
}

static void end_log(struct running_container *container) {
    atomic_store(&container->over, true);
    if (container->is_logging)
        pthread_join(container->logger, NULL);
    container->is_logging = false;
}

/* ---- the image ---- */

static int find_image(struct run *run, const char *reference, struct image *image, struct failure *failure) {
    struct error error = {0};
    if (registry_find_image(run->cloud, reference, image, &error) == 0)
        return 0;
    if (error.kind == ERROR_DATA) {
        failure_set(failure, "WRONG_ARCHITECTURE",
                    "The container image is for the architecture %.60s; Cloud Run supports linux/%s.", error.text,
                    platform_native() + strlen("linux/"));
        failure_detail(failure, "architecture", "%.60s", error.text);
    } else {
        failure_set(failure, "IMAGE_NOT_FOUND", "Image '%.300s' not found.", reference);
        failure_detail(failure, "image", "%.300s", reference);
    }
    return -1;
}

/* Every layer as a directory, topmost first. */
static int lay_out(struct run *run, const struct image *image, struct text_list *lowers, struct error *error) {
    const struct json *layers = json_get(image->manifest, "layers");
    const struct json *diff_ids = json_get_path(image->config, "rootfs.diff_ids");
    if (json_count(layers) != json_count(diff_ids))
        return error_set(error, ERROR_DATA, "the manifest and the config name different numbers of layers");
    for (size_t i = json_count(layers); i-- > 0;) {
        const struct json *layer = json_at(layers, i);
        struct layer_descriptor descriptor = {.size = (uint64_t)json_get_integer(layer, "size", 0), .is_local = true};
        struct digest diff_id;
        char *path = NULL;
        snprintf(descriptor.media_type, sizeof(descriptor.media_type), "%s", json_get_text(layer, "mediaType", ""));
        if (digest_parse(json_get_text(layer, "digest", ""), &descriptor.digest, error) < 0 ||
            digest_parse(json_text(json_at(diff_ids, i)), &diff_id, error) < 0 ||
            layer_from_blob(&run->engine, &diff_id, &descriptor, error) < 0 ||
            layer_directory(&run->engine, &diff_id, &path, error) < 0)
            return -1;
        text_list_take(lowers, path);
        if (layer_is_opaque(path))
            break;
    }
    return 0;
}

/* ---- the command ---- */

static void add_texts(struct text_list *list, const struct json *texts) {
    for (size_t i = 0; i < json_count(texts); i++)
        if (json_is_text(json_at(texts, i)))
            text_list_add(list, json_text(json_at(texts, i)));
}

/* Cloud Run: `command` replaces the entrypoint and drops the image's arguments; `args` replaces the arguments. */
static void make_command(const struct json *container, const struct json *config, struct text_list *command) {
    const struct json *entry = json_get(container, "command"), *arguments = json_get(container, "args");
    add_texts(command, entry ? entry : json_get(config, "Entrypoint"));
    if (arguments || !entry)
        add_texts(command, arguments ? arguments : json_get(config, "Cmd"));
}

static void set_variable(struct text_list *environment, const char *name, const char *value) {
    size_t length = strlen(name);
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, length) == 0 && environment->items[i][length] == '=') {
            free(environment->items[i]);
            environment->items[i] = text_format("%s=%s", name, value);
            return;
        }
    text_list_add_format(environment, "%s=%s", name, value);
}

static void set_own_variables(const struct instance *instance, const struct launch *launch,
                              const struct json *container, struct text_list *environment) {
    AUTO_FREE char *port = text_format("%u", instance->port);
    for (size_t i = 0; i < launch->task.count; i++)
        text_list_add(environment, launch->task.items[i]);
    if (launch->task.count > 0)
        return;
    /* Only the one that requests come to is told a port. */
    if (json_get(container, "ports"))
        set_variable(environment, "PORT", port);
    set_variable(environment, "K_SERVICE", launch->service);
    set_variable(environment, "K_REVISION", launch->revision);
    set_variable(environment, "K_CONFIGURATION", launch->service);
}

static int make_environment(const struct instance *instance, const struct launch *launch, const struct json *container,
                            const struct json *config, struct text_list *environment, struct failure *failure) {
    const struct json *variables = json_get(container, "env");
    add_texts(environment, json_get(config, "Env"));
    set_own_variables(instance, launch, container, environment);
    set_variable(environment, "GCE_METADATA_HOST", SANDBOX_METADATA);
    for (size_t i = 0; i < json_count(variables); i++) {
        char *value = variable_value(instance->run, json_at(variables, i), failure);
        if (!value)
            return -1;
        set_variable(environment, json_get_text(json_at(variables, i), "name", ""), value);
        memory_wipe(value, strlen(value));
        free(value);
    }
    return 0;
}

uint64_t memory_bytes(const char *text, uint64_t fallback) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}};
    char *end = NULL;
    double value = strtod(text, &end);
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (text_equal(end, units[i].unit) && value > 0 && value < 1e12)
            return (uint64_t)(value * units[i].factor);
    return fallback;
}

/* ---- starting and ending ---- */

/* Before the command of the first one runs: it may ask the metadata server at once. */
static void open_network(void *context, pid_t init) {
    struct instance *instance = context;
    AUTO_FREE char *path = text_format("/proc/%d/ns/net", (int)init);
    instance->network = sandbox_mode() == SANDBOX_CHROOT ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (instance->network >= 0)
        instance->gateway = gateway_open(instance->run, instance->network);
}

/* The upper and the work directory of its overlay. */
static int make_folders(struct running_container *container, char **upper, char **work, struct error *error) {
    if (store_scratch(container->instance->run->cloud->store, &container->scratch, error) < 0)
        return -1;
    *upper = path_join(container->scratch, "upper");
    *work = path_join(container->scratch, "work");
    /* The upper directory's mode is that of the container's "/", whatever our umask says. */
    if (directory_make(*upper, 0755, error) < 0 || directory_make(*work, 0700, error) < 0)
        return -1;
    return chmod(*upper, 0755) < 0 ? error_set_errno(error, errno, "cannot make the container's root") : 0;
}

static int start_process(struct running_container *container, const struct json *given, const struct image *image,
                         const struct volumes *volumes, const struct text_list *environment, struct error *error) {
    struct instance *instance = container->instance;
    AUTO_LIST struct text_list lowers = {0}, command = {0};
    AUTO_FREE char *upper = NULL, *work = NULL;
    const struct json *config = json_get(image->config, "config");
    int ends[2];
    if (lay_out(instance->run, image, &lowers, error) < 0 || make_folders(container, &upper, &work, error) < 0)
        return -1;
    make_command(given, config, &command);
    if (command.count == 0)
        return error_set(error, ERROR_STEP, "the image names no command to run");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    container->output = ends[0];
    bool joins = instance->network >= 0;
    struct sandbox sandbox = {.lowers = (const char *const *)lowers.items,
                              .lower_count = lowers.count,
                              .upper = upper,
                              .scratch = work,
                              .argv = &command,
                              .environment = environment,
                              .directory = json_get_text(given, "workingDir", json_get_text(config, "WorkingDir", "/")),
                              .user = json_get_text(config, "User", ""),
                              .hostname = "localhost",
                              .mounts = volumes->mounts,
                              .mount_count = volumes->count,
                              .network = joins ? SANDBOX_NETWORK_JOINED : SANDBOX_NETWORK_NONE,
                              .network_fd = instance->network,
                              .prepare = joins ? NULL : open_network,
                              .prepare_context = instance,
                              .memory_limit = memory_bytes(container->memory, MEMORY_DEFAULT)};
    container->process = run_launch(instance->run, &sandbox, ends[1], error);
    close(ends[1]);
    return container->process ? 0 : -1;
}

static int start(struct running_container *container, const struct launch *launch, const struct json *given,
                 struct failure *failure) {
    struct instance *instance = container->instance;
    AUTO_IMAGE struct image image = {0};
    AUTO_LIST struct text_list environment = {0};
    AUTO_VOLUMES struct volumes volumes = {0};
    struct error error = {0};
    if (find_image(instance->run, json_get_text(given, "image", ""), &image, failure) < 0 ||
        make_environment(instance, launch, given, json_get(image.config, "config"), &environment, failure) < 0 ||
        volumes_prepare(instance, launch->document, given, &volumes, failure) < 0)
        return -1;
    int result = start_process(container, given, &image, &volumes, &environment, &error);
    for (size_t i = 0; i < environment.count; i++)
        memory_wipe(environment.items[i], strlen(environment.items[i]));
    if (result < 0) {
        failure_set(failure, "CONTAINER_EXITED", "The container could not be started: %.600s", error.text);
        failure_detail(failure, "exitCode", "%d", 127);
    }
    error_clear(&error);
    return result;
}

struct running_container *container_start(struct instance *instance, const struct launch *launch,
                                          const struct json *given, struct failure *failure) {
    struct running_container *container = memory_allocate(1, sizeof(*container));
    *container = (struct running_container){
        .instance = instance,
        .name = text_copy(json_get_text(given, "name", NULL)),
        .memory = text_copy(json_get_text(json_get_path(given, "resources.limits"), "memory", "512Mi")),
        .output = -1};
    if (start(container, launch, given, failure) == 0) {
        container->is_logging = pthread_create(&container->logger, NULL, keep_log, container) == 0;
        return container;
    }
    instance_log(instance, container->name, failure->text, strlen(failure->text));
    failure->is_logged = true;
    if (instance->has_several)
        failure_detail(failure, "container", "%s", container->name);
    container_end(&container, 0);
    return NULL;
}

void container_end(struct running_container **pointer, unsigned grace) {
    struct running_container *container = *pointer;
    *pointer = NULL;
    if (!container)
        return;
    sandbox_process_stop(&container->process, grace);
    end_log(container);
    cleanup_close(&container->output);
    if (container->scratch)
        store_scratch_remove(container->instance->run->cloud->store, container->scratch);
    free(container->scratch);
    free(container->name);
    free(container->memory);
    free(container);
}

bool container_ended(struct running_container *container, int *status, bool *out_of_memory) {
    return sandbox_process_ended(container->process, status, out_of_memory);
}

const char *container_name(const struct running_container *container) {
    return container->name;
}

const char *container_memory(const struct running_container *container) {
    return container->memory;
}

pid_t container_pid(const struct running_container *container) {
    return sandbox_process_pid(container->process);
}
