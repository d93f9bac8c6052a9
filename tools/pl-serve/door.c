#include "tools/pl-serve/door.h"

#include "common/base/text.h"
#include "engine/sandbox/sandbox.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

enum { VISITS_MOST = 256, LOOK_MILLISECONDS = 100 };

struct visit {
    struct door *door;
    int client;
};

int door_listen(struct door *door, unsigned port, struct error *error) {
    door->port = port;
    door->listener = loopback_listen(&door->port, false, error);
    return door->listener < 0 ? -1 : 0;
}

int door_connect(const struct door *door) {
    return network_connect(door->network, door->network < 0 ? "127.0.0.1" : SANDBOX_ADDRESS, door->inside);
}

static void *pass_on(void *context) {
    struct visit *visit = context;
    struct door *door = visit->door;
    int server = door_connect(door);
    if (server >= 0)
        (void)relay(&(struct relay){.client = visit->client, .server = server, .stopping = &door->stopping});
    cleanup_close(&server);
    cleanup_close(&visit->client);
    free(visit);
    atomic_fetch_sub(&door->visits, 1);
    return NULL;
}

static void admit(struct door *door, int client) {
    struct visit *visit = memory_allocate(1, sizeof(*visit));
    pthread_t thread;
    *visit = (struct visit){door, client};
    atomic_fetch_add(&door->visits, 1);
    if (pthread_create(&thread, NULL, pass_on, visit) == 0) {
        pthread_detach(thread);
        return;
    }
    atomic_fetch_sub(&door->visits, 1);
    close(client);
    free(visit);
}

static void *keep(void *context) {
    struct door *door = context;
    struct pollfd wait = {.fd = door->listener, .events = POLLIN};
    while (!atomic_load(&door->stopping)) {
        /* Who comes while all places are taken waits in the queue of the socket. */
        bool is_full = atomic_load(&door->visits) >= VISITS_MOST;
        wait.events = is_full ? 0 : POLLIN;
        if (poll(&wait, 1, LOOK_MILLISECONDS) <= 0)
            continue;
        int client = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            admit(door, client);
    }
    return NULL;
}

int door_open(struct door *door, struct error *error) {
    int number = pthread_create(&door->keeper, NULL, keep, door);
    if (number != 0)
        return error_set_errno(error, number, "cannot start a thread");
    door->is_open = true;
    return 0;
}

void door_close(struct door *door) {
    atomic_store(&door->stopping, true);
    if (door->is_open)
        pthread_join(door->keeper, NULL);
    door->is_open = false;
    while (atomic_load(&door->visits) > 0)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    cleanup_close(&door->listener);
    cleanup_close(&door->network);
    door->listener = door->network = -1;
}
