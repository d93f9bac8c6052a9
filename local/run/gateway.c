#include "local/run/internal.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { METADATA_PORT = 80, DOOR_COUNT = 2 };

struct gateway {
    struct run *run;
    int doors[DOOR_COUNT];
    int end; /* eventfd: readable when the gateway closes */
    pthread_t thread;
};

struct passage {
    struct run *run;
    int client;
};

static void *pass_through(void *context) {
    struct passage *passage = context;
    int server = network_connect(-1, "127.0.0.1", passage->run->cloud->port);
    if (server >= 0) {
        (void)relay(passage->run, &(struct relay){.client = passage->client, .server = server});
        close(server);
    }
    close(passage->client);
    run_work_done(passage->run);
    free(passage);
    return NULL;
}

static void admit(struct gateway *gateway, int door) {
    int client = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    struct passage *passage = memory_allocate(1, sizeof(*passage));
    *passage = (struct passage){gateway->run, client};
    if (run_work_for_client(gateway->run, pass_through, passage))
        return;
    close(client);
    free(passage);
}

static void *keep_doors(void *context) {
    struct gateway *gateway = context;
    struct pollfd wait[DOOR_COUNT + 1] = {{.fd = gateway->end, .events = POLLIN}};
    for (int i = 0; i < DOOR_COUNT; i++)
        wait[i + 1] = (struct pollfd){.fd = gateway->doors[i], .events = POLLIN};
    for (;;) {
        if (poll(wait, DOOR_COUNT + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (wait[0].revents)
            return NULL;
        for (int i = 0; i < DOOR_COUNT; i++)
            if (wait[i + 1].revents)
                admit(gateway, gateway->doors[i]);
    }
}

static void release(struct gateway *gateway) {
    for (int i = 0; i < DOOR_COUNT; i++)
        cleanup_close(&gateway->doors[i]);
    cleanup_close(&gateway->end);
    free(gateway);
}

struct gateway *gateway_open(struct run *run, int network) {
    static const char metadata[] = SANDBOX_METADATA;
    struct gateway *gateway = memory_allocate(1, sizeof(*gateway));
    gateway->run = run;
    gateway->end = eventfd(0, EFD_CLOEXEC);
    gateway->doors[0] = network_listen(network, "127.0.0.1", run->cloud->port);
    gateway->doors[1] =
        network_add_address(network, metadata, "2") == 0 ? network_listen(network, metadata, METADATA_PORT) : -1;
    if (gateway->end >= 0 && pthread_create(&gateway->thread, NULL, keep_doors, gateway) == 0)
        return gateway;
    release(gateway);
    return NULL;
}

void gateway_close(struct gateway **pointer) {
    struct gateway *gateway = *pointer;
    uint64_t one = 1;
    *pointer = NULL;
    if (!gateway)
        return;
    if (write(gateway->end, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(gateway->thread, NULL);
    release(gateway);
}
