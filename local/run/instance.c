#include "common/crypto/random.h"
#include "common/file/file.h"
#include "engine/container.h"
#include "engine/layer.h"
#include "local/run/volumes.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { DEFAULT_PORT = 8080, LOG_LOOK_MILLISECONDS = 500, DRAIN_ROUNDS = 4, MEMORY_DEFAULT = 512 << 20 };

struct instance {
    struct run *run;
    char id[97];
    char *revision;
    char *log_path;
    char *scratch;
    struct sandbox_process *process;
    struct gateway *gateway;
    int network; /* its network namespace, or -1: the host's */
    unsigned port;
    int output; /* what it prints comes here */
    pthread_t logger;
    bool is_logging;
    atomic_bool over; /* the process has ended: no more output is waited for */
};

struct launch *launch_new(const struct service *service, const struct revision *revision) {
    struct launch *launch = memory_allocate(1, sizeof(*launch));
    launch->project = text_copy(service->project);
    launch->region = text_copy(service->region);
    launch->service = text_copy(service->name);
    launch->revision = text_copy(revision->name);
    launch->document = json_copy_deep(revision->document);
    return launch;
}

void launch_release(struct launch **pointer) {
    struct launch *launch = *pointer;
    *pointer = NULL;
    if (!launch)
        return;
    free(launch->project);
    free(launch->region);
    free(launch->service);
    free(launch->revision);
    text_list_release(&launch->task);
    json_release(&launch->document);
    free(launch);
}

/* ---- what it prints ---- */

struct line {
    char *text;
    size_t used;
};

static void put_line(const struct instance *instance, struct line *line) {
    if (line->used > 0 && line->text[line->used - 1] == '\r')
        line->used--;
    run_log_append(instance->log_path, instance->revision, instance->id, line->text, line->used);
    line->used = 0;
}

static void cut_lines(const struct instance *instance, struct line *line, const char *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (data[i] != '\n')
            line->text[line->used++] = data[i];
        if (data[i] == '\n' || line->used == RUN_LOG_LINE)
            put_line(instance, line);
    }
}

static void *keep_log(void *context) {
    struct instance *instance = context;
    struct line line = {.text = memory_allocate(1, RUN_LOG_LINE)};
    char block[16384];
    struct pollfd wait = {.fd = instance->output, .events = POLLIN};
    for (int quiet = 0; quiet < DRAIN_ROUNDS;) {
        /* Somebody outside of the container may hold the other end: the process's own end counts, too. */
        int ready = poll(&wait, 1, atomic_load(&instance->over) ? 10 : LOG_LOOK_MILLISECONDS);
        quiet = ready == 0 && atomic_load(&instance->over) ? quiet + 1 : 0;
        if (ready <= 0)
            continue;
        ssize_t got = read(instance->output, block, sizeof(block));
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got > 0)
            cut_lines(instance, &line, block, (size_t)got);
    }
    if (line.used)
        put_line(instance, &line);
    free(line.text);
    return NULL;
}

static void end_log(struct instance *instance) {
    atomic_store(&instance->over, true);
    if (instance->is_logging)
        pthread_join(instance->logger, NULL);
    instance->is_logging = false;
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
                              struct text_list *environment) {
    AUTO_FREE char *port = text_format("%u", instance->port);
    for (size_t i = 0; i < launch->task.count; i++)
        text_list_add(environment, launch->task.items[i]);
    if (launch->task.count > 0)
        return;
    set_variable(environment, "PORT", port);
    set_variable(environment, "K_SERVICE", launch->service);
    set_variable(environment, "K_REVISION", launch->revision);
    set_variable(environment, "K_CONFIGURATION", launch->service);
}

