#include "local/run/internal.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BLOCK = 64 << 10, LOOK_MILLISECONDS = 500 };

static int64_t seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool send_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* One block; false at the end of that direction. */
static bool pass(int from, int to, char *block) {
    ssize_t got = recv(from, block, BLOCK, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    return got > 0 && send_all(to, block, (size_t)got);
}

bool relay(const struct run *run, int client, int server, unsigned seconds) {
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd sides[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    int64_t end = seconds_now() + seconds;
    bool answered = false;
    while (sides[1].fd >= 0 && !atomic_load(&run->stopping)) {
        if (seconds && !answered && seconds_now() >= end)
            return false;
        if (poll(sides, 2, LOOK_MILLISECONDS) <= 0)
            continue;
        if (sides[0].revents && !pass(client, server, block)) {
            shutdown(server, SHUT_WR);
            sides[0].fd = -1;
        }
        if (sides[1].revents) {
            answered = true;
            if (!pass(server, client, block))
                sides[1].fd = -1;
        }
    }
    return true;
}
