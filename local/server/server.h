/* The HTTP server of the local cloud (over libmicrohttpd, which only local/ includes): requests in, replies out.
 *
 * One thread per connection, so a handler may wait (a long poll). A request is routed when its header has arrived: the
 * `begin` function answers at once, or says who handles it and where the body goes: into request->body (limited), or
 * piece by piece into a sink. The Host header must name this machine: a web page of elsewhere that resolves to
 * 127.0.0.1 gets nothing (DNS rebinding). */
#ifndef LOCAL_SERVER_SERVER_H
#define LOCAL_SERVER_SERVER_H

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/json/json.h"

#include <stdint.h>

struct MHD_Connection;
struct request;
struct reply;

typedef void request_handler(void *context, struct request *request, struct reply *reply);

enum { BODY_LIMIT = 8 << 20, REQUEST_THREADS = 256 };

struct request {
    const char *method;
    const char *path; /* percent-decoded, without the query */
    char *target;     /* as it was sent: path and query, nothing decoded; owned */
    const char *host; /* the Host header: this machine's */
    struct MHD_Connection *connection;
    int64_t content_length; /* -1: not said (chunked, or no body) */
    struct buffer body;     /* the whole body, when there is no sink */
    request_handler *handle;
    bool speaks_oci; /* set in `begin`: the server's own refusals are in the form of the OCI distribution API */
    /* Set in `begin` for bodies that are not kept in memory. An error stays in sink_error and ends nothing else: the
     * handler is called all the same. `sink_release` runs when the request is over, also when it broke off. */
    int (*sink)(void *sink_context, const void *data, size_t length, struct error *error);
    void (*sink_release)(void *sink_context);
    void *sink_context;
    bool sink_failed;
    struct error sink_error;
    char *principal;          /* who asks, when a token was checked; owned */
    struct text_list members; /* what policies may call him */
};

struct reply {
    unsigned status; /* 0: not answered yet */
    const char *content_type;
    struct buffer body;
    struct text_list headers; /* name, value, name, value… */
    int fd;                   /* or the body is a part of this file; closed afterwards; -1: none */
    uint64_t offset, length;
    bool has_length; /* of an answer to HEAD whose body is not at hand: only `length` is announced */
};

/* NULL when absent. Borrowed. */
const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);
/* Every value of a query parameter that is given more than once. */
void request_query_all(const struct request *request, const char *name, struct text_list *values);
/* Every header field as "Name: value", in the order in which they came. */
void request_headers(const struct request *request, struct text_list *lines);
/* "Range: bytes=A-B" and the other two forms, of `size` bytes. RANGE_SET: *first and *last (inclusive) are set. */
enum range { RANGE_NONE /* or one that is ignored: several, another unit */, RANGE_SET, RANGE_NOT_SATISFIABLE };
enum range request_range(const struct request *request, uint64_t size, uint64_t *first, uint64_t *last);
/* The secret of "Authorization: SCHEME secret", or NULL. Borrowed. */
const char *request_authorization(const struct request *request, const char *scheme);
bool request_is(const struct request *request, const char *method);
/* One field of application/x-www-form-urlencoded, or NULL. The caller frees. */
char *form_value(const char *form, const char *name);
/* The user id of the process at the other end of the loopback connection, or -1. */
int64_t request_peer_user(const struct request *request);
/* The same for any TCP connection that a program of this machine made to us. */
struct sockaddr_in;
int64_t loopback_peer_user(const struct sockaddr_in *peer);
/* Whether a Host header names this machine. */
bool host_is_local(const char *host);

void reply_header(struct reply *reply, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void reply_text(struct reply *reply, unsigned status, const char *content_type, const char *text);
/* Takes `value`. */
void reply_json(struct reply *reply, unsigned status, struct json *value);
void reply_empty(struct reply *reply, unsigned status);
/* A google.rpc.Status: {"error":{"code":404,"message":…,"status":"NOT_FOUND"}}; the status name follows from the code.
 */
void reply_google_error(struct reply *reply, unsigned code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same with another status name than the code's usual one, and `details` (taken, may be NULL). */
void reply_google_status(struct reply *reply, unsigned code, const char *status, struct json *details,
                         const char *format, ...) PRINTF_LIKE(5, 6);
/* OCI distribution: {"errors":[{"code":…,"message":…}]} */
void reply_oci_error(struct reply *reply, unsigned status, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);
/* RFC 6749: {"error":…,"error_description":…} */
void reply_oauth_error(struct reply *reply, unsigned status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* One line in the server's log (the serving process's standard error). */
void server_note(const char *format, ...) PRINTF_LIKE(1, 2);

struct server;
/* Serves a listening socket, which it takes over. `begin` must answer or set request->handle. */
struct server *server_start(int listener, request_handler *begin, void *context, struct error *error) MUST_CHECK;
/* Stops listening and waits for requests under way. */
void server_stop(struct server **server);

#endif
