#include "local/field_mask.h"

#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

enum { FIELDS_LIMIT = 64 };

char *field_camel_case(const char *field) {
    char *out = text_copy(field), *to = out;
    for (const char *at = out; *at; at++) {
        bool up = *at == '_' && islower((unsigned char)at[1]);
        at += up;
        *to++ = up ? (char)toupper((unsigned char)*at) : *at;
    }
    *to = '\0';
    return out;
}

static bool is_known(const char *const *known, const char *field) {
    AUTO_FREE char *first = text_copy_length(field, strcspn(field, "."));
    for (size_t i = 0; known[i]; i++)
        if (text_equal(known[i], first))
            return true;
    return false;
}

static void move(struct json *target, const struct json *source, const char *key) {
    struct json *value = json_is_object(source) ? json_get(source, key) : NULL;
    if (value)
        json_set(target, key, json_copy_deep(value));
    else
        json_remove(target, key);
}

static void move_path(struct json *target, const struct json *source, const char *field) {
    const char *dot = strchr(field, '.');
    if (!dot) {
        move(target, source, field);
        return;
    }
    AUTO_FREE char *first = text_copy_length(field, (size_t)(dot - field));
    move(json_need_object(target, first), json_get(source, first), dot + 1);
}

int field_mask_apply(struct json *target, const struct json *source, const char *mask, const char *const *known,
                     struct error *error) {
    AUTO_LIST struct text_list fields = {0};
    if (!text_is_empty(mask))
        text_list_split(&fields, mask, ',');
    else
        for (size_t i = 0; known[i]; i++)
            if (json_get(source, known[i]))
                text_list_add(&fields, known[i]);
    for (size_t i = 0; i < fields.count && i < FIELDS_LIMIT; i++) {
        AUTO_FREE char *field = field_camel_case(fields.items[i]);
        if (!is_known(known, field))
            return error_set(error, ERROR_DATA, "Invalid field path in update_mask: %.100s", fields.items[i]);
        move_path(target, source, field);
    }
    return 0;
}
