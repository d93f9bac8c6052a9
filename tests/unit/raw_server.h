/* A server for tests that answers each request with raw bytes, one connection after the other, in a thread. */
#ifndef TESTS_UNIT_RAW_SERVER_H
#define TESTS_UNIT_RAW_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
    int fd;
    int port;
    pthread_t thread;
    /* Writes the answer to the `count`th request (from 1) of this server. */
    void (*answer)(struct server *server, int client, const char *request, int count);
    int count;
    char last[65536]; /* the last request, head and body */
    int other_port;
};

__attribute__((format(printf, 2, 3))) static void say(int client, const char *format, ...) {
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_true(write(client, text, (size_t)length) == length);
}

static void answer_text(int client, int status, const char *headers, const char *body) {
    say(client, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, headers, strlen(body),
        body);
}

static void read_request(int client, char *into, size_t size) {
    size_t length = 0, wanted = size - 1;
    into[0] = 0;
    while (length < wanted) {
        ssize_t got = read(client, into + length, size - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        into[length] = 0;
        char *end = strstr(into, "\r\n\r\n"), *body_length = strcasestr(into, "content-length:");
        if (end)
            wanted = (size_t)(end + 4 - into) + (body_length ? strtoul(body_length + 15, NULL, 10) : 0);
    }
}

static void *serve(void *context) {
    struct server *server = context;
    for (int client; (client = accept(server->fd, NULL, NULL)) >= 0; close(client)) {
        read_request(client, server->last, sizeof(server->last));
        server->answer(server, client, server->last, ++server->count);
    }
    return NULL;
}

static void server_start(struct server *server,
                         void (*answer)(struct server *server, int client, const char *request, int count)) {
    *server = (struct server){.answer = answer, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server) {
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

#endif
