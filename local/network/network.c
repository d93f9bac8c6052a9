/* Sockets in another network namespace: a socket belongs to the network in which it was made. */
#include "local/network/network.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { BACKLOG = 64, CONNECT_SECONDS = 10 };

struct errand {
    int network, fd, number;
};

static void *go_there(void *context) {
    struct errand *errand = context;
    errand->fd = setns(errand->network, CLONE_NEWNET) == 0 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    errand->number = errno;
    return NULL;
}

/* A TCP socket there; network -1: here. A thread of its own goes there and ends: inside a user namespace there is no
 * way back into the host's network. */
static int make_socket(int network) {
    if (network < 0)
        return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct errand errand = {.network = network, .fd = -1};
    pthread_t thread;
    if (pthread_create(&thread, NULL, go_there, &errand) != 0) {
        errno = EAGAIN;
        return -1;
    }
    pthread_join(thread, NULL);
    errno = errand.number;
    return errand.fd;
}

static int make_address(const char *text, unsigned port, struct sockaddr_in *address) {
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, text, &address->sin_addr) == 1)
        return 0;
    errno = EINVAL;
    return -1;
}

int network_connect(int network, const char *text, unsigned port) {
    struct sockaddr_in address;
    AUTO_CLOSE int fd = make_socket(network);
    if (fd < 0 || make_address(text, port, &address) < 0)
        return -1;
    /* Linux takes the send time-out for connect, too. */
    struct timeval limit = {.tv_sec = CONNECT_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){0}, sizeof(limit));
    return take_fd(&fd);
}

int network_listen(int network, const char *text, unsigned port) {
    struct sockaddr_in address;
    AUTO_CLOSE int fd = make_socket(network);
    if (fd < 0 || make_address(text, port, &address) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return take_fd(&fd);
}

int loopback_listen(unsigned *port, bool any, struct error *error) {
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)*port);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (!any || errno != EADDRINUSE)
            return error_set_errno(error, errno, "cannot listen on 127.0.0.1:%u", *port);
        address.sin_port = 0;
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            return error_set_errno(error, errno, "cannot listen on 127.0.0.1");
    }
    socklen_t size = sizeof(address);
    if (listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return error_set_errno(error, errno, "cannot listen on 127.0.0.1");
    *port = ntohs(address.sin_port);
    return take_fd(&fd);
}

int network_add_address(int network, const char *text, const char *alias) {
    struct sockaddr_in address;
    struct ifreq request = {0};
    AUTO_CLOSE int fd = make_socket(network);
    if (fd < 0 || make_address(text, 0, &address) < 0)
        return -1;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "lo:%s", alias);
    memcpy(&request.ifr_addr, &address, sizeof(address));
    return ioctl(fd, SIOCSIFADDR, &request);
}

bool address_is_loopback(const char *address) {
    return text_starts_with(address, "127.") || text_equal(address, "::1") || text_starts_with(address, "::ffff:127.");
}

/* The kernel prints an address as 32-bit words in the machine's own order. */
static bool parse_address(const char *hex, struct listener_address *found) {
    uint32_t words[4];
    size_t count = strlen(hex) / 8;
    if (strlen(hex) != 8 && strlen(hex) != 32)
        return false;
    for (size_t i = 0; i < count; i++) {
        char word[9];
        snprintf(word, sizeof(word), "%.8s", hex + i * 8);
        words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    return inet_ntop(count == 1 ? AF_INET : AF_INET6, words, found->address, sizeof(found->address)) != NULL;
}

static size_t read_table(pid_t pid, const char *name, struct listener_address *found, size_t count, size_t most) {
    enum { STATE_LISTEN = 10 };
    AUTO_FREE char *path = text_format("/proc/%d/net/%s", (int)pid, name);
    AUTO_FILE FILE *table = fopen(path, "re");
    char line[512], hex[33];
    while (table && count < most && fgets(line, sizeof(line), table)) {
        unsigned port, state;
        if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*x:%*x %2x", hex, &port, &state) != 3 || state != STATE_LISTEN ||
            !parse_address(hex, &found[count]))
            continue;
        found[count++].port = port;
    }
    return count;
}

size_t network_listeners(pid_t pid, struct listener_address *found, size_t most) {
    size_t count = read_table(pid, "tcp", found, 0, most);
    return read_table(pid, "tcp6", found, count, most);
}
