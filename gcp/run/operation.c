#include "gcp/run/operation.h"

#include "gcp/run/resource.h"

#include <string.h>
#include <time.h>

enum { WAIT_SECONDS = 30, POLL_MILLISECONDS = 500, POLL_MAXIMUM = 5000, RESOURCE_LIMIT = 4 << 20 };

int64_t run_seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void run_pause(long milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* One long poll, or one look when waiting is not offered. */
static int operation_ask(struct cloud *cloud, const char *name, bool *can_wait, struct json **operation,
                         struct error *error) {
    static const long not_offered[] = {400, 404, 405, 501, 0};
    AUTO_FREE char *what = text_format("cannot follow operation %s", run_short_name(name));
    if (*can_wait) {
        AUTO_FREE char *url = text_format("%s/v2/%s:wait", endpoint_url(ENDPOINT_RUN), name);
        AUTO_JSON struct json *body = json_new_object();
        AUTO_FREE char *timeout = text_format("%ds", WAIT_SECONDS);
        json_set_text(body, "timeout", timeout);
        struct cloud_request request = {.method = "POST",
                                        .url = url,
                                        .body = body,
                                        .what = what,
                                        .idempotent = true,
                                        .accept = not_offered,
                                        .response_limit = RESOURCE_LIMIT};
        long status = 0;
        if (cloud_call(cloud, &request, operation, &status, error) < 0)
            return -1;
        if (*operation)
            return 0;
        *can_wait = false;
    }
    static const long unknown[] = {404, 0};
    AUTO_FREE char *url = run_url(name);
    struct cloud_request request = {.url = url, .what = what, .accept = unknown, .response_limit = RESOURCE_LIMIT};
    if (cloud_call(cloud, &request, operation, NULL, error) < 0 || *operation)
        return *operation ? 0 : -1;
    error_set(error, ERROR_TEMPORARY, "Cloud Run has lost operation %s: how it ended is not known",
              run_short_name(name));
    return error_next(error, "run the same command again: it goes on from what is there");
}

static bool is_operation_name(const char *name) {
    return name && text_starts_with(name, "projects/") && strstr(name, "/operations/") && !strstr(name, "..") &&
           strlen(name) < 400 && !strpbrk(name, "?#%\\ ");
}

static int stopped(const char *name, struct error *error) {
    error_set(error, ERROR_CANCELLED, "stopped while operation %s goes on", run_short_name(name));
    return error_next(error, "Cloud Run goes on; run the same command again to see how it ended");
}

int run_operation_wait(struct cloud *cloud, struct json **operation, unsigned seconds, struct error *error) {
    int64_t end = run_seconds_now() + seconds;
    bool can_wait = true;
    long pause = POLL_MILLISECONDS;
    AUTO_FREE char *name = text_copy(json_get_text(*operation, "name", NULL));
    while (!json_get_bool(*operation, "done", false)) {
        if (!is_operation_name(name))
            return error_set(error, ERROR_PROTOCOL, "Cloud Run's answer names no operation to wait for");
        if (progress_cancelled(cloud->progress))
            return stopped(name, error);
        if (run_seconds_now() >= end) {
            error_set(error, ERROR_TIMEOUT, "operation %s did not end within %u seconds; it goes on",
                      run_short_name(name), seconds);
            return error_next(error, "run the same command again to see how it ended");
        }
        int64_t before = run_seconds_now();
        struct json *asked = NULL;
        if (operation_ask(cloud, name, &can_wait, &asked, error) < 0)
            return progress_cancelled(cloud->progress) ? stopped(name, error) : -1;
        json_release(operation);
        *operation = asked;
        /* A server that answers a long poll at once must not be asked in a tight loop. */
        if (!json_get_bool(asked, "done", false) && run_seconds_now() - before < 2) {
            run_pause(pause);
            pause = pause * 2 < POLL_MAXIMUM ? pause * 2 : POLL_MAXIMUM;
        }
    }
    return 0;
}
