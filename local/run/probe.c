#include "local/run/probe.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { RESPONSE_MOST = 4096, REQUEST_MOST = 16 << 10 };

int64_t probe_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct probe probe_read(const struct json *given, unsigned port) {
    const struct json *http = json_get(given, "httpGet"), *tcp = json_get(given, "tcpSocket");
    const struct json *where = http ? http : tcp ? tcp : json_get(given, "grpc");
    return (struct probe){.http = http,
                          .port = (unsigned)json_get_integer(where, "port", port),
                          .delay = json_get_integer(given, "initialDelaySeconds", 0) * 1000,
                          .period = json_get_integer(given, "periodSeconds", 10) * 1000,
                          .timeout = json_get_integer(given, "timeoutSeconds", 1) * 1000,
                          .failures = (unsigned)json_get_integer(given, "failureThreshold", 3),
                          .successes = (unsigned)json_get_integer(given, "successThreshold", 1)};
}

static bool has_break(const char *text) {
    return strpbrk(text, "\r\n") != NULL;
}

static void make_request(const struct probe *probe, struct buffer *request) {
    const struct json *headers = json_get(probe->http, "httpHeaders");
    const char *path = json_get_text(probe->http, "path", "/");
    bool has_host = false;
    buffer_append_format(request, "GET %s HTTP/1.1\r\nUser-Agent: GoogleHC/1.0\r\nConnection: close\r\n", path);
    for (size_t i = 0; i < json_count(headers); i++) {
        const char *name = json_get_text(json_at(headers, i), "name", "");
        const char *value = json_get_text(json_at(headers, i), "value", "");
        if (!*name || has_break(name) || has_break(value))
            continue;
        has_host = has_host || strcasecmp(name, "Host") == 0;
        buffer_append_format(request, "%s: %s\r\n", name, value);
    }
    if (!has_host)
        buffer_append_format(request, "Host: 127.0.0.1:%u\r\n", probe->port);
    buffer_append_text(request, "\r\n");
}

static bool asks_well(int fd, const struct probe *probe) {
    AUTO_BUFFER struct buffer request = BUFFER(REQUEST_MOST);
    char answer[RESPONSE_MOST];
    unsigned status = 0;
    struct timeval limit = {.tv_sec = probe->timeout / 1000, .tv_usec = probe->timeout % 1000 * 1000};
    make_request(probe, &request);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (request.failed || send(fd, buffer_text(&request), request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
        return false;
    ssize_t got = recv(fd, answer, sizeof(answer) - 1, 0);
    answer[got > 0 ? got : 0] = '\0';
    return sscanf(answer, "HTTP/1.%*1[01] %3u", &status) == 1 && status >= 200 && status < 400;
}

enum probe_answer probe_ask(const struct instance *instance, const struct probe *probe) {
    struct door door = instance_door(instance);
    AUTO_CLOSE int fd = door_connect(&door, probe->port);
    if (fd < 0)
        return PROBE_REFUSED;
    return !probe->http || asks_well(fd, probe) ? PROBE_GOOD : PROBE_BAD;
}
