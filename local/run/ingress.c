/* What stands before a service: one port of 127.0.0.1. Reads the head of a request, decides who may call and which
 * revision answers, and then passes bytes both ways. One request per connection. */
#include "common/crypto/random.h"
#include "local/run/internal.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

enum { HEAD_LIMIT = 64 << 10, HEAD_SECONDS = 60, HEADERS_MOST = 200, LINGER_ROUNDS = 20 };

struct ingress {
    struct run *run;
    struct service *service;
    int listener, end;
    pthread_t thread;
};

struct visit {
    struct run *run;
    struct service *service;
    int client;
    char *head; /* the head, and what of the body came with it */
    size_t head_length, length;
    struct text_list lines; /* of the head: request line, headers */
};

static void visit_release(struct visit *visit) {
    close(visit->client);
    memory_wipe(visit->head, visit->length);
    free(visit->head);
    text_list_release(&visit->lines);
    free(visit);
}

/* ---- the head ---- */

static bool read_head(struct visit *visit) {
    visit->head = memory_allocate(1, HEAD_LIMIT + 1);
    struct timeval limit = {.tv_sec = HEAD_SECONDS};
    setsockopt(visit->client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    while (visit->length < HEAD_LIMIT) {
        ssize_t got = recv(visit->client, visit->head + visit->length, HEAD_LIMIT - visit->length, 0);
        if (got <= 0)
            return false;
        visit->length += (size_t)got;
        visit->head[visit->length] = '\0';
        const char *end = memmem(visit->head, visit->length, "\r\n\r\n", 4);
        if (end) {
            visit->head_length = (size_t)(end - visit->head) + 4;
            return true;
        }
    }
    return false;
}

/* A NUL, a bare CR or LF, a folded line or a space before the colon: what proxies and servers read differently. */
static bool split_head(struct visit *visit) {
    const char *at = visit->head, *end = visit->head + visit->head_length - 2;
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        size_t length = (size_t)((stop ? stop : end) - at);
        if (memchr(at, '\0', length) || memchr(at, '\r', length) || memchr(at, '\n', length) ||
            visit->lines.count > HEADERS_MOST)
            return false;
        AUTO_FREE char *line = text_copy_length(at, length);
        size_t name = strcspn(line, ":");
        if (visit->lines.count > 0 && (!line[name] || name == 0 || strcspn(line, " \t") < name))
            return false;
        text_list_take(&visit->lines, take_pointer(&line));
        at += length + 2;
    }
    return visit->lines.count > 0 && strstr(visit->lines.items[0], " HTTP/1.");
}

/* The value of a header, or NULL; *count (may be NULL) how often it is there. Borrowed. */
static const char *header(const struct visit *visit, const char *name, size_t *count) {
    const char *value = NULL;
    size_t length = strlen(name), found = 0;
    for (size_t i = 1; i < visit->lines.count; i++) {
        const char *line = visit->lines.items[i];
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        value = line + length + 1;
        value += strspn(value, " \t");
        found++;
    }
    if (count)
        *count = found;
    return value;
}

