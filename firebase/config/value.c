#include "firebase/config/internal.h"

#include <stdarg.h>
#include <string.h>

struct value value_member(const struct value *object, const char *key) {
    return (struct value){.file = object->file,
                          .json = json_get(object->json, key),
                          .step = {.parent = object->step.parent || object->step.key || object->step.index != SIZE_MAX
                                                 ? &object->step
                                                 : NULL,
                                   .key = key}};
}

struct value value_element(const struct value *array, size_t index) {
    return (struct value){
        .file = array->file, .json = json_at(array->json, index), .step = {.parent = &array->step, .index = index}};
}

int value_wrong(const struct value *value, struct error *error, const char *format, ...) {
    va_list arguments;
    char *what = NULL;
    va_start(arguments, format);
    int length = vasprintf(&what, format, arguments);
    va_end(arguments);
    firebase_file_wrong(value->file, &value->step, error, "%s", length < 0 ? "" : what);
    free(what);
    return -1;
}

int value_check_keys(const struct value *object, const char *what, const char *const *keys, struct error *error) {
    for (void *i = json_first(object->json); i; i = json_next(object->json, i)) {
        bool known = false;
        for (const char *const *key = keys; *key && !known; key++)
            known = text_equal(*key, json_key(i));
        if (known)
            continue;
        struct value member = value_member(object, json_key(i));
        const char *nearest = text_nearest(json_key(i), keys);
        value_wrong(&member, error, "unknown key \"%s\" in %s", json_key(i), what);
        if (nearest)
            return error_next(error, "did you mean \"%s\"?", nearest);
        AUTO_BUFFER struct buffer list = BUFFER(480);
        for (const char *const *key = keys; *key; key++)
            buffer_append_format(&list, "%s%s", key == keys ? "" : ", ", *key);
        return error_next(error, "there are: %s", buffer_text(&list));
    }
    return 0;
}

int value_text(const struct value *value, const char **text, struct error *error) {
    *text = NULL;
    if (!value->json)
        return 0;
    *text = json_text(value->json);
    if (!*text)
        return value_wrong(value, error, "%s must be a text", value->step.key ? value->step.key : "an element");
    if (!**text)
        return value_wrong(value, error, "%s is empty", value->step.key ? value->step.key : "an element");
    return 0;
}

int value_texts(const struct value *value, struct text_list *texts, struct error *error) {
    const char *text;
    if (!value->json)
        return 0;
    if (!json_is_array(value->json)) {
        if (value_text(value, &text, error) < 0)
            return -1;
        text_list_add(texts, text);
        return 0;
    }
    for (size_t i = 0; i < json_count(value->json); i++) {
        struct value element = value_element(value, i);
        if (value_text(&element, &text, error) < 0)
            return -1;
        text_list_add(texts, text);
    }
    return 0;
}

int value_bool(const struct value *value, bool *truth, bool *given, struct error *error) {
    *given = value->json != NULL;
    *truth = json_truth(value->json);
    if (value->json && !json_is_bool(value->json))
        return value_wrong(value, error, "%s must be true or false", value->step.key);
    return 0;
}

int value_array(const struct value *value, struct error *error) {
    if (value->json && !json_is_array(value->json))
        return value_wrong(value, error, "%s must be a list: [ … ]", value->step.key);
    return 0;
}

int value_object(const struct value *value, const char *what, struct error *error) {
    if (!json_is_object(value->json))
        return value_wrong(value, error, "%s must be an object: { … }", what);
    return 0;
}
