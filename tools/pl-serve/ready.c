/* Waiting until a service is ready, and finding out why it is not. */
#include "common/http/http.h"
#include "tools/pl-serve/served.h"

#include <string.h>
#include <time.h>

enum { LOOK_MILLISECONDS = 15, LISTENERS_MOST = 64, ASK_SECONDS = 5 };

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The status of a GET through our own door; 0: no answer. */
static long ask(const struct served *service) {
    AUTO_FREE char *url = text_format("http://127.0.0.1:%u%s", service->door.port, service->arguments->health);
    AUTO_HTTP struct http *http = http_new(&(struct http_options){.progress = service->engine->progress});
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.url = url, .no_retry = true, .timeout = ASK_SECONDS};
    struct error ignored = {0};
    return http_perform(http, &request, &response, &ignored) < 0 ? 0 : response.status;
}

static bool is_ready(const struct served *service, long *answer) {
    AUTO_CLOSE int fd = door_connect(&service->door);
    if (fd < 0 || !service->arguments->health)
        return fd >= 0;
    *answer = ask(service);
    return *answer >= 200 && *answer < 400;
}

/* Where it listens instead; one on all addresses is more telling than one on loopback. */
static bool find_other(const struct served *service, struct listener_address *other) {
    struct listener_address found[LISTENERS_MOST];
    bool any = false;
    if (service->door.network < 0)
        return false;
    size_t count = network_listeners(sandbox_process_pid(service->process), found, LISTENERS_MOST);
    for (size_t i = 0; i < count; i++) {
        if (!any || found[i].port == service->door.inside || !address_is_loopback(found[i].address))
            *other = found[i];
        any = true;
        if (found[i].port == service->door.inside)
            break;
    }
    return any;
}

static int explain_silence(const struct served *service, long answer, struct error *error) {
    struct listener_address other;
    unsigned port = service->door.inside;
    long long seconds = service->arguments->startup_time;
    if (answer > 0)
        return error_set(error, ERROR_STEP, "%s was not ready within %lld s: GET %s was answered with %ld",
                         service->name, seconds, service->arguments->health, answer);
    error_set(error, ERROR_STEP, "%s did not listen on port %u ($PORT) within %lld s", service->name, port, seconds);
    if (!find_other(service, &other))
        return error_next(error, "let it listen on 0.0.0.0:$PORT, or give it longer with --startup-time");
    error_wrap(error, "it listens on %s:%u", other.address, other.port);
    if (address_is_loopback(other.address))
        return error_next(error, "let it listen on all addresses: 0.0.0.0:$PORT");
    return error_next(error, "let it listen on $PORT, or tell its port: --port :%u", other.port);
}

int served_wait(struct served *service, struct error *error) {
    int64_t end = milliseconds_now() + service->arguments->startup_time * 1000;
    long answer = 0;
    int status;
    while (!is_ready(service, &answer)) {
        if (progress_cancelled(service->engine->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        if (served_ended(service, &status)) {
            AUTO_FREE char *words = served_end_words(service, status);
            return error_set(error, ERROR_STEP, "%s before it listened on port %u ($PORT)", words,
                             service->door.inside);
        }
        if (milliseconds_now() >= end)
            return explain_silence(service, answer, error);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MILLISECONDS * 1000000}, NULL);
    }
    return 0;
}
