#include "gcp/run/failure.h"

#include "gcp/google_error.h"

#include <string.h>

enum { DEFAULT_PORT = 8080, LINE_LIMIT = 4096 };

static const struct {
    const char *reason;
    enum run_failure failure;
    const char *detail;
} reasons[] = {
    {"CONTAINER_EXITED", RUN_CONTAINER_EXITED, NULL},
    {"WRONG_PORT", RUN_WRONG_PORT, NULL},
    {"LOOPBACK_ONLY", RUN_LOOPBACK_ONLY, NULL},
    {"WRONG_ARCHITECTURE", RUN_WRONG_ARCHITECTURE, "architecture"},
    {"IMAGE_NOT_FOUND", RUN_IMAGE_NOT_FOUND, "image"},
    {"OUT_OF_MEMORY", RUN_OUT_OF_MEMORY, "limit"},
    {"TOO_SLOW", RUN_TOO_SLOW, "seconds"},
};

static unsigned number_of(const struct json *metadata, const char *key, unsigned fallback) {
    uint64_t value = fallback;
    text_to_u64(json_get_text(metadata, key, ""), 65535, &value);
    return (unsigned)value;
}

static bool from_local(const struct json *status, struct run_diagnosis *diagnosis) {
    const struct json *info = google_error_info(status, "pl-local");
    const struct json *metadata = json_get(info, "metadata");
    const char *reason = json_get_text(info, "reason", "");
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++) {
        if (!text_equal(reasons[i].reason, reason))
            continue;
        diagnosis->failure = reasons[i].failure;
        diagnosis->port = number_of(metadata, "port", 0);
        diagnosis->expected = number_of(metadata, "expected", diagnosis->expected);
        diagnosis->exit_code = (int)number_of(metadata, "exitCode", (unsigned)-1);
        unsigned signal = number_of(metadata, "signal", 0);
        if (signal)
            diagnosis->exit_code = 128 + (int)signal;
        snprintf(diagnosis->address, sizeof(diagnosis->address), "%s", json_get_text(metadata, "address", ""));
        snprintf(diagnosis->container, sizeof(diagnosis->container), "%s", json_get_text(metadata, "container", ""));
        if (reasons[i].detail)
            snprintf(diagnosis->detail, sizeof(diagnosis->detail), "%s",
                     json_get_text(metadata, reasons[i].detail, ""));
        return true;
    }
    return false;
}

static bool any(const char *text, const char *const *patterns) {
    for (; text && *patterns; patterns++)
        if (strcasestr(text, *patterns))
            return true;
    return false;
}

/* "PORT=8080" in Google's message: where it was expected to listen. */
static void read_expected(const char *text, struct run_diagnosis *diagnosis) {
    const char *begin = text ? strstr(text, "PORT=") : NULL;
    unsigned port;
    if (begin && sscanf(begin, "PORT=%5u", &port) == 1 && port > 0 && port < 65536)
        diagnosis->expected = port;
}

/* What frameworks print when they listen: "Uvicorn running on http://127.0.0.1:8000", "Listening at:
 * http://0.0.0.0:9999 (7)", "Listening on port 3000", "Running on http://127.0.0.1:5000", "development server at
 * http://127.0.0.1:8000/". */
static bool read_listening(const char *line, struct run_diagnosis *diagnosis) {
    static const char *const words[] = {"running on", "listening at",      "listening on",
                                        "server at",  "serving on",        "serving http on",
                                        "started on", "server running at", NULL};
    if (!any(line, words))
        return false;
    const char *url = strstr(line, "://");
    const char *port = strcasestr(line, "port ");
    char host[64] = "";
    unsigned number = 0;
    bool found = url && (sscanf(url, "://[%63[0-9a-fA-F:]]:%5u", host, &number) == 2 ||
                         sscanf(url, "://%63[^:/ ]:%5u", host, &number) == 2);
    if (!found && port)
        found = sscanf(port + 5, "%5u", &number) == 1;
    if (!found || number == 0 || number > 65535)
        return false;
    snprintf(diagnosis->address, sizeof(diagnosis->address), "%s", host);
    diagnosis->port = number;
    return true;
}

