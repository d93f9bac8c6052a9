/* --service NAME=REF: containers that run beside a command. */
#ifndef CHAIN_SERVICES_H
#define CHAIN_SERVICES_H

#include "common/base/text.h"
#include "engine/service.h"

struct chain_services {
    struct service items[SERVICE_LIMIT];
    size_t count;
    struct container containers[SERVICE_LIMIT];
    struct text_list names;
};

/* REF is a container of the store (container:sha256:…) or an image as pl-from takes it. ERROR_USAGE: NAME is no host
 * name; ERROR_DATA: the container is not there. To be released after success and failure. */
int chain_services_read(struct engine *engine, const struct text_list *given, struct chain_services *services,
                        struct error *error) MUST_CHECK;
void chain_services_release(struct chain_services *services);

#endif
