/* Requests: redirects, retries, deadlines. */
#include "common/http/http.h"
#include "common/http/internal.h"

#include "common/base/version.h"
#include "common/crypto/base64.h"
#include "common/crypto/random.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    DEADLINE = 600,
    STALL = 60,
    TRIES = 8,
    TRIES_TO_CONNECT = 4,
    RETRIES_IN_A_ROW = 24, /* of all requests together: a server that is down need not hear from each of them */
    FIRST_BACKOFF = 500,   /* milliseconds */
    LONGEST_BACKOFF = 30000,
    REDIRECTS = 5,
    PROGRESS = 1024 * 1024, /* bytes of a body that make a broken transfer a useful one */
    WAIT_SLICE = 100,       /* how often a cancellation is looked for */
};

enum call_state { CALL_WAITING, CALL_RUNNING, CALL_FINISHED };

struct call {
    struct call *next;
    struct http *http;
    const struct http_request *request;
    http_done *done;
    void *context;
    struct http_response response;
    enum call_state state;
    int64_t start_at; /* while waiting */
    char *url;
    char *trusted;       /* the URL that the user or pl named, before any server had a say */
    char *authorization; /* header line; wiped */
    uint64_t received;   /* what the sink has */
    unsigned tries, redirects;
    bool is_guided;   /* the URL comes from a server */
    bool left_origin; /* a redirect led away from where the secret belongs */
    bool failed;
    struct error failure;
    struct transfer transfer;
};

struct http {
    struct transfer_pool *pool;
    struct error load_failure;
    struct progress *progress;
    char *user_agent;
    struct destinations destinations;
    int64_t end; /* monotonic milliseconds */
    unsigned deadline;
    unsigned stall;
    unsigned retries_in_a_row;
    struct call *calls;
};

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void http_renew_deadline(struct http *http) {
    http->end = now_milliseconds() + (int64_t)http->deadline * 1000;
}

struct http *http_new(const struct http_options *options) {
    static const struct http_options defaults;
    options = options ? options : &defaults;
    struct http *http = memory_allocate(1, sizeof(*http));
    http->progress = options->progress;
    http->user_agent = text_copy(options->user_agent ? options->user_agent : "pl/" PL_VERSION);
    if (options->plain_hosts)
        text_list_add_all(&http->destinations.plain_hosts, options->plain_hosts);
    http->deadline = options->deadline ? options->deadline : DEADLINE;
    http->stall = options->stall ? options->stall : STALL;
    http_renew_deadline(http);
    http->pool = transfer_pool_new(&http->load_failure);
    return http;
}

static void call_release(struct call *call) {
    if (call->authorization)
        memory_wipe(call->authorization, strlen(call->authorization));
    free(call->authorization);
    free(call->url);
    free(call->trusted);
    http_response_release(&call->response);
    free(call);
}

void http_release(struct http **http) {
    if (!*http)
        return;
    for (struct call *call = (*http)->calls, *next; call; call = next) {
        next = call->next;
        transfer_abandon((*http)->pool, &call->transfer);
        call_release(call);
    }
    transfer_pool_release(&(*http)->pool);
    destinations_release(&(*http)->destinations);
    free((*http)->user_agent);
    free(*http);
    *http = NULL;
}

void http_response_release(struct http_response *response) {
    buffer_release(&response->body);
    text_list_release(&response->headers);
    free(response->url);
    *response = (struct http_response){0};
}

const char *http_header(const struct http_response *response, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < response->headers.count; i++) {
        const char *line = response->headers.items[i];
        if (!strncasecmp(line, name, length) && line[length] == ':' && line[length + 1] == ' ')
            return line + length + 2;
    }
    return NULL;
}

/* ---- one request ---- */

static char *authorization_line(const struct http_request *request, struct error *error) {
    for (const char *at = request->secret; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) {
            error_set(error, ERROR_DATA, "a token or password contains a control character");
            return NULL;
        }
    if (request->authorization == HTTP_BEARER)
        return text_format("Authorization: Bearer %s", request->secret);
    AUTO_BUFFER struct buffer encoded = BUFFER(256 * 1024);
    base64_encode(BASE64_STANDARD, request->secret, strlen(request->secret), &encoded);
    char *line = text_format("Authorization: Basic %s", buffer_text(&encoded));
    if (encoded.data)
        memory_wipe(encoded.data, encoded.length);
    return line;
}

