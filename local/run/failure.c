#include "local/run/internal.h"

#include <stdarg.h>
#include <string.h>

void failure_set(struct failure *failure, const char *reason, const char *format, ...) {
    va_list arguments;
    failure_release(failure);
    snprintf(failure->reason, sizeof(failure->reason), "%s", reason);
    failure->metadata = json_new_object();
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}

void failure_detail(struct failure *failure, const char *key, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    json_set_text(failure->metadata, key, text);
}

void failure_release(struct failure *failure) {
    json_release(&failure->metadata);
    *failure = (struct failure){0};
}

void failure_set_not_listening(struct failure *failure, const char *reason, unsigned port) {
    failure_set(failure, reason,
                "The user-provided container failed to start and listen on the port defined provided by the PORT=%u "
                "environment variable within the allocated timeout. This can happen when the container port is "
                "misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this "
                "revision might contain more information.",
                port);
    failure_detail(failure, "expected", "%u", port);
}

struct json *failure_status(const struct failure *failure, const char *revision) {
    enum { FAILED_PRECONDITION = 9 };
    struct json *status = json_new_object(), *details = json_new_array(), *info = json_new_object();
    AUTO_FREE char *message =
        text_format("Revision '%s' is not ready and cannot serve traffic. %s", revision, failure->text);
    json_set_text(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
    json_set_text(info, "reason", failure->reason);
    json_set_text(info, "domain", "pl-local");
    json_set(info, "metadata", failure->metadata ? json_copy_deep(failure->metadata) : json_new_object());
    json_append(details, info);
    json_set_integer(status, "code", FAILED_PRECONDITION);
    json_set_text(status, "message", message);
    json_set(status, "details", details);
    return status;
}
