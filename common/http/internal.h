/* What the files of common/http share: URLs taken apart, where a request may go, and one transfer at a time. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "common/http/http.h"

#include <sys/socket.h>

struct url_parts {
    bool is_https;
    const char *host; /* into the URL, without brackets */
    size_t host_length;
    unsigned port;
};
bool url_split(const char *url, struct url_parts *parts);

enum address_class { ADDRESS_PUBLIC, ADDRESS_LOOPBACK, ADDRESS_PRIVATE, ADDRESS_LINK_LOCAL, ADDRESS_UNROUTABLE };
enum address_class address_class_of(const struct sockaddr *address);
/* ADDRESS_PUBLIC for what is no address. */
enum address_class address_class_of_literal(const char *host);

/* What kind of address a host that the user named turned out to have. */
struct known_host {
    char *host;
    enum address_class class;
};
struct destinations {
    struct text_list plain_hosts;
    struct known_host *known;
    size_t known_count;
};
/* Whether a URL may be asked at all. `trusted` is the URL whose server named this one, or NULL when the user did:
 * ERROR_PROTOCOL then, else ERROR_CONFIGURATION. */
int destinations_check(const struct destinations *destinations, const char *url, const char *trusted,
                       struct error *error) MUST_CHECK;
/* Whether an address may be connected to for the URL. One that a server named may lie in the public network, or in the
 * kind of network where the trusted host is. Through a proxy only the proxy's address is seen here: then the name alone
 * can be judged, which destinations_check does. */
bool destinations_admit(struct destinations *destinations, const char *url, const char *trusted,
                        enum address_class address);
void destinations_release(struct destinations *destinations);

enum transfer_outcome {
    TRANSFER_ANSWERED,
    TRANSFER_NOT_CONNECTED, /* no name, no route, refused: nothing was sent */
    TRANSFER_BROKEN,        /* ended before the answer was whole, or stalled */
    TRANSFER_FAILED,        /* asking again would not help */
};

/* One request sent once. All pointers are the caller's and live until transfer_next() gave it back or
 * transfer_abandon() was called. */
struct transfer {
    const struct http_request *request;
    const char *url;
    const char *authorization; /* a header line, or NULL */
    const char *user_agent;
    uint64_t timeout; /* milliseconds for all of it */
    unsigned stall;   /* seconds */
    uint64_t offset;  /* bytes of the body that the sink has from an earlier try: the rest is asked for */
    bool only_once;   /* must not reach the server twice, whatever happens to the connection */
    /* Asked for each address before it is connected to. */
    bool (*admit)(void *owner, enum address_class address);
    void *owner;

    struct http_response *response;
    enum transfer_outcome outcome;
    struct error error; /* unless TRANSFER_ANSWERED */
    bool was_refused;   /* `admit` said no, or nobody listens there */

    void *easy, *header_lines; /* curl's */
    uint64_t sent;             /* of body_fd */
    uint64_t received;         /* into the sink, those before `offset` included */
    bool sink_begun;
    size_t header_bytes;
    bool is_cut;
    char detail[256];
};

/* The pool of connections. NULL when libcurl cannot be loaded. */
struct transfer_pool;
struct transfer_pool *transfer_pool_new(struct error *error) MUST_CHECK;
void transfer_pool_release(struct transfer_pool **pool);
int transfer_start(struct transfer_pool *pool, struct transfer *transfer, struct error *error) MUST_CHECK;
void transfer_abandon(struct transfer_pool *pool, struct transfer *transfer);
/* One that is done, waiting at most `wait` milliseconds, or NULL. */
struct transfer *transfer_next(struct transfer_pool *pool, int wait);

#endif