static void fail(struct call *call, const struct error *failure) {
    call->failed = true;
    call->failure = *failure;
    call->state = CALL_FINISHED;
}

static bool may_repeat(const struct http_request *request) {
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE"};
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (text_equal(request->method ? request->method : "GET", methods[i]))
            return true;
    return request->idempotent;
}

/* Asked by the transfer for each address before it is connected to. */
static bool admit_address(void *owner, enum address_class class) {
    struct call *call = owner;
    return destinations_admit(&call->http->destinations, call->url, call->is_guided ? call->trusted : NULL, class);
}

static void begin(struct call *call, int64_t now) {
    struct http *http = call->http;
    int64_t left = http->end - now, wanted = (int64_t)call->request->timeout * 1000;
    struct error failure = {0};
    char *last_url = call->response.url;
    call->response.url = NULL;
    http_response_release(&call->response);
    free(last_url);
    if (call->received && !call->request->resumable) {
        call->request->sink_restart(call->request->sink_context);
        call->received = 0;
    }
    call->transfer = (struct transfer){
        .request = call->request,
        .url = call->url,
        .authorization = call->left_origin ? NULL : call->authorization,
        .offset = call->received,
        .received = call->received,
        .user_agent = http->user_agent,
        .timeout = (uint64_t)(wanted && wanted < left ? wanted : left),
        .stall = call->request->timeout > http->stall ? call->request->timeout : http->stall,
        .only_once = !may_repeat(call->request),
        .admit = admit_address,
        .owner = call,
        .response = &call->response,
    };
    call->state = CALL_RUNNING;
    if (transfer_start(http->pool, &call->transfer, &failure) < 0)
        fail(call, &failure);
}

