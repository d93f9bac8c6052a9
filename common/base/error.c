#include "common/base/error.h"

#include <stdarg.h>
#include <string.h>

static const struct {
    int exit_code;
    const char *name;
} kinds[] = {
    [ERROR_NONE] = {0, "none"},
    [ERROR_ANSWER_NO] = {1, "answer-no"},
    [ERROR_USAGE] = {64, "usage"},
    [ERROR_DATA] = {65, "data"},
    [ERROR_NO_INPUT] = {66, "no-input"},
    [ERROR_UNAVAILABLE] = {69, "unavailable"},
    [ERROR_STEP] = {70, "step"},
    [ERROR_INTERNAL] = {70, "internal"},
    [ERROR_CANNOT_WRITE] = {73, "cannot-write"},
    [ERROR_TEMPORARY] = {75, "temporary"},
    [ERROR_PROTOCOL] = {76, "protocol"},
    [ERROR_PERMISSION] = {77, "permission"},
    [ERROR_CONFIGURATION] = {78, "configuration"},
    [ERROR_TIMEOUT] = {124, "timeout"},
    [ERROR_CANCELLED] = {130, "cancelled"},
};

PRINTF_LIKE(3, 0)
static void fill(struct error *error, enum error_kind kind, const char *format, va_list arguments) {
    error->kind = kind;
    error->exit_code = 0;
    error->next[0] = '\0';
    vsnprintf(error->text, sizeof(error->text), format, arguments);
}

int error_set(struct error *error, enum error_kind kind, const char *format, ...) {
    if (!error)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    fill(error, kind, format, arguments);
    va_end(arguments);
    return -1;
}

int error_set_errno(struct error *error, int number, const char *format, ...) {
    if (!error)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    fill(error, error_kind_of_errno(number), format, arguments);
    va_end(arguments);
    char reason[128];
    const char *text = strerror_r(number, reason, sizeof(reason));
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof(error->text) - used, ": %s", text);
    return -1;
}

int error_wrap(struct error *error, const char *format, ...) {
    if (!error)
        return -1;
    char old[sizeof(error->text)];
    memcpy(old, error->text, sizeof(old));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof(error->text) - used, ": %s", old);
    return -1;
}

int error_next(struct error *error, const char *format, ...) {
    if (!error)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->next, sizeof(error->next), format, arguments);
    va_end(arguments);
    return -1;
}

void error_clear(struct error *error) {
    if (error)
        memset(error, 0, sizeof(*error));
}

enum error_kind error_kind_of_errno(int number) {
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EFBIG:
    case EPIPE:
        return ERROR_CANNOT_WRITE;
    case EACCES:
    case EPERM:
        return ERROR_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
        return ERROR_DATA;
    case EAGAIN:
    case EBUSY:
        return ERROR_TEMPORARY;
    case ETIMEDOUT:
        return ERROR_TIMEOUT;
    default:
        return ERROR_INTERNAL;
    }
}

int error_exit_code(const struct error *error) {
    if (error->exit_code)
        return error->exit_code;
    return (size_t)error->kind < ARRAY_LENGTH(kinds) ? kinds[error->kind].exit_code : 70;
}

const char *error_kind_name(enum error_kind kind) {
    return (size_t)kind < ARRAY_LENGTH(kinds) ? kinds[kind].name : "internal";
}
