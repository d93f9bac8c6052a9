#include "tools/pl-serve/served.h"

#include "common/file/file.h"
#include "engine/step.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int served_prepare(struct served *service, unsigned host_port, unsigned port, struct error *error) {
    const char *architecture = container_architecture(&service->artifact.container);
    const char *name = record_text(&(struct record){.json = service->artifact.record}, "name");
    service->name = text_copy(text_is_empty(name) ? "service" : name);
    service->port = port;
    service->door.network = -1;
    if (!platform_can_run(architecture))
        return error_set(error, ERROR_DATA, "the container is for %s, and this machine is %s", architecture,
                         platform_native());
    return service->arguments->terminal ? 0 : door_listen(&service->door, host_port, error);
}

/* ---- the command and its environment ---- */

static void add_texts(struct text_list *list, const struct json *texts) {
    for (size_t i = 0; i < json_count(texts); i++)
        if (json_is_text(json_at(texts, i)))
            text_list_add(list, json_text(json_at(texts, i)));
}

/* NAME=VALUE in the place of what has the name. */
static void set_variable(struct text_list *environment, const char *pair) {
    size_t length = strcspn(pair, "=") + 1;
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], pair, length) == 0) {
            free(environment->items[i]);
            environment->items[i] = text_copy(pair);
            return;
        }
    text_list_add(environment, pair);
}

static void set_own(struct text_list *environment, const char *name, const char *value) {
    AUTO_FREE char *pair = text_format("%s=%s", name, value);
    set_variable(environment, pair);
}

/* What Cloud Run tells a service; the options come last. */
static void make_environment(const struct served *service, const struct json *config, struct text_list *environment) {
    AUTO_FREE char *port = text_format("%u", service->door.inside), *revision = text_format("%s-00001", service->name);
    add_texts(environment, json_get(config, "Env"));
    set_own(environment, "PORT", port);
    set_own(environment, "K_SERVICE", service->name);
    set_own(environment, "K_CONFIGURATION", service->name);
    set_own(environment, "K_REVISION", revision);
    for (size_t i = 0; i < service->arguments->environment.count; i++)
        set_variable(environment, service->arguments->environment.items[i]);
}

/* ---- starting ---- */

static bool has_host_network(const struct served *service) {
    const char *network = service->arguments->network;
    return sandbox_mode() == SANDBOX_CHROOT || (network ? text_equal(network, "host") : service->arguments->terminal);
}

/* In the host's network a port of our own choice keeps services apart. */
static int choose_port(struct served *service, struct error *error) {
    service->door.inside = service->port;
    if (!has_host_network(service))
        return 0;
    service->door.inside = 0;
    AUTO_CLOSE int probe = loopback_listen(&service->door.inside, true, error);
    return probe < 0 ? -1 : 0;
}

static void enter_network(void *context, pid_t init) {
    struct served *service = context;
    AUTO_FREE char *path = text_format("/proc/%d/ns/net", (int)init);
    service->door.network = has_host_network(service) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

/* The upper and the work directory of its overlay. */
static int make_folders(struct served *service, char **upper, char **work, struct error *error) {
    if (store_scratch(service->engine->store, &service->scratch, error) < 0)
        return -1;
    *upper = path_join(service->scratch, "upper");
    *work = path_join(service->scratch, "work");
    if (directory_make(*upper, 0755, error) < 0 || directory_make(*work, 0700, error) < 0)
        return -1;
    /* It is the mode of the container's "/", whatever our umask says. */
    return chmod(*upper, 0755) < 0 ? error_set_errno(error, errno, "cannot make the container's root") : 0;
}

void served_root_release(struct served_root *root) {
    text_list_release(&root->lowers);
    text_list_release(&root->environment);
    free(take_pointer(&root->upper));
    free(take_pointer(&root->work));
}

int served_lay_out(struct served *service, struct served_root *root, struct error *error) {
    const struct container *container = &service->artifact.container;
    const struct json *config = json_get(container->config, "config");
    const char *directory = json_get_text(config, "WorkingDir", "");
    *root = (struct served_root){0};
    if (sandbox_enter(error) < 0 || container_lay_out(service->engine, container, &root->lowers, error) < 0 ||
        make_folders(service, &root->upper, &root->work, error) < 0 || choose_port(service, error) < 0)
        return -1;
    make_environment(service, config, &root->environment);
    bool on_host = has_host_network(service);
    root->sandbox =
        (struct sandbox){.lowers = (const char *const *)root->lowers.items,
                         .lower_count = root->lowers.count,
                         .upper = root->upper,
                         .scratch = root->work,
                         .environment = &root->environment,
                         .add_host_network_settings = on_host,
                         .directory = *directory ? directory : "/",
                         .user = json_get_text(config, "User", ""),
                         .hostname = "localhost",
                         .network = on_host ? SANDBOX_NETWORK_HOST : SANDBOX_NETWORK_NONE,
                         .memory_limit = service->arguments->memory > 0 ? (uint64_t)service->arguments->memory : 0};
    return 0;
}

static int launch(struct served *service, int output, struct error *error) {
    const struct json *config = json_get(service->artifact.container.config, "config");
    AUTO_SERVED_ROOT struct served_root root = {0};
    AUTO_LIST struct text_list command = {0};
    add_texts(&command, json_get(config, "Entrypoint"));
    add_texts(&command, json_get(config, "Cmd"));
    if (command.count == 0) {
        error_set(error, ERROR_DATA, "the container names no command to run");
        return error_next(error, "name it: … | pl-with entrypoint -- COMMAND | pl-serve …");
    }
    if (served_lay_out(service, &root, error) < 0)
        return -1;
    root.sandbox.argv = &command;
    root.sandbox.prepare = enter_network;
    root.sandbox.prepare_context = service;
    service->process = sandbox_start(&root.sandbox, output, error);
    return service->process ? 0 : -1;
}

int served_start(struct served *service, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    int result = launch(service, ends[1], error);
    close(ends[1]);
    if (result < 0) {
        close(ends[0]);
        return error_wrap(error, "cannot start %s", service->name);
    }
    service->output.fd = ends[0];
    return 0;
}

int served_open(struct served *service, struct error *error) {
    service->step = progress_begin(service->engine->progress, "serve %s", service->name);
    if (service->arguments->up)
        progress_show(service->engine->progress, service->step);
    output_open(&service->output, service->engine->progress, service->step);
    return door_open(&service->door, error);
}

/* ---- ending ---- */

bool served_ended(struct served *service, int *status) {
    bool out_of_memory;
    return sandbox_process_ended(service->process, status, &out_of_memory);
}

char *served_end_words(const struct served *service, int status) {
    return status > 128
               ? text_format("%s was ended by signal %d (%s)", service->name, status - 128, strsignal(status - 128))
               : text_format("%s ended with exit code %d", service->name, status);
}

void served_ask(struct served *service) {
    sandbox_process_ask(service->process);
}

void served_stop(struct served *service, enum progress_outcome outcome) {
    door_close(&service->door);
    sandbox_process_stop(&service->process, STOP_SECONDS);
    output_finish(&service->output);
    if (service->step >= 0)
        progress_end(service->engine->progress, service->step, outcome);
    service->step = -1;
    if (service->scratch)
        store_scratch_remove(service->engine->store, service->scratch);
    free(take_pointer(&service->scratch));
    free(take_pointer(&service->name));
    artifact_release(&service->artifact);
}
