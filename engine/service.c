#include "engine/service.h"

#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/sandbox/sandbox.h"
#include "engine/step.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { GRACE = 5, POLL_NANOSECONDS = 10000000, TABLE_LIMIT = 4 * 1024 * 1024, LAST_BYTES = 1200, LISTENING = 0x0A };

struct running {
    const struct service *service;
    struct sandbox_process *process;
    char *scratch, *log;
    unsigned port;
};

struct services {
    struct engine *engine;
    struct running items[SERVICE_LIMIT];
    size_t count;
    int network; /* of the first one */
};

/* ---- what it is ---- */

static const struct json *setting(const struct service *service, const char *name) {
    return json_get(json_get(service->container->config, "config"), name);
}

static void add_texts(struct text_list *list, const struct json *array) {
    for (size_t i = 0; i < json_count(array); i++)
        if (json_text(json_at(array, i)))
            text_list_add(list, json_text(json_at(array, i)));
}

/* The lowest one, of TCP. */
static int find_port(const struct service *service, unsigned *port, struct error *error) {
    const struct json *ports = setting(service, "ExposedPorts");
    *port = 0;
    for (void *i = json_first(ports); i; i = json_next(ports, i)) {
        const char *key = json_key(i);
        AUTO_FREE char *number = text_copy_length(key, strcspn(key, "/"));
        uint64_t value;
        if (!text_ends_with(key, "/udp") && text_to_u64(number, 65535, &value) && value > 0 &&
            (*port == 0 || value < *port))
            *port = (unsigned)value;
    }
    if (*port)
        return 0;
    error_set(error, ERROR_DATA, "the service %s exposes no port", service->name);
    return error_next(error, "say which one it listens on: pl-with port PORT");
}

/* ---- one ---- */

static int make_folders(struct services *services, struct running *running, char **upper, char **work,
                        struct error *error) {
    if (store_scratch(services->engine->store, &running->scratch, error) < 0)
        return -1;
    *upper = path_join(running->scratch, "upper");
    *work = path_join(running->scratch, "work");
    running->log = path_join(running->scratch, "log");
    if (directory_make(*upper, 0755, error) < 0 || directory_make(*work, 0700, error) < 0)
        return -1;
    return chmod(*upper, 0755) < 0 ? error_set_errno(error, errno, "cannot make the root of a service") : 0;
}

static int launch(struct services *services, struct running *running, const struct text_list *lowers,
                  struct error *error) {
    const struct service *service = running->service;
    const struct json *config = json_get(service->container->config, "config");
    AUTO_LIST struct text_list argv = {0}, environment = {0};
    AUTO_FREE char *upper = NULL, *work = NULL;
    add_texts(&argv, setting(service, "Entrypoint"));
    add_texts(&argv, setting(service, "Cmd"));
    add_texts(&environment, setting(service, "Env"));
    if (argv.count == 0)
        return error_set(error, ERROR_DATA, "the image of the service %s names no command", service->name);
    if (make_folders(services, running, &upper, &work, error) < 0)
        return -1;
    AUTO_CLOSE int log = open(running->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    bool joins = services->network >= 0;
    const char *directory = json_get_text(config, "WorkingDir", "/");
    struct sandbox sandbox = {.lowers = (const char *const *)lowers->items,
                              .lower_count = lowers->count,
                              .upper = upper,
                              .scratch = work,
                              .argv = &argv,
                              .environment = &environment,
                              .directory = *directory ? directory : "/",
                              .user = json_get_text(config, "User", ""),
                              .hostname = service->name,
                              .network = joins ? SANDBOX_NETWORK_JOINED : SANDBOX_NETWORK_NONE,
                              .network_fd = services->network};
    running->process = sandbox_start(&sandbox, log, error);
    return running->process ? 0 : error_wrap(error, "the service %s", service->name);
}

static int open_network(struct services *services, const struct running *running, struct error *error) {
    AUTO_FREE char *path = text_format("/proc/%d/ns/net", (int)sandbox_process_pid(running->process));
    if (services->network >= 0)
        return 0;
    services->network = open(path, O_RDONLY | O_CLOEXEC);
    /* One that has ended already has none: whoever waits for it sees that and says so. */
    return services->network >= 0 || errno == ENOENT
               ? 0
               : error_set_errno(error, errno, "cannot see the network of a service");
}

/* ---- waiting for it ---- */

/* Of "  0: 00000000:1F90 00000000:0000 0A …" the port and the state. */
static bool line_listens(const char *line, unsigned port) {
    const char *colon = strchr(line, ':'), *local = colon ? strchr(colon + 1, ':') : NULL;
    const char *remote = local ? strchr(local + 1, ':') : NULL, *state = remote ? strchr(remote, ' ') : NULL;
    return state && strtoul(local + 1, NULL, 16) == port && strtoul(state, NULL, 16) == LISTENING;
}

/* Without a connection, which it would have to answer. */
static bool listens(const struct running *running, const char *table) {
    AUTO_FREE char *path = text_format("/proc/%d/net/%s", (int)sandbox_process_pid(running->process), table);
    AUTO_FILE FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file))
        found = line_listens(line, running->port);
    return found;
}

