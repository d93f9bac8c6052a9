#include "local/server/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    DRAIN_LIMIT = 16 << 20, /* bytes of a body that are read although nobody wants them, so that the reply arrives */
    HEADER_MEMORY = 64 << 10,
    IDLE_SECONDS = 120,
};

struct server {
    struct MHD_Daemon *daemon;
    request_handler *begin;
    void *context;
};

struct exchange {
    struct request request;
    struct reply reply;
    char *authority; /* of a request in absolute form */
    uint64_t surplus;
    bool begun;
};

const char *request_header(const struct request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct collect {
    const char *name;
    struct text_list *values;
};

static enum MHD_Result collect_one(void *context, enum MHD_ValueKind kind, const char *key, const char *value) {
    struct collect *collect = context;
    (void)kind;
    if (value && text_equal(key, collect->name))
        text_list_add(collect->values, value);
    return MHD_YES;
}

void request_query_all(const struct request *request, const char *name, struct text_list *values) {
    struct collect collect = {name, values};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, collect_one, &collect);
}

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *key, const char *value) {
    (void)kind;
    text_list_add_format(context, "%s: %s", key, value ? value : "");
    return MHD_YES;
}

void request_headers(const struct request *request, struct text_list *lines) {
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, collect_header, lines);
}

enum range request_range(const struct request *request, uint64_t size, uint64_t *first, uint64_t *last) {
    const char *range = request_header(request, "Range");
    if (!range || !text_starts_with(range, "bytes=") || strchr(range, ','))
        return RANGE_NONE;
    range += strlen("bytes=");
    const char *dash = strchr(range, '-');
    if (!dash)
        return RANGE_NONE;
    AUTO_FREE char *from = text_copy_length(range, (size_t)(dash - range));
    uint64_t begin = 0, end = size ? size - 1 : 0;
    if (*from && !text_to_u64(from, UINT64_MAX / 2, &begin))
        return RANGE_NONE;
    if (dash[1] && !text_to_u64(dash + 1, UINT64_MAX / 2, &end))
        return RANGE_NONE;
    if (!*from) {
        if (!dash[1] || end == 0)
            return dash[1] ? RANGE_NOT_SATISFIABLE : RANGE_NONE;
        begin = end < size ? size - end : 0;
        end = size ? size - 1 : 0;
    }
    if (begin >= size || end < begin)
        return RANGE_NOT_SATISFIABLE;
    *first = begin;
    *last = end < size ? end : size - 1;
    return RANGE_SET;
}

const char *request_authorization(const struct request *request, const char *scheme) {
    const char *value = request_header(request, "Authorization");
    size_t length = strlen(scheme);
    if (!value || strncasecmp(value, scheme, length) != 0 || value[length] != ' ')
        return NULL;
    value += length;
    return value + strspn(value, " ");
}

bool request_is(const struct request *request, const char *method) {
    return text_equal(request->method, method);
}

/* "  0: 0100007F:1F90 0100007F:C350 01 … uid …": the row whose local end is our peer. */
int64_t loopback_peer_user(const struct sockaddr_in *peer) {
    AUTO_FILE FILE *table = fopen("/proc/net/tcp", "re");
    char line[512];
    while (table && fgets(line, sizeof(line), table)) {
        unsigned address, port, user;
        if (sscanf(line, " %*u: %8x:%4x %*x:%*x %*x %*x:%*x %*x:%*x %*x %u", &address, &port, &user) == 3 &&
            address == peer->sin_addr.s_addr && port == ntohs(peer->sin_port))
            return user;
    }
    return -1;
}

int64_t request_peer_user(const struct request *request) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || info->client_addr->sa_family != AF_INET)
        return -1;
    struct sockaddr_in peer;
    memcpy(&peer, info->client_addr, sizeof(peer));
    return loopback_peer_user(&peer);
}

bool host_is_local(const char *host) {
    size_t length = host ? strcspn(host, ":") : 0;
    if (host && host[0] == '[')
        length = strcspn(host, "]") + 1;
    AUTO_FREE char *name = text_copy_length(host ? host : "", host && length <= strlen(host) ? length : 0);
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]", "169.254.169.254",
                                        "metadata.google.internal"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return text_ends_with(name, ".localhost") || text_ends_with(name, ".pltest");
}

