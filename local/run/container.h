/* One container of an instance, and what the containers of an instance have in common. */
#ifndef LOCAL_RUN_CONTAINER_H
#define LOCAL_RUN_CONTAINER_H

#include "local/run/internal.h"

struct running_container;
struct databases;
struct gateway;
struct health;
struct shared_volumes;

struct instance {
    struct run *run;
    char id[97];
    char *revision;
    char *log_path;
    struct gateway *gateway;
    int network; /* the namespace that the first container made, or -1: the host's */
    unsigned port;
    struct running_container *containers[CONTAINERS_MOST]; /* in the order of their start */
    size_t count;
    bool has_several;               /* containers */
    struct shared_volumes *volumes; /* what several of them mount (volumes.h), or NULL */
    struct databases *databases;    /* NULL: it has none */
    struct health *health;          /* NULL: nothing is asked */
    atomic_bool is_dead;            /* a liveness probe has given it up */
    atomic_bool is_busy;            /* a readiness probe wants no requests to come */
};

/* Starts one, as `given` says. NULL with *failure. */
struct running_container *container_start(struct instance *instance, const struct launch *launch,
                                          const struct json *given, struct failure *failure);
/* SIGTERM, after `grace` seconds SIGKILL; frees. */
void container_end(struct running_container **container, unsigned grace);
bool container_ended(struct running_container *container, int *status, bool *out_of_memory);
/* NULL: it has none. Borrowed. */
const char *container_name(const struct running_container *container);
pid_t container_pid(const struct running_container *container);

/* A line in the log of the service, with the name of the container (or NULL) where there are several. */
void instance_log(const struct instance *instance, const char *container, const char *text, size_t length);

/* The memory limit as it is written. Borrowed. */
const char *container_memory(const struct running_container *container);

/* ---- startup.c ---- */

/* Until a container of the instance listens (its startup probe succeeds); false with *failure when one ends or it does
 * not in time. */
bool startup_wait(struct instance *instance, const struct running_container *container, const struct json *given,
                  struct failure *failure);

/* ---- health.c: liveness and readiness probes ---- */

/* Asks from now on, in a thread of its own, when a container has such probes. */
void health_open(struct instance *instance, const struct json *document);
/* No answer counts any more. */
void health_end(const struct instance *instance);
/* After that, and after the end of the containers, for whose answer it may be waiting. */
void health_close(struct instance *instance);

#endif