static int tell_end(const struct running *running, const char *what, struct error *error) {
    AUTO_BUFFER struct buffer log = BUFFER(TABLE_LIMIT);
    bool found;
    if (file_read(running->log, &log, &found, NULL) < 0)
        buffer_clear(&log);
    const char *last = buffer_text(&log) + (log.length > LAST_BYTES ? log.length - LAST_BYTES : 0);
    return error_set(error, ERROR_STEP, "the service %s %s%s%s", running->service->name, what, *last ? ": " : "", last);
}

static int wait_for(struct services *services, struct running *running, struct error *error) {
    time_t end = time(NULL) + SERVICE_SECONDS;
    int status;
    bool out_of_memory;
    while (!listens(running, "tcp") && !listens(running, "tcp6")) {
        if (sandbox_process_ended(running->process, &status, &out_of_memory)) {
            AUTO_FREE char *what = text_format("ended with %d before it listened on port %u", status, running->port);
            return tell_end(running, what, error);
        }
        if (progress_cancelled(services->engine->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        if (time(NULL) > end) {
            AUTO_FREE char *what = text_format("does not listen on port %u after %d s", running->port, SERVICE_SECONDS);
            return tell_end(running, what, error);
        }
        nanosleep(&(struct timespec){.tv_nsec = POLL_NANOSECONDS}, NULL);
    }
    return 0;
}

/* ---- all ---- */

static int start_one(struct services *services, const struct service *service, struct error *error) {
    struct running *running = &services->items[services->count++];
    AUTO_LIST struct text_list lowers = {0};
    *running = (struct running){.service = service};
    if (find_port(service, &running->port, error) < 0 ||
        container_lay_out(services->engine, service->container, &lowers, error) < 0 ||
        launch(services, running, &lowers, error) < 0 || open_network(services, running, error) < 0)
        return -1;
    return wait_for(services, running, error);
}

int services_start(struct engine *engine, const struct service *list, size_t count, struct services **services,
                   struct error *error) {
    *services = NULL;
    if (sandbox_enter(error) < 0)
        return -1;
    if (sandbox_mode() == SANDBOX_CHROOT)
        return error_set(error, ERROR_CONFIGURATION, "services need a network of their own, which cannot be made here");
    struct services *all = memory_allocate(1, sizeof(*all));
    *all = (struct services){.engine = engine, .network = -1};
    int step = progress_begin(engine->progress, "start %s%s", list[0].name, count > 1 ? " and others" : "");
    int result = 0;
    for (size_t i = 0; result == 0 && i < count && i < SERVICE_LIMIT; i++)
        result = start_one(all, &list[i], error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    if (result < 0)
        services_stop(&all);
    *services = all;
    return result;
}

int services_network(const struct services *services) {
    return services->network;
}

void services_stop(struct services **pointer) {
    struct services *services = *pointer;
    *pointer = NULL;
    if (!services)
        return;
    for (size_t i = services->count; i-- > 0;)
        sandbox_process_ask(services->items[i].process);
    for (size_t i = services->count; i-- > 0;) {
        struct running *running = &services->items[i];
        sandbox_process_stop(&running->process, GRACE);
        if (running->scratch)
            store_scratch_remove(services->engine->store, running->scratch);
        free(running->scratch);
        free(running->log);
    }
    if (services->network >= 0)
        close(services->network);
    free(services);
}