static int make_environment(const struct instance *instance, const struct launch *launch, const struct json *container,
                            const struct json *config, struct text_list *environment, struct failure *failure) {
    const struct json *variables = json_get(container, "env");
    add_texts(environment, json_get(config, "Env"));
    set_own_variables(instance, launch, environment);
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

/* Before the command runs: it may ask the metadata server at once. */
static void open_network(void *context, pid_t init) {
    struct instance *instance = context;
    AUTO_FREE char *path = text_format("/proc/%d/ns/net", (int)init);
    instance->network = sandbox_mode() == SANDBOX_CHROOT ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (instance->network >= 0)
        instance->gateway = gateway_open(instance->run, instance->network);
}

static void release(struct instance *instance) {
    end_log(instance);
    cleanup_close(&instance->output);
    cleanup_close(&instance->network);
    if (instance->scratch)
        store_scratch_remove(instance->run->cloud->store, instance->scratch);
    free(instance->scratch);
    free(instance->revision);
    free(instance->log_path);
    free(instance);
}

/* In the chroot mode there is one network for all: a port of our own choice keeps services apart. */
static unsigned choose_port(const struct json *container) {
    unsigned port = 0;
    int64_t wanted = json_get_integer(json_at(json_get(container, "ports"), 0), "containerPort", DEFAULT_PORT);
    if (sandbox_mode() != SANDBOX_CHROOT)
        return (unsigned)wanted;
    AUTO_CLOSE int probe = loopback_listen(&port, true, NULL);
    return probe >= 0 ? port : (unsigned)wanted;
}

static int start_process(struct instance *instance, const struct json *container, const struct image *image,
                         const struct volumes *volumes, const struct text_list *environment, struct error *error) {
    AUTO_LIST struct text_list lowers = {0}, command = {0};
    const struct json *config = json_get(image->config, "config");
    int ends[2];
    if (lay_out(instance->run, image, &lowers, error) < 0 ||
        store_scratch(instance->run->cloud->store, &instance->scratch, error) < 0)
        return -1;
    AUTO_FREE char *upper = path_join(instance->scratch, "upper");
    AUTO_FREE char *work = path_join(instance->scratch, "work");
    make_command(container, config, &command);
    if (command.count == 0)
        return error_set(error, ERROR_STEP, "the image names no command to run");
    /* The upper directory's mode is that of the container's "/", whatever our umask says. */
    if (directory_make(upper, 0755, error) < 0 || directory_make(work, 0700, error) < 0)
        return -1;
    if (chmod(upper, 0755) < 0)
        return error_set_errno(error, errno, "cannot make the container's root");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    instance->output = ends[0];
    struct sandbox sandbox = {
        .lowers = (const char *const *)lowers.items,
        .lower_count = lowers.count,
        .upper = upper,
        .scratch = work,
        .argv = &command,
        .environment = environment,
        .directory = json_get_text(container, "workingDir", json_get_text(config, "WorkingDir", "/")),
        .user = json_get_text(config, "User", ""),
        .hostname = "localhost",
        .mounts = volumes->mounts,
        .mount_count = volumes->count,
        .network = SANDBOX_NETWORK_NONE,
        .prepare = open_network,
        .prepare_context = instance,
        .memory_limit = memory_bytes(json_get_text(json_get_path(container, "resources.limits"), "memory", "512Mi"),
                                     MEMORY_DEFAULT)};
    instance->process = run_launch(instance->run, &sandbox, ends[1], error);
    close(ends[1]);
    return instance->process ? 0 : -1;
}

static struct instance *instance_new(struct run *run, const struct launch *launch, const struct json *container) {
    struct instance *instance = memory_allocate(1, sizeof(*instance));
    instance->run = run;
    instance->network = instance->output = -1;
    instance->revision = text_copy(launch->revision);
    instance->log_path = run_log_path(run->cloud->state, launch->project, launch->region, launch->service);
    instance->port = choose_port(container);
    random_hex(instance->id, sizeof(instance->id));
    AUTO_FREE char *folder =
        text_copy_length(instance->log_path, (size_t)(strrchr(instance->log_path, '/') - instance->log_path));
    struct error ignored;
    if (directory_make(folder, 0700, &ignored) < 0)
        error_clear(&ignored);
    return instance;
}

static void failure_of_start(const struct error *error, struct failure *failure) {
    failure_set(failure, "CONTAINER_EXITED", "The container could not be started: %.600s", error->text);
    failure_detail(failure, "exitCode", "%d", 127);
}

static int start_container(struct instance *instance, const struct launch *launch, const struct json *container,
                           const struct image *image, struct failure *failure) {
    AUTO_LIST struct text_list environment = {0};
    AUTO_VOLUMES struct volumes volumes = {0};
    struct error error = {0};
    if (make_environment(instance, launch, container, json_get(image->config, "config"), &environment, failure) < 0 ||
        volumes_prepare(instance->run, launch->document, &volumes, failure) < 0)
        return -1;
    int result = start_process(instance, container, image, &volumes, &environment, &error);
    for (size_t i = 0; i < environment.count; i++)
        memory_wipe(environment.items[i], strlen(environment.items[i]));
    if (result < 0)
        failure_of_start(&error, failure);
    error_clear(&error);
    return result;
}

struct instance *instance_begin(struct run *run, const struct launch *launch, struct failure *failure) {
    const struct json *container = json_at(json_get(launch->document, "containers"), 0);
    AUTO_IMAGE struct image image = {0};
    if (run->cannot_run) {
        failure_set(failure, "UNKNOWN", "This machine cannot run containers: %.800s", run->cannot_run);
        return NULL;
    }
    if (find_image(run, json_get_text(container, "image", ""), &image, failure) < 0)
        return NULL;
    struct instance *instance = instance_new(run, launch, container);
    if (start_container(instance, launch, container, &image, failure) < 0) {
        run_log_append(instance->log_path, instance->revision, instance->id, failure->text, strlen(failure->text));
        release(instance);
        return NULL;
    }
    instance->is_logging = pthread_create(&instance->logger, NULL, keep_log, instance) == 0;
    return instance;
}

struct instance *instance_start(struct run *run, const struct launch *launch, struct failure *failure) {
    const struct json *container = json_at(json_get(launch->document, "containers"), 0);
    struct instance *instance = instance_begin(run, launch, failure);
    if (!instance)
        return NULL;
    if (probe_wait(run, instance, sandbox_process_pid(instance->process), container, instance->port, failure))
        return instance;
    instance_stop(&instance, 0);
    return NULL;
}

void instance_stop(struct instance **pointer, unsigned grace) {
    struct instance *instance = *pointer;
    *pointer = NULL;
    if (!instance)
        return;
    gateway_close(&instance->gateway);
    sandbox_process_stop(&instance->process, grace);
    release(instance);
}

bool instance_ended(struct instance *instance, int *status, bool *out_of_memory) {
    return sandbox_process_ended(instance->process, status, out_of_memory);
}

const char *instance_id(const struct instance *instance) {
    return instance->id;
}

void service_log(const struct run *run, const struct service *service, const char *revision, const char *text) {
    AUTO_FREE char *path = run_log_path(run->cloud->state, service->project, service->region, service->name);
    run_log_append(path, revision ? revision : "", "", text, strlen(text));
}

struct door instance_door(const struct instance *instance) {
    struct door door = {.network = -1, .port = instance->port, .shared = sandbox_mode() == SANDBOX_CHROOT};
    if (!door.shared)
        door.network = fcntl(instance->network, F_DUPFD_CLOEXEC, 3);
    return door;
}

int door_connect(struct door *door, unsigned port) {
    AUTO_CLOSE int network = take_fd(&door->network);
    if (door->shared)
        return network_connect(-1, "127.0.0.1", port ? port : door->port);
    if (network >= 0)
        return network_connect(network, SANDBOX_ADDRESS, port ? port : door->port);
    errno = ENETDOWN;
    return -1;
}
