/* An instance: its containers, started in the order that they depend on each other, and ended together. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/run/container.h"
#include "local/run/databases.h"
#include "local/run/gateway.h"
#include "local/run/volumes.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

enum { DEFAULT_PORT = 8080 };

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

/* ---- the log ---- */

void instance_log(const struct instance *instance, const char *container, const char *text, size_t length) {
    run_log_append(instance->log_path,
                   &(struct run_log_origin){instance->revision, instance->id, instance->has_several ? container : NULL},
                   text, length);
}

void service_log(const struct run *run, const struct service *service, const char *revision, const char *text) {
    AUTO_FREE char *path = run_log_path(run->cloud->state, service->project, service->region, service->name);
    run_log_append(path, &(struct run_log_origin){revision ? revision : "", "", NULL}, text, strlen(text));
}

/* ---- the containers ---- */

/* The one that requests come to: the one with ports, or the only one. */
static const struct json *ingress_container(const struct json *containers) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_get(json_at(containers, i), "ports"))
            return json_at(containers, i);
    return json_at(containers, 0);
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

static struct instance *instance_new(struct run *run, const struct launch *launch) {
    struct instance *instance = memory_allocate(1, sizeof(*instance));
    instance->run = run;
    instance->network = -1;
    instance->revision = text_copy(launch->revision);
    instance->log_path = run_log_path(run->cloud->state, launch->project, launch->region, launch->service);
    instance->has_several = json_count(json_get(launch->document, "containers")) > 1;
    instance->port = choose_port(ingress_container(json_get(launch->document, "containers")));
    random_hex(instance->id, sizeof(instance->id));
    AUTO_FREE char *folder =
        text_copy_length(instance->log_path, (size_t)(strrchr(instance->log_path, '/') - instance->log_path));
    struct error ignored;
    if (directory_make(folder, 0700, &ignored) < 0)
        error_clear(&ignored);
    return instance;
}

static struct running_container *find_container(const struct instance *instance, const char *name) {
    for (size_t i = 0; i < instance->count; i++)
        if (text_equal(container_name(instance->containers[i]), name))
            return instance->containers[i];
    return NULL;
}

static const struct json *find_given(const struct json *containers, const char *name) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (text_equal(json_get_text(json_at(containers, i), "name", NULL), name))
            return json_at(containers, i);
    return NULL;
}

/* Waits for those that it depends on. 1: one of them was not even started yet. */
static int wait_for_others(struct instance *instance, const struct json *containers, const struct json *given,
                           struct failure *failure) {
    const struct json *names = json_get(given, "dependsOn");
    for (size_t i = 0; i < json_count(names); i++)
        if (!find_container(instance, json_text(json_at(names, i))))
            return 1;
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_at(names, i));
        if (!startup_wait(instance, find_container(instance, name), find_given(containers, name), failure))
            return -1;
    }
    return 0;
}

/* Each round starts those whose dependencies run. */
static int start_all(struct instance *instance, const struct launch *launch, struct failure *failure) {
    const struct json *containers = json_get(launch->document, "containers");
    bool started[CONTAINERS_MOST] = {false};
    for (bool progress = true; progress && instance->count < json_count(containers);) {
        progress = false;
        for (size_t i = 0; i < json_count(containers) && i < CONTAINERS_MOST; i++) {
            const struct json *given = json_at(containers, i);
            int early = started[i] ? 1 : wait_for_others(instance, containers, given, failure);
            if (early < 0)
                return -1;
            if (early > 0)
                continue;
            struct running_container *container = container_start(instance, launch, given, failure);
            if (!container)
                return -1;
            instance->containers[instance->count++] = container;
            started[i] = progress = true;
        }
    }
    if (instance->count == json_count(containers))
        return 0;
    failure_set(failure, "UNKNOWN", "The containers depend on each other in a circle.");
    return -1;
}

static bool wait_for_all(struct instance *instance, const struct json *containers, struct failure *failure) {
    for (size_t i = 0; i < instance->count; i++) {
        const char *name = container_name(instance->containers[i]);
        const struct json *given = json_count(containers) == 1 ? json_at(containers, 0) : find_given(containers, name);
        bool is_probed = json_get(given, "startupProbe") || given == ingress_container(containers);
        if (is_probed && !startup_wait(instance, instance->containers[i], given, failure))
            return false;
    }
    return true;
}

struct instance *instance_begin(struct run *run, const struct launch *launch, struct failure *failure) {
    if (run->cannot_run) {
        failure_set(failure, "UNKNOWN", "This machine cannot run containers: %.800s", run->cannot_run);
        return NULL;
    }
    struct instance *instance = instance_new(run, launch);
    if (shared_volumes_make(instance, launch->document, failure) < 0 ||
        databases_open(instance, launch->document, failure) < 0 || start_all(instance, launch, failure) < 0)
        instance_stop(&instance, 0);
    return instance;
}

struct instance *instance_start(struct run *run, const struct launch *launch, struct failure *failure) {
    struct instance *instance = instance_begin(run, launch, failure);
    if (instance && !wait_for_all(instance, json_get(launch->document, "containers"), failure))
        instance_stop(&instance, 0);
    if (instance)
        health_open(instance, launch->document);
    return instance;
}

/* ---- the end ---- */

struct farewell {
    struct running_container **container;
    unsigned grace;
};

static void *end_container(void *context) {
    const struct farewell *farewell = context;
    container_end(farewell->container, farewell->grace);
    return NULL;
}

/* All at the same time: each has the whole grace. */
static void end_containers(struct instance *instance, unsigned grace) {
    struct farewell farewells[CONTAINERS_MOST];
    pthread_t threads[CONTAINERS_MOST];
    bool has_thread[CONTAINERS_MOST] = {false};
    for (size_t i = 0; i < instance->count; i++) {
        farewells[i] = (struct farewell){&instance->containers[i], grace};
        has_thread[i] = i > 0 && pthread_create(&threads[i], NULL, end_container, &farewells[i]) == 0;
    }
    for (size_t i = 0; i < instance->count; i++)
        if (has_thread[i])
            pthread_join(threads[i], NULL);
        else
            container_end(&instance->containers[i], grace);
}

void instance_stop(struct instance **pointer, unsigned grace) {
    struct instance *instance = *pointer;
    *pointer = NULL;
    if (!instance)
        return;
    health_end(instance);
    gateway_close(&instance->gateway);
    end_containers(instance, grace);
    databases_close(&instance->databases);
    health_close(instance);
    cleanup_close(&instance->network);
    shared_volumes_release(&instance->volumes);
    free(instance->revision);
    free(instance->log_path);
    free(instance);
}

bool instance_ended(struct instance *instance, int *status, bool *out_of_memory) {
    *status = 128 + SIGKILL;
    *out_of_memory = false;
    if (atomic_load(&instance->is_dead))
        return true;
    for (size_t i = 0; i < instance->count; i++)
        if (container_ended(instance->containers[i], status, out_of_memory))
            return true;
    return false;
}

/* ---- from outside ---- */

bool instance_takes_requests(const struct instance *instance) {
    return !atomic_load(&instance->is_busy) && !atomic_load(&instance->is_dead);
}

const char *instance_id(const struct instance *instance) {
    return instance->id;
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