static bool is_loopback(const char *address) {
    return text_starts_with(address, "127.") || text_equal(address, "localhost") || text_equal(address, "::1");
}

static void read_exit(const char *text, struct run_diagnosis *diagnosis) {
    static const char *const marks[] = {"exited with code ", "exit code ", "called exit", "exit status ",
                                        "exited with "};
    for (size_t i = 0; text && i < ARRAY_LENGTH(marks); i++) {
        const char *at = strcasestr(text, marks[i]);
        int code;
        if (at && sscanf(at + strlen(marks[i]) + strspn(at + strlen(marks[i]), "( "), "%3d", &code) == 1 && code >= 0 &&
            code < 256)
            diagnosis->exit_code = code;
    }
}

static void from_text(const char *text, struct run_diagnosis *diagnosis) {
    static const char *const architecture[] = {"exec format error", "wrong architecture", "must support amd64/linux",
                                               NULL};
    static const char *const image[] = {"image not found", "manifest unknown", "' not found", "IMAGE_UNAUTHORIZED",
                                        NULL};
    static const char *const memory[] = {"memory limit of", "out of memory", "out-of-memory", "oom-kill", NULL};
    static const char *const exited[] = {"called exit",
                                         "exited with",
                                         "exited abnormally",
                                         "container exited",
                                         "traceback (most recent call last)",
                                         "application exec likely failed",
                                         NULL};
    enum run_failure found = any(text, architecture)                         ? RUN_WRONG_ARCHITECTURE
                             : strcasestr(text, "image") && any(text, image) ? RUN_IMAGE_NOT_FOUND
                             : any(text, memory)                             ? RUN_OUT_OF_MEMORY
                             : any(text, exited)                             ? RUN_CONTAINER_EXITED
                                                                             : RUN_FAILURE_UNKNOWN;
    /* The order of enum run_failure is no order of certainty: the last three causes explain an exit, not the reverse.
     */
    bool stronger = diagnosis->failure == RUN_FAILURE_UNKNOWN ||
                    (diagnosis->failure == RUN_CONTAINER_EXITED && found != RUN_FAILURE_UNKNOWN);
    if (stronger && found != RUN_FAILURE_UNKNOWN)
        diagnosis->failure = found;
    if (found == RUN_CONTAINER_EXITED)
        read_exit(text, diagnosis);
}

struct run_diagnosis run_failure_diagnose(const struct json *status, const char *conditions,
                                          const struct text_list *lines) {
    struct run_diagnosis diagnosis = {.exit_code = -1, .expected = DEFAULT_PORT};
    const char *message = json_get_text(status, "message", "");
    read_expected(message, &diagnosis);
    if (from_local(status, &diagnosis))
        return diagnosis;
    bool listening = false;
    from_text(message, &diagnosis);
    if (conditions)
        from_text(conditions, &diagnosis);
    for (size_t i = 0; i < lines->count; i++) {
        from_text(lines->items[i], &diagnosis);
        listening = read_listening(lines->items[i], &diagnosis) || listening;
    }
    if (diagnosis.failure != RUN_FAILURE_UNKNOWN)
        return diagnosis;
    if (listening && diagnosis.port != diagnosis.expected)
        diagnosis.failure = RUN_WRONG_PORT;
    else if (listening && is_loopback(diagnosis.address))
        diagnosis.failure = RUN_LOOPBACK_ONLY;
    else if (strstr(message, "failed to start and listen") || strstr(message, "startup probe"))
        diagnosis.failure = RUN_TOO_SLOW;
    return diagnosis;
}