static ssize_t no_body(void *context, uint64_t position, char *data, size_t size) {
    (void)context;
    (void)position;
    (void)data;
    (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static enum MHD_Result send_reply(struct exchange *exchange) {
    struct reply *reply = &exchange->reply;
    struct MHD_Response *response;
    if (reply->has_length)
        response = MHD_create_response_from_callback(reply->length, 1, no_body, NULL, NULL);
    else if (reply->fd >= 0)
        response = MHD_create_response_from_fd_at_offset64(reply->length, take_fd(&reply->fd), reply->offset);
    else
        response = MHD_create_response_from_buffer(reply->body.length, (void *)buffer_text(&reply->body),
                                                   MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    if (reply->content_type)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i + 1 < reply->headers.count; i += 2)
        MHD_add_response_header(response, reply->headers.items[i], reply->headers.items[i + 1]);
    enum MHD_Result result = MHD_queue_response(exchange->request.connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void refuse_size(struct exchange *exchange) {
    size_t limit = exchange->request.body.limit;
    if (exchange->request.speaks_oci)
        reply_oci_error(&exchange->reply, 413, "SIZE_INVALID", "the request is larger than %zu bytes", limit);
    else
        reply_google_error(&exchange->reply, 413, "the request is larger than %zu bytes", limit);
}

static void take_body(struct exchange *exchange, const char *data, size_t length) {
    struct request *request = &exchange->request;
    if (exchange->reply.status || request->sink_failed) {
        exchange->surplus += length;
    } else if (request->sink) {
        request->sink_failed = request->sink(request->sink_context, data, length, &request->sink_error) < 0;
    } else {
        buffer_append(&request->body, data, length);
        if (request->body.failed)
            refuse_size(exchange);
    }
}

/* A client that takes this server for its proxy asks for "http://HOST/path" (RFC 9112, 3.2.2): HOST stands for the Host
 * header. One with an escape in it is no name of this machine. */
static void take_absolute_form(struct exchange *exchange) {
    static const char scheme[] = "http://";
    struct request *request = &exchange->request;
    if (!text_starts_with(request->target, scheme))
        return;
    const char *authority = request->target + strlen(scheme);
    size_t length = strcspn(authority, "/?%");
    size_t skipped = strlen(scheme) + length;
    exchange->authority = text_copy_length(authority, authority[length] == '%' ? 0 : length);
    request->host = exchange->authority;
    request->path =
        text_starts_with(request->path, scheme) && strlen(request->path) > skipped ? request->path + skipped : "/";
    char *target = authority[length] == '/' ? text_copy(authority + length) : text_format("/%s", authority + length);
    free(request->target);
    request->target = target;
}

static enum MHD_Result begin(struct server *server, struct exchange *exchange) {
    struct request *request = &exchange->request;
    if (!host_is_local(request->host))
        reply_google_error(&exchange->reply, 421, "the Host header does not name this machine");
    else
        server->begin(server->context, request, &exchange->reply);
    if (!exchange->reply.status && !request->sink && request->content_length > (int64_t)request->body.limit)
        refuse_size(exchange);
    /* A short body is read to its end first, so that the client sees the answer and not a reset. */
    if (exchange->reply.status && request->content_length > DRAIN_LIMIT)
        return send_reply(exchange);
    return MHD_YES;
}

/* The first line of a request has come: what it asks for is only here as it was sent. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    struct exchange *exchange = memory_allocate(1, sizeof(*exchange));
    (void)context;
    (void)connection;
    exchange->reply.fd = -1;
    exchange->request.target = text_copy(target);
    return exchange;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *length, void **slot) {
    struct server *server = context;
    struct exchange *exchange = *slot;
    (void)version;
    if (!exchange->begun) {
        exchange->begun = true;
        exchange->reply.body = BUFFER((size_t)64 << 20);
        exchange->request = (struct request){.method = method,
                                             .path = url,
                                             .target = exchange->request.target,
                                             .connection = connection,
                                             .body = BUFFER(BODY_LIMIT),
                                             .content_length = -1};
        exchange->request.host = request_header(&exchange->request, "Host");
        take_absolute_form(exchange);
        const char *size = request_header(&exchange->request, "Content-Length");
        uint64_t number;
        if (size && text_to_u64(size, INT64_MAX, &number))
            exchange->request.content_length = (int64_t)number;
        return begin(server, exchange);
    }
    exchange->request.connection = connection;
    if (*length) {
        take_body(exchange, data, *length);
        *length = 0;
        return exchange->surplus > DRAIN_LIMIT ? MHD_NO : MHD_YES;
    }
    if (!exchange->reply.status)
        exchange->request.handle(server->context, &exchange->request, &exchange->reply);
    if (!exchange->reply.status)
        reply_google_error(&exchange->reply, 500, "no answer was made");
    return send_reply(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code) {
    struct exchange *exchange = *slot;
    (void)context;
    (void)connection;
    (void)code;
    *slot = NULL;
    if (!exchange)
        return;
    if (exchange->request.sink_release)
        exchange->request.sink_release(exchange->request.sink_context);
    if (exchange->reply.fd >= 0)
        close(exchange->reply.fd);
    memory_wipe(exchange->request.body.data, exchange->request.body.length);
    buffer_release(&exchange->request.body);
    buffer_release(&exchange->reply.body);
    text_list_release(&exchange->reply.headers);
    free(exchange->request.principal);
    text_list_release(&exchange->request.members);
    free(exchange->request.target);
    free(exchange->authority);
    free(exchange);
}

struct server *server_start(int listener, request_handler *begin_handler, void *context, struct error *error) {
    struct server *server = memory_allocate(1, sizeof(*server));
    server->begin = begin_handler;
    server->context = context;
    server->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, NULL, NULL,
        on_request, server, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)REQUEST_THREADS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_MEMORY, MHD_OPTION_END);
    if (server->daemon)
        return server;
    error_set(error, ERROR_INTERNAL, "cannot start the HTTP server");
    free(server);
    close(listener);
    return NULL;
}

void server_stop(struct server **server) {
    if (!*server)
        return;
    MHD_stop_daemon((*server)->daemon);
    free(*server);
    *server = NULL;
}
