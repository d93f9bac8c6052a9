#include "common/base/text.h"
#include "local/network/network.h"

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

/* Where more headers can be put into the answer: after its status line, unless it is an interim one. */
static size_t status_line(const char *block, size_t length) {
    const char *end = memmem(block, length, "\r\n", 2);
    return end && length > 9 && memcmp(block, "HTTP/1.", 7) == 0 && block[9] != '1' ? (size_t)(end - block) + 2 : 0;
}

static bool pass_first(struct relay *relay, char *block) {
    ssize_t got = recv(relay->server, block, BLOCK, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0)
        return false;
    relay->answered = true;
    size_t line = relay->header ? status_line(block, (size_t)got) : 0;
    return send_all(relay->client, block, line) &&
           (line == 0 || send_all(relay->client, relay->header, strlen(relay->header))) &&
           send_all(relay->client, block + line, (size_t)got - line);
}

bool relay(struct relay *relay) {
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd sides[2] = {{.fd = relay->client, .events = POLLIN}, {.fd = relay->server, .events = POLLIN}};
    int64_t end = seconds_now() + relay->seconds;
    while (sides[1].fd >= 0 && !atomic_load(relay->stopping)) {
        if (relay->seconds && seconds_now() >= end)
            return false;
        if (poll(sides, 2, LOOK_MILLISECONDS) <= 0)
            continue;
        if (sides[0].revents && !pass(relay->client, relay->server, block)) {
            shutdown(relay->server, SHUT_WR);
            sides[0].fd = -1;
        }
        if (sides[1].revents &&
            !(relay->answered ? pass(relay->server, relay->client, block) : pass_first(relay, block)))
            sides[1].fd = -1;
    }
    return true;
}