static bool line_is(const char *line, const char *name) {
    size_t length = strlen(name);
    return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

/* ---- answers of our own ---- */

static void answer(const struct visit *visit, unsigned status, const char *title, const char *text) {
    AUTO_FREE char *body =
        text_format("<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"
                    "<title>%u %s</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
                    "<h1>Error: %s</h1>\n<h2>%s</h2>\n<h2></h2>\n</body></html>\n",
                    status, title, title, text);
    AUTO_FREE char *reply =
        text_format("HTTP/1.1 %u %s\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: %zu\r\n"
                    "Server: Google Frontend\r\nConnection: close\r\n\r\n%s",
                    status, title, strlen(body), body);
    char rest[4096];
    struct timeval limit = {.tv_usec = 50000};
    (void)!send(visit->client, reply, strlen(reply), MSG_NOSIGNAL);
    shutdown(visit->client, SHUT_WR);
    /* A body that is still on its way would make the kernel reset the connection before the answer was read. */
    setsockopt(visit->client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    for (int i = 0; i < LINGER_ROUNDS && recv(visit->client, rest, sizeof(rest), 0) > 0; i++)
        continue;
}

/* ---- who and where ---- */

static const char *bearer(const char *value) {
    return value && strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 + strspn(value + 7, " ") : NULL;
}

static bool is_developer(const struct visit *visit) {
    if (visit->run->cloud->strict || header(visit, "X-Forwarded-Host", NULL) || header(visit, "X-Forwarded-For", NULL))
        return false;
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    if (getpeername(visit->client, (struct sockaddr *)&peer, &size) < 0 || peer.sin_family != AF_INET)
        return false;
    int64_t user = loopback_peer_user(&peer);
    return user >= 0 && user == (int64_t)geteuid();
}

/* "TAG---SERVICE.localhost:PORT" → TAG. The caller frees. */
static char *host_tag(const char *host) {
    const char *dashes = host ? strstr(host, "---") : NULL;
    return dashes && dashes != host ? text_copy_length(host, (size_t)(dashes - host)) : NULL;
}

/* False when the visitor was answered. */
static bool admit(const struct visit *visit) {
    struct run *run = visit->run;
    const char *token = bearer(header(visit, "X-Serverless-Authorization", NULL));
    if (!token)
        token = bearer(header(visit, "Authorization", NULL));
    pthread_mutex_lock(&run->lock);
    bool allowed = policy_is_public(visit->service) || policy_admits(run, visit->service, token);
    pthread_mutex_unlock(&run->lock);
    if (allowed || is_developer(visit))
        return true;
    answer(visit, token ? 401 : 403, token ? "Unauthorized" : "Forbidden",
           token ? "Your client does not have permission to the requested URL: the access token could not be verified."
                 : "Your client does not have permission to get URL from this server.");
    return false;
}

/* ---- passing on ---- */

static bool is_upgrade(const struct visit *visit) {
    const char *connection = header(visit, "Connection", NULL);
    return connection && strcasestr(connection, "upgrade") && header(visit, "Upgrade", NULL);
}

/* The head as the container sees it. */
static void make_head(const struct visit *visit, struct buffer *out) {
    static const char *const dropped[] = {
        "Connection",      "Keep-Alive",        "Proxy-Connection",           "Proxy-Authorization",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Serverless-Authorization", "Forwarded"};
    const char *before = header(visit, "X-Forwarded-For", NULL), *proto = header(visit, "X-Forwarded-Proto", NULL);
    bool forwarded = header(visit, "X-Forwarded-Host", NULL) != NULL;
    char trace[33];
    buffer_append_format(out, "%s\r\n", visit->lines.items[0]);
    for (size_t i = 1; i < visit->lines.count; i++) {
        bool drop = false;
        for (size_t j = 0; j < ARRAY_LENGTH(dropped); j++)
            drop = drop || line_is(visit->lines.items[i], dropped[j]);
        if (!drop)
            buffer_append_format(out, "%s\r\n", visit->lines.items[i]);
    }
    buffer_append_format(out, "X-Forwarded-For: %s%s127.0.0.1\r\n", before ? before : "", before ? ", " : "");
    buffer_append_format(out, "X-Forwarded-Proto: %s\r\n", forwarded && proto ? proto : "http");
    if (!header(visit, "X-Cloud-Trace-Context", NULL)) {
        random_hex(trace, sizeof(trace));
        buffer_append_format(out, "X-Cloud-Trace-Context: %s/1;o=0\r\n", trace);
    }
    buffer_append_text(out, is_upgrade(visit) ? "Connection: Upgrade\r\n\r\n" : "Connection: close\r\n\r\n");
    buffer_append(out, visit->head + visit->head_length, visit->length - visit->head_length);
}

static bool send_text(int fd, const char *data, size_t length) {
    for (ssize_t sent; length > 0; data += sent, length -= (size_t)sent)
        if ((sent = send(fd, data, length, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static unsigned request_seconds(const struct visit *visit, const struct slot *slot) {
    pthread_mutex_lock(&visit->run->lock);
    double seconds = strtod(json_get_text(slot->revision->document, "timeout", "300s"), NULL);
    pthread_mutex_unlock(&visit->run->lock);
    return seconds < 1 ? 1 : (unsigned)seconds;
}

/* ---- an instance ---- */

#define AFFINITY_COOKIE "GAESA"
enum { AFFINITY_DAYS = 30, CONNECT_TRIES = 25, CONNECT_PAUSE = 20000000 /* nanoseconds */ };

/* The instance that a cookie of ours names, or NULL. The caller frees. */
static char *wanted_instance(const struct visit *visit) {
    const char *cookie = header(visit, "Cookie", NULL);
    for (const char *at = cookie; at && *at; at += strspn(at, "; ")) {
        size_t length = strcspn(at, ";");
        if (text_starts_with(at, AFFINITY_COOKIE "="))
            return text_copy_length(at + strlen(AFFINITY_COOKIE "="), length - strlen(AFFINITY_COOKIE "="));
        at += length;
    }
    return NULL;
}

/* NULL where the service does not want it, or the visitor has it. The caller frees. */
static char *affinity_header(const struct visit *visit, const struct slot *slot, const char *wanted) {
    AUTO_FREE char *id = slot_affinity(visit->run, slot);
    return id && !text_equal(id, wanted) ? text_format("Set-Cookie: %s=%s; Max-Age=%d; Path=/; HttpOnly\r\n",
                                                       AFFINITY_COOKIE, id, AFFINITY_DAYS * 86400)
                                         : NULL;
}

/* Google's words, for the visitor and for the log. */
static void refuse(const struct visit *visit, enum slot_answer why) {
    static const struct {
        unsigned status;
        const char *title, *text, *log;
    } answers[] = {
        [SLOT_NO_REVISION] = {404, "Page not found", "The requested URL was not found on this server.", NULL},
        [SLOT_DISABLED] = {503, "Service disabled", "Service disabled.", NULL},
        [SLOT_FULL] = {429, "Too Many Requests", "Rate exceeded.",
                       "The request was aborted because there was no available instance."},
        [SLOT_FAILED] = {503, "Service Unavailable",
                         "The container of this service could not be started or ended early; see: pl-local logs", NULL},
    };
    if (answers[why].log)
        service_log(visit->run, visit->service, NULL, answers[why].log);
    answer(visit, answers[why].status, answers[why].title, answers[why].text);
}

/* A connection to an instance, and the place that it has there. An instance that is just ending refuses connections
 * before its end is seen: the next try finds another. */
static int connect_instance(const struct visit *visit, const char *wanted, struct slot *slot, enum slot_answer *taken) {
    AUTO_FREE char *tag = host_tag(header(visit, "Host", NULL));
    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        if (tries > 0)
            nanosleep(&(struct timespec){.tv_nsec = CONNECT_PAUSE}, NULL);
        *taken = slot_take(visit->run, visit->service, tag, wanted, slot);
        int fd = *taken == SLOT_TAKEN ? slot_connect(visit->run, slot) : -1;
        if (fd >= 0 || *taken != SLOT_TAKEN)
            return fd;
        slot_give(visit->run, slot);
    }
    *taken = SLOT_FAILED;
    return -1;
}

static void pass_on(const struct visit *visit, int server, const struct slot *slot, const char *wanted) {
    AUTO_FREE char *cookie = affinity_header(visit, slot, wanted);
    AUTO_BUFFER struct buffer head = BUFFER(3 * HEAD_LIMIT);
    struct relay passage = {.client = visit->client,
                            .server = server,
                            .stopping = &visit->run->stopping,
                            .seconds = request_seconds(visit, slot),
                            .header = cookie};
    make_head(visit, &head);
    bool sent = !head.failed && send_text(server, buffer_text(&head), head.length);
    memory_wipe(head.data, head.length);
    bool in_time = !sent || relay(&passage);
    if (!in_time)
        service_log(
            visit->run, visit->service, slot->revision->name,
            "The request has been terminated because it has reached the maximum request timeout. To change this "
            "limit, see https://cloud.google.com/run/docs/configuring/request-timeout");
    if (passage.answered)
        return;
    if (!in_time)
        answer(visit, 504, "Gateway Timeout", "upstream request timeout");
    else
        answer(visit, 503, "Service Unavailable", "The container closed the connection without an answer.");
}

static void serve(const struct visit *visit) {
    AUTO_FREE char *wanted = wanted_instance(visit);
    enum slot_answer taken;
    struct slot slot;
    AUTO_CLOSE int server = connect_instance(visit, wanted, &slot, &taken);
    if (server < 0) {
        refuse(visit, taken);
        return;
    }
    pass_on(visit, server, &slot, wanted);
    slot_give(visit->run, &slot);
}

static void *serve_visit(void *context) {
    struct visit *visit = context;
    struct run *run = visit->run;
    size_t hosts = 0, lengths = 0;
    if (read_head(visit)) {
        bool well = split_head(visit);
        const char *host = well ? header(visit, "Host", &hosts) : NULL;
        if (well)
            header(visit, "Content-Length", &lengths);
        bool both = well && lengths && header(visit, "Transfer-Encoding", NULL);
        if (!well || hosts != 1 || lengths > 1 || both || !host_is_local(host)) {
            answer(visit, 400, "Bad Request",
                   "The request is malformed, or its Host header does not name this machine.");
        } else if (admit(visit)) {
            serve(visit);
        }
    }
    visit_release(visit);
    run_work_done(run);
    return NULL;
}

/* ---- the port ---- */

static void accept_visit(const struct ingress *ingress) {
    int client = accept4(ingress->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    struct visit *visit = memory_allocate(1, sizeof(*visit));
    *visit = (struct visit){.run = ingress->run, .service = ingress->service, .client = client};
    if (run_work_for_client(ingress->run, serve_visit, visit))
        return;
    answer(visit, 429, "Too Many Requests", "Rate exceeded.");
    visit_release(visit);
}

static void *keep_port(void *context) {
    struct ingress *ingress = context;
    struct pollfd wait[2] = {{.fd = ingress->end, .events = POLLIN}, {.fd = ingress->listener, .events = POLLIN}};
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (wait[0].revents)
            return NULL;
        if (wait[1].revents)
            accept_visit(ingress);
    }
}

static void release(struct ingress *ingress) {
    cleanup_close(&ingress->listener);
    cleanup_close(&ingress->end);
    free(ingress);
}

struct ingress *ingress_open(struct run *run, struct service *service, struct error *error) {
    struct ingress *ingress = memory_allocate(1, sizeof(*ingress));
    *ingress = (struct ingress){.run = run, .service = service, .end = eventfd(0, EFD_CLOEXEC)};
    ingress->listener = loopback_listen(&service->port, true, error);
    if (ingress->listener >= 0 && ingress->end >= 0 && pthread_create(&ingress->thread, NULL, keep_port, ingress) == 0)
        return ingress;
    if (ingress->listener >= 0)
        error_set(error, ERROR_INTERNAL, "cannot make a thread");
    release(ingress);
    return NULL;
}

void ingress_close(struct ingress **pointer) {
    struct ingress *ingress = *pointer;
    uint64_t one = 1;
    *pointer = NULL;
    if (!ingress)
        return;
    if (write(ingress->end, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(ingress->thread, NULL);
    release(ingress);
}
