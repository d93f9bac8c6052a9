/* What is asked of containers while they run: a failed liveness probe ends the instance, and while a readiness probe
 * fails no requests come to it. */
#include "local/run/probe.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

struct check {
    struct probe probe;
    const char *container; /* its name, or NULL */
    bool decides_life;
    bool good;      /* what was decided last */
    unsigned count; /* of answers that say otherwise, one after another */
    int64_t next;
};

struct health {
    struct instance *instance;
    struct json *document; /* keeps what the probes borrow */
    struct check checks[2 * CONTAINERS_MOST];
    size_t count;
    int end; /* eventfd: readable when it closes */
    pthread_t thread;
};

static void add_check(struct health *health, const struct json *container, const char *name, bool decides_life) {
    const struct json *given = json_get(container, name);
    if (!given || health->count == ARRAY_LENGTH(health->checks))
        return;
    struct check *check = &health->checks[health->count++];
    *check = (struct check){.probe = probe_read(given, health->instance->port),
                            .container = json_get_text(container, "name", NULL),
                            .decides_life = decides_life,
                            .good = decides_life};
    check->next = probe_now() + check->probe.delay;
}

static void tell(const struct health *health, const struct check *check) {
    const char *what = check->probe.http ? "HTTP" : "GRPC";
    AUTO_FREE char *text = text_format(
        "LIVENESS %s probe failed %u time%s consecutively for container \"%s\" on port %u%s%s%s. The "
        "instance has been shut down.",
        what, check->count, check->count == 1 ? "" : "s", check->container ? check->container : "", check->probe.port,
        check->probe.http ? " path \"" : "", check->probe.http ? json_get_text(check->probe.http, "path", "/") : "",
        check->probe.http ? "\"" : "");
    instance_log(health->instance, check->container, text, strlen(text));
}

static void decide(struct health *health, struct check *check, bool good) {
    unsigned needed = good ? check->probe.successes : check->probe.failures;
    check->count = good == check->good ? 0 : check->count + 1;
    if (good == check->good || check->count < needed)
        return;
    check->good = good;
    if (!good && check->decides_life) {
        tell(health, check);
        atomic_store(&health->instance->is_dead, true);
    }
    check->count = 0;
}

/* It takes requests when all are good that decide about them. */
static void conclude(const struct health *health) {
    bool busy = false;
    for (size_t i = 0; i < health->count; i++)
        busy = busy || (!health->checks[i].decides_life && !health->checks[i].good);
    atomic_store(&health->instance->is_busy, busy);
}

static void *keep_asking(void *context) {
    struct health *health = context;
    struct pollfd wait = {.fd = health->end, .events = POLLIN};
    while (!atomic_load(&health->instance->is_dead)) {
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < health->count; i++)
            next = health->checks[i].next < next ? health->checks[i].next : next;
        int64_t pause = next - probe_now();
        if (poll(&wait, 1, pause > 0 ? (int)(pause < INT32_MAX ? pause : INT32_MAX) : 0) > 0)
            break;
        for (size_t i = 0; i < health->count; i++) {
            struct check *check = &health->checks[i];
            if (probe_now() < check->next)
                continue;
            bool good = probe_ask(health->instance, &check->probe) == PROBE_GOOD;
            /* What ends because it is told to is not ill. */
            if (poll(&wait, 1, 0) > 0)
                return NULL;
            decide(health, check, good);
            check->next = probe_now() + check->probe.period;
        }
        conclude(health);
    }
    return NULL;
}

static void release(struct health *health) {
    cleanup_close(&health->end);
    json_release(&health->document);
    free(health);
}

void health_open(struct instance *instance, const struct json *document) {
    struct health *health = memory_allocate(1, sizeof(*health));
    *health =
        (struct health){.instance = instance, .document = json_copy_deep(document), .end = eventfd(0, EFD_CLOEXEC)};
    const struct json *containers = json_get(health->document, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        add_check(health, json_at(containers, i), "livenessProbe", true);
        add_check(health, json_at(containers, i), "readinessProbe", false);
    }
    conclude(health);
    if (health->count > 0 && health->end >= 0 && pthread_create(&health->thread, NULL, keep_asking, health) == 0)
        instance->health = health;
    else
        release(health);
}

void health_end(const struct instance *instance) {
    uint64_t one = 1;
    if (instance->health)
        (void)!write(instance->health->end, &one, sizeof(one));
}

void health_close(struct instance *instance) {
    struct health *health = take_pointer(&instance->health);
    if (!health)
        return;
    pthread_join(health->thread, NULL);
    release(health);
}
