/* A port on 127.0.0.1: each connection to it is passed on to a port of a container. */
#ifndef TOOLS_PL_SERVE_DOOR_H
#define TOOLS_PL_SERVE_DOOR_H

#include "local/network/network.h"

#include <pthread.h>

struct door {
    unsigned port;    /* on 127.0.0.1 */
    int listener;     /* owned */
    int network;      /* of the container; -1: the host's. Owned */
    unsigned inside;  /* its port there */
    pthread_t keeper; /* accepts */
    bool is_open;
    atomic_bool stopping;
    atomic_uint visits;
};

/* Listens; port 0: a free one. */
int door_listen(struct door *door, unsigned port, struct error *error) MUST_CHECK;
/* A connection to the container, or -1: it does not listen. */
int door_connect(const struct door *door);
int door_open(struct door *door, struct error *error) MUST_CHECK;
/* Ends all connections. */
void door_close(struct door *door);

#endif
