/* Waiting until a container is ready, and finding out why it is not. */
#include "local/run/probe.h"

#include <string.h>
#include <time.h>

enum {
    LOOK_MILLISECONDS = 15,
    IDLE_MILLISECONDS =
        10000, /* listening elsewhere and doing nothing for so long: it will not come to $PORT any more */
    WATCH_MILLISECONDS = 250,
    LISTENERS_MOST = 64,
    METADATA_PORT = 80,
};

/* Where it listens instead; false: nowhere. One on all addresses is more telling than one on loopback. */
static bool find_other(const struct run *run, pid_t pid, unsigned port, struct listener_address *other) {
    struct listener_address found[LISTENERS_MOST];
    size_t count = network_listeners(pid, found, LISTENERS_MOST);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        bool ours = (found[i].port == run->cloud->port && text_equal(found[i].address, "127.0.0.1")) ||
                    (found[i].port == METADATA_PORT && text_equal(found[i].address, SANDBOX_METADATA));
        if (ours)
            continue;
        if (!any || found[i].port == port || !address_is_loopback(found[i].address))
            *other = found[i];
        any = true;
        if (found[i].port == port)
            return true;
    }
    return any;
}

/* Processor time of all processes of the container, in clock ticks: whether it still does something. */
static uint64_t processor_time(pid_t pid) {
    AUTO_FREE char *children = text_format("/proc/%d/task/%d/children", (int)pid, (int)pid);
    AUTO_FREE char *stat = text_format("/proc/%d/stat", (int)pid);
    unsigned long long user = 0, system = 0;
    char line[1024];
    AUTO_FILE FILE *file = fopen(stat, "re");
    const char *end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (end)
        (void)!sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system);
    AUTO_FILE FILE *list = fopen(children, "re");
    int child;
    while (list && fscanf(list, "%d", &child) == 1)
        user += processor_time(child);
    return user + system;
}

struct watch {
    int64_t quiet_since, looked_at;
    uint64_t time;
};

/* It listens elsewhere, and has done nothing for a while. */
static bool has_settled_elsewhere(const struct run *run, pid_t pid, unsigned port, struct watch *watch) {
    struct listener_address other;
    int64_t now = probe_now();
    if (now - watch->looked_at < WATCH_MILLISECONDS)
        return false;
    watch->looked_at = now;
    uint64_t time = processor_time(pid);
    /* An idle event loop wakes up now and then: two ticks are nothing. */
    if (time > watch->time + 2 || !watch->quiet_since || !find_other(run, pid, port, &other)) {
        watch->time = time;
        watch->quiet_since = now;
    }
    return now - watch->quiet_since > IDLE_MILLISECONDS;
}

/* `limit`: milliseconds that it had. */
static void explain_silence(const struct run *run, pid_t pid, const struct probe *probe, int64_t limit, unsigned port,
                            struct failure *failure) {
    struct listener_address other;
    if (sandbox_mode() == SANDBOX_CHROOT || !find_other(run, pid, port, &other)) {
        failure_set_not_listening(failure, "TOO_SLOW", port);
        failure_detail(failure, "seconds", "%lld", (long long)limit / 1000);
    } else if (other.port == port && probe->http && !address_is_loopback(other.address)) {
        failure_set(failure, "TOO_SLOW", "The user-provided container failed the configured startup probe checks.");
        failure_detail(failure, "seconds", "%lld", (long long)limit / 1000);
    } else if (address_is_loopback(other.address)) {
        failure_set_not_listening(failure, "LOOPBACK_ONLY", port);
        failure_detail(failure, "address", "%s", other.address);
        failure_detail(failure, "port", "%u", other.port);
    } else {
        failure_set_not_listening(failure, "WRONG_PORT", port);
        failure_detail(failure, "port", "%u", other.port);
    }
}

/* Of one of several: what listens in the network that they share says nothing about it. */
static void explain_probe(const struct running_container *container, int64_t limit, struct failure *failure) {
    failure_set(failure, "TOO_SLOW", "The user-provided container failed the configured startup probe checks.");
    failure_detail(failure, "seconds", "%lld", (long long)limit / 1000);
    failure_detail(failure, "container", "%s", container_name(container));
}

static void explain_end(int status, bool out_of_memory, const char *limit, unsigned port, struct failure *failure) {
    if (out_of_memory) {
        failure_set(failure, "OUT_OF_MEMORY",
                    "The user-provided container failed to start: Memory limit of %s exceeded.", limit);
        failure_detail(failure, "limit", "%s", limit);
    } else if (status > 128) {
        failure_set_not_listening(failure, "CONTAINER_EXITED", port);
        failure_detail(failure, "signal", "%d", status - 128);
    } else {
        failure_set_not_listening(failure, "CONTAINER_EXITED", port);
        failure_detail(failure, "exitCode", "%d", status);
    }
}

static bool has_ended(struct instance *instance, struct failure *failure) {
    int status;
    bool out_of_memory;
    for (size_t i = 0; i < instance->count; i++) {
        if (!container_ended(instance->containers[i], &status, &out_of_memory))
            continue;
        explain_end(status, out_of_memory, container_memory(instance->containers[i]), instance->port, failure);
        if (instance->has_several)
            failure_detail(failure, "container", "%s", container_name(instance->containers[i]));
        return true;
    }
    return false;
}

bool startup_wait(struct instance *instance, const struct running_container *container, const struct json *given,
                  struct failure *failure) {
    struct run *run = instance->run;
    const struct json *asked = json_get(given, "startupProbe");
    pid_t pid = container_pid(container);
    struct probe probe = probe_read(asked, instance->port);
    struct watch watch = {0};
    int64_t begin = probe_now(), next = begin + probe.delay;
    int64_t limit = asked ? probe.delay + probe.period * probe.failures : (int64_t)run->cloud->startup_time * 1000;
    bool may_settle = !asked && sandbox_mode() != SANDBOX_CHROOT;
    while (!atomic_load(&run->stopping)) {
        if (has_ended(instance, failure))
            return false;
        int64_t now = probe_now();
        if (now >= next) {
            enum probe_answer answer = probe_ask(instance, &probe);
            if (answer == PROBE_GOOD)
                return true;
            /* What can be seen cheaply is looked at more often than asked: the deployment ends sooner, not later. */
            next = now + (answer == PROBE_BAD ? probe.period : LOOK_MILLISECONDS);
        }
        if (now - begin >= limit || (may_settle && has_settled_elsewhere(run, pid, instance->port, &watch))) {
            if (instance->has_several && asked)
                explain_probe(container, limit, failure);
            else
                explain_silence(run, pid, &probe, limit, instance->port, failure);
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MILLISECONDS * 1000000}, NULL);
    }
    failure_set(failure, "UNKNOWN", "The local cloud stops.");
    return false;
}
