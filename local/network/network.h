/* Connections into the network namespace of a container and out of it, and what is passed on between two of them.
 *
 * A network is a descriptor of /proc/PID/ns/net, or -1 for our own. A socket belongs to the network in which it was
 * made, so it can be used from everywhere. */
#ifndef LOCAL_NETWORK_NETWORK_H
#define LOCAL_NETWORK_NETWORK_H

#include "common/base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- network.c ---- */

/* A TCP connection to an IPv4 address there, within ten seconds. -1 with errno. */
int network_connect(int network, const char *address, unsigned port);
/* A listening socket in that network. -1 with errno. */
int network_listen(int network, const char *address, unsigned port);
/* Gives its loopback interface one more address. */
int network_add_address(int network, const char *address, const char *alias);
/* A listening socket on our own 127.0.0.1; port 0 or one that is taken by others while `any`: a free one. *port is
 * set. */
int loopback_listen(unsigned *port, bool any, struct error *error) MUST_CHECK;

struct listener_address {
    char address[46];
    unsigned port;
};
/* What listens in the network of a process: TCP, IPv4 and IPv6. Returns how many of at most `most` were found. */
size_t network_listeners(pid_t pid, struct listener_address *found, size_t most);
bool address_is_loopback(const char *address);

/* ---- relay.c ---- */

struct relay {
    int client, server;
    const atomic_bool *stopping; /* ends it */
    unsigned seconds;            /* 0: no limit */
    const char *header;          /* whole lines to add to the head of the answer, or NULL */
    bool answered;               /* set: the server has sent something */
};
/* Passes bytes both ways until both sides have ended or `stopping`; false when the time passed before. Closes
 * neither. */
bool relay(struct relay *relay);

#endif
