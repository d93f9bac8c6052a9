#include "common/base/buffer.h"

#include "common/base/text.h"

#include <stdarg.h>
#include <string.h>

static bool reserve(struct buffer *buffer, size_t length) {
    if (buffer->failed || length > buffer->limit - buffer->length) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->length + length + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    char *data = buffer->secret ? malloc(capacity) : realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    if (buffer->secret && buffer->data) {
        memcpy(data, buffer->data, buffer->length);
        memory_wipe(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length) {
    if (!reserve(buffer, length))
        return;
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void buffer_append_text(struct buffer *buffer, const char *text) {
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_byte(struct buffer *buffer, char byte) {
    buffer_append(buffer, &byte, 1);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    AUTO_FREE char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text = NULL;
        buffer->failed = true;
        return;
    }
    buffer_append(buffer, text, (size_t)length);
}

int buffer_check(const struct buffer *buffer, const char *what, struct error *error) {
    return buffer->failed ? error_set(error, ERROR_DATA, "%s is larger than %zu bytes", what, buffer->limit) : 0;
}

const char *buffer_text(const struct buffer *buffer) {
    return buffer->data ? buffer->data : "";
}

char *buffer_take(struct buffer *buffer) {
    char *data = buffer->data ? buffer->data : text_copy("");
    *buffer = (struct buffer){.limit = buffer->limit, .secret = buffer->secret};
    return data;
}

void buffer_clear(struct buffer *buffer) {
    if (buffer->secret && buffer->data)
        memory_wipe(buffer->data, buffer->capacity);
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void buffer_release(struct buffer *buffer) {
    int saved = errno;
    if (buffer->secret && buffer->data)
        memory_wipe(buffer->data, buffer->capacity);
    free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit, .secret = buffer->secret};
    errno = saved;
}
