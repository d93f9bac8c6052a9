#include "local/run/gateway.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { METADATA_PORT = 80 };

struct gateway {
    struct run *run;
    struct way {
        int listener;
        char address[46];
        unsigned port;
    } ways[GATEWAY_WAYS_MOST];
    size_t count;
    int end; /* eventfd: readable when the gateway closes */
    pthread_t thread;
    bool is_open;
};

struct passage {
    struct run *run;
    const struct way *way;
    int client, server;
};

static void *pass_through(void *context) {
    struct passage *passage = context;
    (void)relay(
        &(struct relay){.client = passage->client, .server = passage->server, .stopping = &passage->run->stopping});
    close(passage->server);
    close(passage->client);
    run_work_done(passage->run);
    free(passage);
    return NULL;
}

static void admit(struct gateway *gateway, const struct way *way) {
    int client = accept4(way->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    /* Both are on this machine: it does not take long. */
    int server = network_connect(-1, way->address, way->port);
    struct passage *passage = memory_allocate(1, sizeof(*passage));
    *passage = (struct passage){gateway->run, way, client, server};
    if (server >= 0 && run_work_for_client(gateway->run, pass_through, passage))
        return;
    cleanup_close(&server);
    close(client);
    free(passage);
}

static void *keep_ways(void *context) {
    struct gateway *gateway = context;
    struct pollfd wait[GATEWAY_WAYS_MOST + 1] = {{.fd = gateway->end, .events = POLLIN}};
    for (size_t i = 0; i < gateway->count; i++)
        wait[i + 1] = (struct pollfd){.fd = gateway->ways[i].listener, .events = POLLIN};
    for (;;) {
        if (poll(wait, gateway->count + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (wait[0].revents)
            return NULL;
        for (size_t i = 0; i < gateway->count; i++)
            if (wait[i + 1].revents)
                admit(gateway, &gateway->ways[i]);
    }
}

struct gateway *gateway_new(struct run *run) {
    struct gateway *gateway = memory_allocate(1, sizeof(*gateway));
    gateway->run = run;
    gateway->end = eventfd(0, EFD_CLOEXEC);
    return gateway;
}

void gateway_add(struct gateway *gateway, int listener, const char *address, unsigned port) {
    if (listener < 0)
        return;
    if (gateway->count == GATEWAY_WAYS_MOST) {
        close(listener);
        return;
    }
    struct way *way = &gateway->ways[gateway->count++];
    *way = (struct way){.listener = listener, .port = port};
    snprintf(way->address, sizeof(way->address), "%s", address);
}

bool gateway_start(struct gateway *gateway) {
    gateway->is_open = gateway->end >= 0 && pthread_create(&gateway->thread, NULL, keep_ways, gateway) == 0;
    return gateway->is_open;
}

struct gateway *gateway_open(struct run *run, int network) {
    static const char metadata[] = SANDBOX_METADATA;
    struct gateway *gateway = gateway_new(run);
    unsigned port = run->cloud->port;
    gateway_add(gateway, network_listen(network, "127.0.0.1", port), "127.0.0.1", port);
    if (network_add_address(network, metadata, "2") == 0)
        gateway_add(gateway, network_listen(network, metadata, METADATA_PORT), "127.0.0.1", port);
    if (!gateway_start(gateway))
        gateway_close(&gateway);
    return gateway;
}

void gateway_close(struct gateway **pointer) {
    struct gateway *gateway = *pointer;
    uint64_t one = 1;
    *pointer = NULL;
    if (!gateway)
        return;
    if (gateway->is_open && write(gateway->end, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(gateway->thread, NULL);
    for (size_t i = 0; i < gateway->count; i++)
        close(gateway->ways[i].listener);
    cleanup_close(&gateway->end);
    free(gateway);
}
