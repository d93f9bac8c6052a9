/* Rewrites to services of the local Cloud Run, under the rules that Hosting has for them: of the visitor's cookies only
 * `__session` arrives, an answer is private unless it says otherwise, one that is not may set no cookies, and answers
 * are passed on when they are complete. */
#include "local/hosting/serve.h"

#include "common/http/http.h"
#include "local/hosting/services.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

enum { REQUEST_SECONDS = 60, BODY_SIZE_LIMIT = 32 << 20 };

/* ---- bodies, in a file without a name ---- */

struct spool {
    int fd;
    uint64_t size;
};

struct spool *spool_new(const struct hosting *hosting, struct error *error) {
    int fd = open(hosting->root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot write to %s", hosting->root);
        return NULL;
    }
    struct spool *spool = memory_allocate(1, sizeof(*spool));
    spool->fd = fd;
    return spool;
}

int spool_write(void *context, const void *data, size_t length, struct error *error) {
    struct spool *spool = context;
    if (spool->size + length > BODY_SIZE_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d bytes", BODY_SIZE_LIMIT);
    for (size_t done = 0; done < length;) {
        ssize_t wrote = pwrite(spool->fd, (const char *)data + done, length - done, (off_t)(spool->size + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return error_set_errno(error, errno, "cannot keep what was sent");
        done += (size_t)wrote;
    }
    spool->size += length;
    return 0;
}

void spool_release(void *context) {
    struct spool *spool = context;
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool);
}

static int spool_sink(void *context, const char *data, size_t length, struct error *error) {
    return spool_write(context, data, length, error);
}

/* ---- the request ---- */

static bool name_is(const char *line, const char *name) {
    size_t length = strlen(name);
    return !strncasecmp(line, name, length) && line[length] == ':';
}

/* Of one connection, or made anew for the service. */
static bool is_left_out(const char *line) {
    static const char *const names[] = {"Host",
                                        "Cookie",
                                        "Connection",
                                        "Keep-Alive",
                                        "TE",
                                        "Trailer",
                                        "Transfer-Encoding",
                                        "Upgrade",
                                        "Expect",
                                        "Content-Length",
                                        "Content-Type",
                                        "Proxy-Authorization",
                                        "Forwarded",
                                        "X-Forwarded-Host",
                                        "X-Forwarded-For",
                                        "X-Forwarded-Proto",
                                        "X-Original-Url",
                                        "Proxy-Connection"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (name_is(line, names[i]))
            return true;
    return false;
}

static void add_session(const struct request *request, struct text_list *headers) {
    const char *cookies = request_header(request, "Cookie");
    static const char name[] = "__session=";
    for (const char *at = cookies; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        at += strspn(at, " ");
        if (text_starts_with(at, name)) {
            text_list_add_format(headers, "Cookie: %.*s", (int)strcspn(at, ";"), at);
            return;
        }
    }
}

static void make_headers(const struct visit *visit, struct text_list *headers) {
    AUTO_LIST struct text_list lines = {0};
    request_headers(visit->request, &lines);
    for (size_t i = 0; i < lines.count; i++)
        if (!is_left_out(lines.items[i]))
            text_list_add(headers, lines.items[i]);
    add_session(visit->request, headers);
    text_list_add_format(headers, "X-Forwarded-Host: %s", visit->request->host);
    text_list_add_format(headers, "X-Original-Url: %s%s", visit->raw, visit->query);
    text_list_add(headers, "X-Forwarded-For: 127.0.0.1");
    text_list_add(headers, "X-Forwarded-Proto: http");
}

/* ---- the answer ---- */

static bool is_hop(const char *line) {
    static const char *const names[] = {"connection", "keep-alive", "transfer-encoding",  "content-length", "te",
                                        "trailer",    "upgrade",    "proxy-authenticate", "date",           "server"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (name_is(line, names[i]))
            return true;
    return false;
}

/* "accept-language" as "Accept-Language". */
static void capitalise(char *name) {
    bool first = true;
    for (char *at = name; *at; at++) {
        *at = (char)(first ? toupper((unsigned char)*at) : tolower((unsigned char)*at));
        first = *at == '-';
    }
}

static char *make_vary(const char *given) {
    AUTO_LIST struct text_list names = {0};
    static const char *const always[] = {"Accept-Encoding", "Authorization", "Cookie"};
    struct buffer out = BUFFER(4096);
    for (const char *at = given; at && *at;) {
        at += strspn(at, ", ");
        size_t length = strcspn(at, ", ");
        if (length) {
            text_list_take(&names, text_copy_length(at, length));
            capitalise(names.items[names.count - 1]);
        }
        at += length;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
        if (!text_list_contains(&names, always[i]))
            text_list_add(&names, always[i]);
    for (size_t i = 0; i < names.count; i++)
        buffer_append_format(&out, "%s%s", i ? ", " : "", names.items[i]);
    return buffer_take(&out);
}

/* A place of the service itself becomes one of the site. */
static const char *relative_location(const char *location, const char *origin) {
    size_t length = strlen(origin);
    if (!text_starts_with(location, origin) || (location[length] && location[length] != '/'))
        return location;
    return location[length] ? location + length : "/";
}

static void pass_headers(struct visit *visit, const struct http_response *response, const char *origin) {
    const char *cache = http_header(response, "cache-control");
    bool shared = cache && !strstr(cache, "private");
    AUTO_FREE char *vary = make_vary(http_header(response, "vary"));
    for (size_t i = 0; i < response->headers.count; i++) {
        const char *line = response->headers.items[i], *value = strchr(line, ':');
        if (!value || is_hop(line) || name_is(line, "vary") || (shared && name_is(line, "set-cookie")))
            continue;
        value += 1 + strspn(value + 1, " ");
        AUTO_FREE char *name = text_copy_length(line, strcspn(line, ":"));
        capitalise(name);
        /* Cookies are the only ones of which there may be several. */
        if (name_is(line, "set-cookie"))
            reply_header(visit->reply, name, "%s", value);
        else
            visit_header(visit, name, "%s", name_is(line, "location") ? relative_location(value, origin) : value);
    }
    if (!cache)
        visit_header(visit, "Cache-Control", "private");
    visit_header(visit, "Vary", "%s", vary);
    visit_add_configured(visit, visit->raw);
}

static void pass_body(struct visit *visit, const struct http_response *response, struct spool *body) {
    struct reply *reply = visit->reply;
    const char *length = http_header(response, "content-length");
    uint64_t announced = 0;
    reply->status = (unsigned)response->status;
    if (request_is(visit->request, "HEAD") && length && text_to_u64(length, INT64_MAX, &announced)) {
        reply->has_length = true;
        reply->length = announced;
    } else if (body->size) {
        reply->fd = body->fd;
        reply->length = body->size;
        body->fd = -1;
    } else
        buffer_append(&reply->body, buffer_text(&response->body), response->body.length);
}

static void answer_failure(struct visit *visit, unsigned status, const char *text) {
    visit_header(visit, "Content-Type", "text/plain; charset=utf-8");
    visit_header(visit, "Cache-Control", "private");
    reply_text(visit->reply, status, NULL, text);
}

static bool cascades(const struct http_response *response) {
    const char *cascade = http_header(response, "x-cascade");
    return response->status == 404 && cascade && !strcasecmp(cascade, "PASS");
}

bool proxy_answer(struct visit *visit, const struct rewrite *rewrite) {
    AUTO_LIST struct text_list headers = {0};
    struct error error = {0};
    unsigned port;
    if (!service_find(visit->cloud, rewrite->region, rewrite->service, &port)) {
        answer_failure(visit, 404, "The requested URL was not found: the service of this rewrite is gone.\n");
        return true;
    }
    AUTO_FREE char *origin = text_format("http://127.0.0.1:%u", port);
    AUTO_FREE char *url = text_format("%s%s%s", origin, visit->raw, visit->query);
    struct http_options options = {.deadline = REQUEST_SECONDS, .stall = REQUEST_SECONDS};
    AUTO_HTTP struct http *http = http_new(&options);
    AUTO_RESPONSE struct http_response response = {0};
    struct spool *body = spool_new(visit->cloud->hosting, &error);
    make_headers(visit, &headers);
    /* The revision with that tag, as its own URL names it. */
    if (rewrite->tag)
        text_list_add_format(&headers, "Host: %s---%s.localhost:%u", rewrite->tag, rewrite->service, port);
    struct http_request request = {.method = visit->request->method,
                                   .url = url,
                                   .headers = &headers,
                                   .content_type = request_header(visit->request, "Content-Type"),
                                   .has_body_fd = visit->body != NULL,
                                   .body_fd = visit->body ? visit->body->fd : -1,
                                   .body_size = visit->body ? visit->body->size : 0,
                                   .no_retry = true,
                                   .response_limit = BODY_SIZE_LIMIT,
                                   .sink = spool_sink,
                                   .sink_context = body,
                                   .sink_limit = BODY_SIZE_LIMIT,
                                   .timeout = REQUEST_SECONDS};
    bool passed = true;
    if (!body || http_perform(http, &request, &response, &error) < 0) {
        bool late = error.kind == ERROR_TIMEOUT;
        answer_failure(visit, late ? 504 : 502,
                       late ? "The service did not answer within 60 seconds.\n"
                            : "The service could not be reached.\n");
    } else if (cascades(&response))
        passed = false;
    else {
        pass_headers(visit, &response, origin);
        pass_body(visit, &response, body);
    }
    spool_release(body);
    return passed;
}