static bool status_is_transient(long status) {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t http_retry_after(const struct http_response *response) {
    const char *value = http_header(response, "retry-after");
    uint64_t seconds;
    if (!value)
        return -1;
    if (text_to_u64(value, 1000000000, &seconds))
        return (int64_t)seconds * 1000;
    struct tm date = {0};
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (!end || *end)
        return -1;
    int64_t difference = (int64_t)(timegm(&date) - time(NULL));
    return difference <= 0 ? 0 : difference > 1000000000 ? INT64_C(1000000000000) : difference * 1000;
}

static int64_t backoff(unsigned tries) {
    int64_t most = FIRST_BACKOFF;
    for (unsigned i = 1; i < tries && most < LONGEST_BACKOFF; i++)
        most *= 2;
    most = most < LONGEST_BACKOFF ? most : LONGEST_BACKOFF;
    uint32_t random;
    random_bytes(&random, sizeof(random));
    return (int64_t)(random % (uint32_t)(most + 1));
}

/* The server has no part that begins where the sink ends. */
static bool rest_is_refused(const struct call *call) {
    return call->transfer.offset && call->response.status == 416;
}

static bool may_try_again(const struct call *call) {
    const struct transfer *transfer = &call->transfer;
    const struct http_request *request = call->request;
    unsigned most = TRIES;
    bool sink_is_spoilt = call->received && !request->resumable && !request->sink_restart;
    if (request->no_retry || sink_is_spoilt || call->http->retries_in_a_row >= RETRIES_IN_A_ROW)
        return false;
    if (transfer->outcome == TRANSFER_ANSWERED) {
        if ((!status_is_transient(call->response.status) && !rest_is_refused(call)) || !may_repeat(request))
            return false;
    } else if (transfer->outcome == TRANSFER_NOT_CONNECTED) {
        if (transfer->was_refused && url_is_loopback(call->url))
            return false;
        most = TRIES_TO_CONNECT;
    } else if (transfer->outcome == TRANSFER_FAILED || !may_repeat(request)) {
        return false;
    }
    return call->tries < most;
}

/* A retry begins where the request began. */
static void rewind_redirects(struct call *call) {
    if (!call->redirects)
        return;
    free(call->url);
    call->url = text_copy(call->request->url);
    call->is_guided = call->request->named_by != NULL;
    call->left_origin = false;
    call->redirects = 0;
}

/* Puts the request off and says so, or returns false when there is no time for another try. */
static bool try_again(struct call *call, int64_t now) {
    struct http *http = call->http;
    bool answered = call->transfer.outcome == TRANSFER_ANSWERED;
    int64_t asked = answered ? http_retry_after(&call->response) : -1, wait = asked >= 0 ? asked : backoff(call->tries);
    if (wait >= http->end - now)
        return false;
    http->retries_in_a_row++;
    call->start_at = now + wait;
    call->state = CALL_WAITING;
    AUTO_FREE char *host = url_host(call->url);
    AUTO_FREE char *reason = answered ? text_format("answered %ld", call->response.status)
                                      : text_format("does not answer (%.200s)", call->transfer.error.text);
    progress_note(http->progress, "%s %s; trying again in %.1f s (try %u of %u)", host, reason, (double)wait / 1000,
                  call->tries + 1, TRIES);
    rewind_redirects(call);
    return true;
}

static bool is_redirect(const struct call *call) {
    long status = call->response.status;
    const char *method = call->request->method ? call->request->method : "GET";
    return call->request->follow_redirects && (text_equal(method, "GET") || text_equal(method, "HEAD")) &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
           http_header(&call->response, "location");
}

static int redirect(struct call *call, struct error *error) {
    AUTO_FREE char *host = url_host(call->url);
    if (++call->redirects > REDIRECTS)
        return error_set(error, ERROR_PROTOCOL, "%s redirects more than %d times", host, REDIRECTS);
    AUTO_FREE char *target = url_resolve(call->url, http_header(&call->response, "location"));
    if (!target)
        return error_set(error, ERROR_PROTOCOL, "%s redirects to what is no http or https URL", host);
    bool leaves_tls = !strncasecmp(call->url, "https:", 6) && strncasecmp(target, "https:", 6);
    if (leaves_tls)
        return error_set(error, ERROR_PROTOCOL, "%s redirects from https to http: %.300s", host, target);
    AUTO_FREE char *from = url_origin(call->url), *to = url_origin(target);
    if (!text_equal(from, to))
        call->left_origin = true;
    if (destinations_check(&call->http->destinations, target, call->trusted, error) < 0)
        return -1;
    free(call->url);
    call->url = take_pointer(&target);
    call->is_guided = true;
    return 0;
}

/* What a transfer did to the body of a resumable request. */
static void take_stock(struct call *call) {
    const struct transfer *transfer = &call->transfer;
    /* As long as there is progress the tries are not used up. */
    if (transfer->received >= call->received + PROGRESS) {
        call->tries = 1;
        call->http->retries_in_a_row = 0;
    }
    call->received = transfer->received;
    if (!transfer->offset || transfer->outcome != TRANSFER_ANSWERED)
        return;
    if (call->response.status == 206)
        call->response.status = 200;
    if (rest_is_refused(call) && call->request->sink_restart) {
        call->request->sink_restart(call->request->sink_context);
        call->received = 0;
    }
}

/* A transfer has ended: redirect, try again, or be done. */
static void settle(struct call *call, int64_t now) {
    struct error failure = {0};
    bool answered = call->transfer.outcome == TRANSFER_ANSWERED;
    take_stock(call);
    if (answered && is_redirect(call)) {
        if (redirect(call, &failure) < 0)
            fail(call, &failure);
        else
            begin(call, now);
        return;
    }
    if (may_try_again(call) && try_again(call, now))
        return;
    if (answered) {
        if (!status_is_transient(call->response.status))
            call->http->retries_in_a_row = 0;
        free(call->response.url);
        call->response.url = text_copy(call->url);
        call->state = CALL_FINISHED;
        return;
    }
    AUTO_FREE char *host = url_host(call->url);
    if (call->transfer.error.kind == ERROR_UNAVAILABLE || call->transfer.error.kind == ERROR_TIMEOUT ||
        call->transfer.error.kind == ERROR_PROTOCOL)
        error_wrap(&call->transfer.error, "%s", host);
    if (call->tries > 1)
        error_wrap(&call->transfer.error, "after %u tries", call->tries);
    fail(call, &call->transfer.error);
}

/* ---- all requests ---- */

static void give_up_all(struct http *http, const struct error *failure) {
    for (struct call *call = http->calls; call; call = call->next) {
        if (call->state == CALL_FINISHED)
            continue;
        transfer_abandon(http->pool, &call->transfer);
        fail(call, failure);
    }
}

void http_cancel(struct http *http) {
    struct error failure = {0};
    error_set(&failure, ERROR_CANCELLED, "cancelled");
    give_up_all(http, &failure);
}

static bool deliver(struct http *http) {
    bool any = false;
    for (struct call **at = &http->calls; *at;) {
        struct call *call = *at;
        if (call->state != CALL_FINISHED) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        call->done(call->context, &call->response, call->failed ? &call->failure : NULL);
        call_release(call);
        any = true;
        at = &http->calls;
    }
    return any;
}

/* Starts what is due, moves what runs, hands out what is done. Waits a little when nothing is. */
static void step(struct http *http) {
    int64_t now = now_milliseconds(), wait = WAIT_SLICE;
    struct error failure = {0};
    if (progress_cancelled(http->progress)) {
        error_set(&failure, ERROR_CANCELLED, "cancelled");
        give_up_all(http, &failure);
    } else if (now >= http->end) {
        error_set(&failure, ERROR_TIMEOUT, "not done within %u seconds", http->deadline);
        give_up_all(http, &failure);
    }
    for (struct call *call = http->calls; call; call = call->next) {
        if (call->state != CALL_WAITING)
            continue;
        if (call->start_at <= now) {
            call->tries++;
            begin(call, now);
        } else if (call->start_at - now < wait)
            wait = call->start_at - now;
    }
    if (deliver(http))
        return;
    struct transfer *transfer = transfer_next(http->pool, (int)wait);
    for (; transfer; transfer = transfer_next(http->pool, 0))
        settle(transfer->owner, now_milliseconds());
    deliver(http);
}

int http_start(struct http *http, const struct http_request *request, http_done *done, void *context,
               struct error *error) {
    if (!http->pool) {
        if (error)
            *error = http->load_failure;
        return -1;
    }
    if (destinations_check(&http->destinations, request->url, request->named_by, error) < 0)
        return -1;
    AUTO_FREE char *authorization = NULL;
    if (request->authorization != HTTP_NO_AUTHORIZATION && request->secret) {
        authorization = authorization_line(request, error);
        if (!authorization)
            return -1;
    }
    struct call *call = memory_allocate(1, sizeof(*call));
    call->http = http;
    call->request = request;
    call->done = done;
    call->context = context;
    call->url = text_copy(request->url);
    call->trusted = text_copy(request->named_by ? request->named_by : request->url);
    call->is_guided = request->named_by != NULL;
    call->authorization = take_pointer(&authorization);
    call->start_at = request->delay > 0 ? now_milliseconds() + request->delay : 0;
    call->next = http->calls;
    http->calls = call;
    return 0;
}

int http_run(struct http *http, struct error *error) {
    while (http->calls)
        step(http);
    if (progress_cancelled(http->progress))
        return error_set(error, ERROR_CANCELLED, "cancelled");
    return 0;
}

struct waiting {
    struct http_response *response;
    struct error *error;
    bool finished, failed;
};

static void take_response(void *context, struct http_response *response, const struct error *failure) {
    struct waiting *waiting = context;
    waiting->finished = true;
    waiting->failed = failure != NULL;
    if (failure && waiting->error)
        *waiting->error = *failure;
    if (!failure) {
        *waiting->response = *response;
        *response = (struct http_response){0};
    }
}

int http_perform(struct http *http, const struct http_request *request, struct http_response *response,
                 struct error *error) {
    *response = (struct http_response){0};
    struct waiting waiting = {.response = response, .error = error};
    if (http_start(http, request, take_response, &waiting, error) < 0)
        return -1;
    while (!waiting.finished)
        step(http);
    return waiting.failed ? -1 : 0;
}
