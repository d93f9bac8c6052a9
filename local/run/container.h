/* One container of an instance, and what the containers of an instance have in common. */
#ifndef LOCAL_RUN_CONTAINER_H
#define LOCAL_RUN_CONTAINER_H

#include "local/run/internal.h"

struct running_container;
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
    struct shared_volumes *volumes; /* what several of them mount (volumes.h), or NULL */
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

/* A line in the log of the service; container NULL: it has no name. */
void instance_log(const struct instance *instance, const char *container, const char *text, size_t length);

/* ---- probe.c ---- */

/* Until a container of the instance listens (its startup probe succeeds); false with *failure when one ends or it does
 * not in time. */
bool probe_wait(struct instance *instance, const struct running_container *container, const struct json *given,
                struct failure *failure);

#endif
