/* The one HTTP client (over libcurl, which only this folder includes). Design section 11.
 *
 * One struct http per process and thread: one connection pool, HTTP/2 where the server has it, TLS 1.2 or later and
 * always verified, plain http only where the URL says so and the host is loopback or was named in `plain_hosts`.
 * netrc is never read; a redirect is only followed when the request allows it, at most 5 times, never from https to
 * http, never to a loopback, private or link-local address unless the first host has an address of that kind (checked
 * on the address that is connected to), and Authorization is dropped as soon as scheme, host or port changes; a retry
 * begins where the request began, since a redirect's target may have been signed for a while only. A proxy
 * of the environment is used, never for loopback. SSL_CERT_FILE or CURL_CA_BUNDLE, and SSL_CERT_DIR, name other roots.
 *
 * Retry: 408, 429, 500, 502, 503, 504 and connection errors, of requests that are `idempotent` and whose body can be
 * sent again; full jitter min(30 s, 0.5 s * 2^n), at most 8 tries (4 when no connection can be made at all, 1 when
 * nobody listens on loopback), Retry-After honoured unless it lies behind the deadline; one deadline for all requests
 * of a struct http (default 600 s). A transfer is ended by a stall (under 1 KiB/s for 60 s), not by its length. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "common/base/buffer.h"
#include "common/base/progress.h"
#include "common/base/text.h"

#include <stdint.h>

struct http;

struct http_options {
    const char *user_agent;              /* NULL: "pl/VERSION" */
    unsigned deadline;                   /* seconds for everything, 0: 600 */
    unsigned stall;                      /* seconds under 1 KiB/s that end a transfer, 0: 60 */
    struct progress *progress;           /* retries are told there; its `cancelled` ends a transfer */
    const struct text_list *plain_hosts; /* host:port that may be spoken to without TLS, beside loopback */
};

struct http *http_new(const struct http_options *options);
void http_release(struct http **http);
/* The deadline begins again, when a long wait for something else lies behind; the connections stay. */
void http_renew_deadline(struct http *http);
#define AUTO_HTTP AUTO(http_release)

enum http_authorization { HTTP_NO_AUTHORIZATION, HTTP_BEARER, HTTP_BASIC };

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    /* The URL whose answer named this one (a registry's token realm, an upload location), or NULL when the user or pl
     * did: then the rules of a redirect from there hold. `secret` is sent all the same: the caller decides. */
    const char *named_by;
    const struct text_list *headers; /* "Name: value" */
    enum http_authorization authorization;
    const char *secret; /* the token, or "user:password"; never traced, never sent elsewhere */
    const char *content_type;
    const void *body;
    size_t body_length;
    /* Or a body that is read as it is sent: exactly body_size bytes from body_fd at body_offset (pread). */
    int body_fd;
    uint64_t body_size;
    uint64_t body_offset;
    bool has_body_fd;
    const char *certificate, *key; /* PEM files: ours for mutual TLS, or NULL */
    bool secret_response;          /* the body of the response is wiped when it is released */
    bool idempotent;               /* may be sent twice; GET, HEAD, PUT and DELETE always are */
    bool follow_redirects;         /* only GET and HEAD */
    bool no_retry;
    size_t response_limit; /* bytes of body kept in response->body; 0: 1 MiB. More is ERROR_PROTOCOL, and
                            * is cut off when the status is not 2xx */
    /* Or the body of a 2xx goes here piece by piece, never beyond sink_limit bytes; return -1 to stop with *error. */
    int (*sink)(void *context, const char *data, size_t length, struct error *error);
    /* Called before a retry starts the body over. Without it, and not resumable, there is no retry once the sink has
     * got something. */
    void (*sink_restart)(void *context);
    void *sink_context;
    uint64_t sink_limit;
    bool resumable; /* the body is the same whenever it is asked for (a blob): a retry asks for what is missing (Range,
                     * told as 200), and starts over only when the server sends all of it again */
    int64_t delay;  /* milliseconds to wait before it is sent */
    unsigned timeout; /* seconds for this one request, 0: only the stall limit and the deadline */
};

struct http_response {
    long status;
    struct buffer body;
    struct text_list headers; /* of the last response, "name: value", names in lower case */
    char *url;                /* the last URL after redirects */
};

/* 0 when an HTTP response arrived, whatever its status; -1 when none did after all tries (ERROR_UNAVAILABLE,
 * ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_PROTOCOL). The response must be released in both cases; it is zeroed first. */
int http_perform(struct http *http, const struct http_request *request, struct http_response *response,
                 struct error *error) MUST_CHECK;

/* Asynchronous: starts the request (everything it points to must live until `done`) and returns at once. `done` is
 * called from http_run, with failure = NULL when a response arrived; it may start further requests and perform others
 * (a sink may not). The response is released after `done` returns. */
typedef void http_done(void *context, struct http_response *response, const struct error *failure);
int http_start(struct http *http, const struct http_request *request, http_done *done, void *context,
               struct error *error) MUST_CHECK;
/* Runs until every started request is done or the progress is cancelled (ERROR_CANCELLED). */
int http_run(struct http *http, struct error *error) MUST_CHECK;

/* Ends every started request with ERROR_CANCELLED: http_run calls their `done`. For a `done` that knows that the rest
 * is in vain. */
void http_cancel(struct http *http);

/* What Retry-After asks for, in milliseconds, or -1. For callers that decide on their own how to go on. */
int64_t http_retry_after(const struct http_response *response);

/* The value of the first header of that name (lower case), or NULL. Borrowed. */
const char *http_header(const struct http_response *response, const char *name);
/* A secret that was sent may come back in what the other end says of it: it becomes "***" in the body, as it is,
 * percent-encoded and as JSON escapes it. NULL and texts of less than 6 bytes do nothing. */
void http_response_hide(struct http_response *response, const char *secret);
void http_response_release(struct http_response *response);
#define AUTO_RESPONSE AUTO(http_response_release)

/* Percent-encodes everything but unreserved characters; the caller frees. */
char *url_encode(const char *text);
/* "https://host:port" of a URL, or NULL when it is not http(s), has user information or control characters. Frees. */
char *url_origin(const char *url);
char *url_host(const char *url); /* without brackets and port; NULL as above */
bool url_is_loopback(const char *url);
/* Resolves a Location against the URL it came from; NULL when the result is not http(s). The caller frees. */
char *url_resolve(const char *base, const char *location);

#endif
