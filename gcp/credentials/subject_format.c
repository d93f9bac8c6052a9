#include "gcp/credentials/subject.h"

#include <string.h>

int subject_format_open(const struct json *source, const char *path, struct subject_format *format,
                        struct error *error) {
    *format = (struct subject_format){0};
    const struct json *given = json_get(source, "format");
    const char *type = json_get_text(given, "type", "text"), *field;
    if (text_equal(type, "text"))
        return 0;
    if (!text_equal(type, "json"))
        return error_set(error, ERROR_DATA, "%s: credential_source.format.type is \"%.40s\"; there are text and json",
                         path, type);
    if (json_need_text(given, "subject_token_field_name", path, &field, error) < 0)
        return -1;
    format->field = text_copy(field);
    return 0;
}

static int is_empty(const char *where, struct error *error) {
    error_set(error, ERROR_DATA, "%s holds no token: it is empty", where);
    return error_next(error, "see what should write it");
}

int subject_format_read(const struct subject_format *format, const struct buffer *text, const char *where,
                        struct buffer *token, struct error *error) {
    size_t length = text->length;
    while (length && strchr("\r\n", text->data[length - 1]))
        length--;
    if (!length)
        return is_empty(where, error);
    if (!format->field) {
        buffer_append(token, text->data, length);
        return buffer_check(token, where, error);
    }
    AUTO_JSON struct json *document = json_parse_secret(text->data, length, where, error);
    const char *value;
    if (!document || json_need_text(document, format->field, where, &value, error) < 0)
        return -1;
    if (!*value)
        return is_empty(where, error);
    buffer_append_text(token, value);
    return buffer_check(token, where, error);
}

void subject_format_release(struct subject_format *format) {
    free(format->field);
}