static int set_listening(struct error *error, const struct run_diagnosis *diagnosis, const char *head) {
    if (diagnosis->failure == RUN_LOOPBACK_ONLY) {
        error_set(error, ERROR_STEP,
                  "%s: it listens on %s:%u only, where no request from outside can reach it; it must listen on 0.0.0.0",
                  head, diagnosis->address, diagnosis->port ? diagnosis->port : diagnosis->expected);
        return error_next(error, "start the server with host 0.0.0.0 (uvicorn --host 0.0.0.0 --port $PORT)");
    }
    bool loopback = is_loopback(diagnosis->address);
    error_set(error, ERROR_STEP, "%s: it listens on port %u%s%s, but requests come to port %u ($PORT)", head,
              diagnosis->port, loopback ? " of " : "", loopback ? diagnosis->address : "", diagnosis->expected);
    return error_next(error, "let it listen on 0.0.0.0 and the port in $PORT, or deploy with --port %u%s",
                      diagnosis->port, loopback ? " after it listens on 0.0.0.0" : "");
}

static int set_exited(struct error *error, const struct run_diagnosis *diagnosis, const char *head) {
    if (diagnosis->exit_code == 0) {
        error_set(error, ERROR_STEP, "%s: its process ended by itself (exit code 0) instead of serving", head);
        return error_next(error, "the start command must keep running and serve HTTP on $PORT; "
                                 "see its last lines above");
    }
    if (diagnosis->exit_code > 128)
        error_set(error, ERROR_STEP, "%s: its process was ended by signal %d", head, diagnosis->exit_code - 128);
    else if (diagnosis->exit_code > 0)
        error_set(error, ERROR_STEP, "%s: its process ended with exit code %d", head, diagnosis->exit_code);
    else
        error_set(error, ERROR_STEP, "%s: its process ended", head);
    return error_next(error, "see its last lines above");
}

int run_failure_set(struct error *error, const struct run_diagnosis *diagnosis, const struct json *status,
                    const char *service, const char *revision) {
    const char *container = diagnosis->container;
    AUTO_FREE char *head = text_format("service %s: revision %s did not start%s%s", service,
                                       revision ? revision : "(new)", *container ? ": container " : "", container);
    const char *detail = diagnosis->detail;
    switch (diagnosis->failure) {
    case RUN_CONTAINER_EXITED:
        return set_exited(error, diagnosis, head);
    case RUN_WRONG_PORT:
    case RUN_LOOPBACK_ONLY:
        return set_listening(error, diagnosis, head);
    case RUN_WRONG_ARCHITECTURE:
        error_set(error, ERROR_DATA, "%s: the image is for another architecture%s%s; Cloud Run needs linux/amd64", head,
                  *detail ? ": " : "", detail);
        return error_next(error, "build it with: pl-build --platform linux/amd64");
    case RUN_IMAGE_NOT_FOUND:
        error_set(error, ERROR_CONFIGURATION, "%s: the image was not found, or may not be read%s%s", head,
                  *detail ? ": " : "", detail);
        return error_next(error, "push it again with pl-push-image, and see that Cloud Run's service agent has "
                                 "roles/artifactregistry.reader on the repository");
    case RUN_OUT_OF_MEMORY:
        error_set(error, ERROR_STEP, "%s: it needs more memory than it has%s%s", head, *detail ? ": " : "", detail);
        return error_next(error, "give it more: --memory 1Gi");
    case RUN_TOO_SLOW:
        if (*container) {
            error_set(error, ERROR_STEP, "%s: it did not pass its startup probe within %s s", head, detail);
            return error_next(error, "see its last lines above, and what the probe asks");
        }
        error_set(error, ERROR_STEP, "%s: it runs, but listens on no port%s%s%s; requests come to port %u ($PORT)",
                  head, *detail ? " within " : " in time", detail, *detail ? " s" : "", diagnosis->expected);
        return error_next(error, "let it listen on 0.0.0.0:$PORT sooner; see its last lines above");
    case RUN_FAILURE_UNKNOWN:
        break;
    }
    google_status_set(error, head, status, NULL);
    if (error && error->kind != ERROR_PERMISSION && error->kind != ERROR_CONFIGURATION)
        error->kind = ERROR_STEP;
    return -1;
}
