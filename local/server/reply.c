#include "local/server/server.h"

#include <stdarg.h>
#include <string.h>

void reply_header(struct reply *reply, const char *name, const char *format, ...) {
    char value[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    for (char *at = value; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    text_list_add(&reply->headers, name);
    text_list_add(&reply->headers, value);
}

void reply_text(struct reply *reply, unsigned status, const char *content_type, const char *text) {
    reply->status = status;
    reply->content_type = content_type;
    buffer_clear(&reply->body);
    buffer_append_text(&reply->body, text);
}

void reply_json(struct reply *reply, unsigned status, struct json *value) {
    reply->status = status;
    reply->content_type = "application/json; charset=UTF-8";
    buffer_clear(&reply->body);
    json_write(value, JSON_PRETTY, &reply->body);
    json_release(&value);
}

void reply_empty(struct reply *reply, unsigned status) {
    reply->status = status;
    reply->content_type = NULL;
    buffer_clear(&reply->body);
}

static const char *status_name(unsigned code) {
    static const struct {
        unsigned code;
        const char *name;
    } names[] = {
        {400, "INVALID_ARGUMENT"},   {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
        {405, "UNIMPLEMENTED"},      {409, "ALREADY_EXISTS"},  {413, "INVALID_ARGUMENT"},  {421, "INVALID_ARGUMENT"},
        {429, "RESOURCE_EXHAUSTED"}, {500, "INTERNAL"},        {501, "UNIMPLEMENTED"},     {503, "UNAVAILABLE"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "UNKNOWN";
}

static void google_error(struct reply *reply, unsigned code, const char *status, struct json *details,
                         const char *message) {
    struct json *document = json_new_object(), *error = json_new_object();
    json_set_integer(error, "code", code);
    json_set_text(error, "message", message);
    json_set_text(error, "status", status);
    if (details)
        json_set(error, "details", details);
    json_set(document, "error", error);
    reply_json(reply, code, document);
}

void reply_google_error(struct reply *reply, unsigned code, const char *format, ...) {
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    google_error(reply, code, status_name(code), NULL, message);
}

void reply_google_status(struct reply *reply, unsigned code, const char *status, struct json *details,
                         const char *format, ...) {
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    google_error(reply, code, status, details, message);
}

void reply_oci_error(struct reply *reply, unsigned status, const char *code, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    struct json *document = json_new_object(), *errors = json_new_array(), *error = json_new_object();
    json_set_text(error, "code", code);
    json_set_text(error, "message", message);
    json_append(errors, error);
    json_set(document, "errors", errors);
    reply_json(reply, status, document);
}

void reply_oauth_error(struct reply *reply, unsigned status, const char *code, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    struct json *document = json_new_object();
    json_set_text(document, "error", code);
    json_set_text(document, "error_description", message);
    reply_json(reply, status, document);
}
