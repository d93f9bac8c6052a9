/* Services: containers that run beside a step or check, each reached under its name. They and the step share a network
 * of their own, with nothing else in it, so that several runs at once do not meet. */
#ifndef ENGINE_SERVICE_H
#define ENGINE_SERVICE_H

#include "engine/container.h"

enum { SERVICE_LIMIT = 16, SERVICE_SECONDS = 60 };

struct service {
    const char *name; /* as a host name */
    const struct container *container;
};

struct services;

/* Starts all of them, in their order, and waits for each until something listens on its first exposed port (TCP).
 * ERROR_STEP, with its last lines, when one ends before that or does not listen within SERVICE_SECONDS; ERROR_DATA when
 * it exposes no port or names no command; ERROR_CONFIGURATION where no network can be made (mode chroot). */
int services_start(struct engine *engine, const struct service *list, size_t count, struct services **services,
                   struct error *error) MUST_CHECK;
/* For SANDBOX_NETWORK_JOINED. */
int services_network(const struct services *services);
/* SIGTERM, and after some seconds the end. */
void services_stop(struct services **services);

#endif
