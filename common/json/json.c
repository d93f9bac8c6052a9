#include "common/json/json.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <jansson.h>
#include <malloc.h>
#include <string.h>

/* jansson's macros of these names give way to our functions. */
#undef json_is_object
#undef json_is_array
#undef json_is_integer
#undef json_is_null

enum { DEPTH_LIMIT = 64 };

/* struct json is jansson's json_t under our name, so that no header of ours includes jansson's. */
static json_t *inner(const struct json *value) {
    return (json_t *)(uintptr_t)value;
}

static struct json *outer(json_t *value) {
    return (struct json *)value;
}

static struct json *made(json_t *value) {
    if (!value)
        abort();
    return outer(value);
}

/* jansson's own limit is 2048 levels; ours is checked on the text before it is parsed. */
static bool is_too_deep(const char *text, size_t length) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > DEPTH_LIMIT)
            return true;
        else if (!quoted && (c == ']' || c == '}'))
            depth--;
    }
    return false;
}

/* jansson allocates with malloc, so that the size of what it frees is known. */
static void wipe_and_free(void *pointer) {
    if (pointer)
        memory_wipe(pointer, malloc_usable_size(pointer));
    free(pointer);
}

/* From the first document with secrets on, all memory that jansson gives back is wiped. */
static void wipe_from_now_on(void) {
    json_set_alloc_funcs(malloc, wipe_and_free);
}

static struct json *parse(const char *text, size_t length, const char *what, bool is_secret, struct error *error) {
    if (is_too_deep(text, length)) {
        error_set(error, ERROR_DATA, "%s: JSON nested deeper than %d", what, DEPTH_LIMIT);
        return NULL;
    }
    json_error_t problem;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    /* jansson says "what is wrong near 'TEXT'". */
    char *quotation = is_secret ? strstr(problem.text, " near ") : NULL;
    if (!value && quotation)
        *quotation = 0;
    if (!value)
        error_set(error, ERROR_DATA, "%s:%d:%d: not valid JSON: %s", what, problem.line, problem.column, problem.text);
    return outer(value);
}

struct json *json_parse(const char *text, size_t length, const char *what, struct error *error) {
    return parse(text, length, what, false, error);
}

struct json *json_parse_secret(const char *text, size_t length, const char *what, struct error *error) {
    wipe_from_now_on();
    return parse(text, length, what, true, error);
}

struct json *json_parse_file(const char *path, size_t limit, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(limit);
    if (file_read(path, &text, NULL, error) < 0)
        return NULL;
    return json_parse(buffer_text(&text), text.length, path, error);
}

struct json *json_new_object(void) {
    return made(json_object());
}

struct json *json_new_array(void) {
    return made(json_array());
}

struct json *json_new_text(const char *text) {
    if (!text)
        return json_new_null();
    json_t *value = json_string(text);
    if (value)
        return outer(value);
    AUTO_FREE char *clean = text_scrub(text, strlen(text), true);
    return made(json_string(clean));
}

struct json *json_new_integer(int64_t number) {
    return made(json_integer(number));
}

struct json *json_new_real(double number) {
    json_t *value = json_real(number);
    return value ? outer(value) : json_new_null();
}

struct json *json_new_bool(bool truth) {
    return made(json_boolean(truth));
}

struct json *json_new_null(void) {
    return made(json_null());
}

struct json *json_share(struct json *value) {
    return outer(json_incref(inner(value)));
}

struct json *json_copy_deep(const struct json *value) {
    return value ? made(json_deep_copy(inner(value))) : NULL;
}

void json_release(struct json **value) {
    int saved = errno;
    json_decref(inner(*value));
    *value = NULL;
    errno = saved;
}

static bool has_type(const struct json *value, json_type type) {
    return value && json_typeof(inner(value)) == type;
}

bool json_is_object(const struct json *value) {
    return has_type(value, JSON_OBJECT);
}

bool json_is_array(const struct json *value) {
    return has_type(value, JSON_ARRAY);
}

bool json_is_text(const struct json *value) {
    return has_type(value, JSON_STRING);
}

bool json_is_integer(const struct json *value) {
    return has_type(value, JSON_INTEGER);
}

bool json_is_bool(const struct json *value) {
    return has_type(value, JSON_TRUE) || has_type(value, JSON_FALSE);
}

bool json_is_null(const struct json *value) {
    return !value || has_type(value, JSON_NULL);
}

bool json_same(const struct json *left, const struct json *right) {
    return left && right ? json_equal(inner(left), inner(right)) : left == right;
}

struct json *json_get(const struct json *object, const char *key) {
    return outer(json_object_get(inner(object), key));
}

struct json *json_get_path(const struct json *object, const char *path) {
    AUTO_LIST struct text_list keys = {0};
    text_list_split(&keys, path, '.');
    struct json *value = outer(inner(object));
    for (size_t i = 0; value && i < keys.count; i++)
        value = json_get(value, keys.items[i]);
    return value;
}

const char *json_get_text(const struct json *object, const char *key, const char *fallback) {
    const char *text = json_text(json_get(object, key));
    return text ? text : fallback;
}

double json_get_real(const struct json *object, const char *key, double fallback) {
    const json_t *value = inner(json_get(object, key));
    return value && (json_typeof(value) == JSON_REAL || json_typeof(value) == JSON_INTEGER) ? json_number_value(value)
                                                                                            : fallback;
}

int64_t json_get_integer(const struct json *object, const char *key, int64_t fallback) {
    const struct json *value = json_get(object, key);
    return json_is_integer(value) ? json_number(value) : fallback;
}

bool json_get_bool(const struct json *object, const char *key, bool fallback) {
    const struct json *value = json_get(object, key);
    return json_is_bool(value) ? json_truth(value) : fallback;
}

int json_need_text(const struct json *object, const char *key, const char *what, const char **text,
                   struct error *error) {
    const struct json *value = json_get(object, key);
    if (!json_is_text(value))
        return error_set(error, ERROR_DATA, "%s has no text \"%s\"", what, key);
    *text = json_text(value);
    return 0;
}

const char *json_text(const struct json *value) {
    return json_string_value(inner(value));
}

int64_t json_number(const struct json *value) {
    return json_integer_value(inner(value));
}

bool json_truth(const struct json *value) {
    return has_type(value, JSON_TRUE);
}

size_t json_count(const struct json *value) {
    return json_is_array(value) ? json_array_size(inner(value)) : json_object_size(inner(value));
}

struct json *json_at(const struct json *array, size_t index) {
    return outer(json_array_get(inner(array), index));
}

static void must(int result) {
    if (result < 0)
        abort();
}

void json_set(struct json *object, const char *key, struct json *value) {
    must(json_object_set_new(inner(object), key, inner(value)));
}

struct json *json_need_object(struct json *object, const char *key) {
    if (!json_is_object(json_get(object, key)))
        json_set(object, key, json_new_object());
    return json_get(object, key);
}

struct json *json_need_array(struct json *object, const char *key) {
    if (!json_is_array(json_get(object, key)))
        json_set(object, key, json_new_array());
    return json_get(object, key);
}

void json_set_text(struct json *object, const char *key, const char *text) {
    if (text)
        json_set(object, key, json_new_text(text));
    else
        json_remove(object, key);
}

void json_set_integer(struct json *object, const char *key, int64_t number) {
    json_set(object, key, json_new_integer(number));
}

void json_set_bool(struct json *object, const char *key, bool truth) {
    json_set(object, key, json_new_bool(truth));
}

void json_remove(struct json *object, const char *key) {
    json_object_del(inner(object), key);
}

void json_append(struct json *array, struct json *value) {
    must(json_array_append_new(inner(array), inner(value)));
}

void json_append_text(struct json *array, const char *text) {
    json_append(array, json_new_text(text));
}

void json_set_at(struct json *array, size_t index, struct json *value) {
    must(json_array_set_new(inner(array), index, inner(value)));
}

void json_remove_at(struct json *array, size_t index) {
    json_array_remove(inner(array), index);
}

void *json_first(const struct json *object) {
    return json_object_iter(inner(object));
}

void *json_next(const struct json *object, void *position) {
    return json_object_iter_next(inner(object), position);
}

const char *json_key(void *position) {
    return json_object_iter_key(position);
}

struct json *json_value(void *position) {
    return outer(json_object_iter_value(position));
}

static int write_piece(const char *data, size_t length, void *context) {
    struct buffer *out = context;
    buffer_append(out, data, length);
    return out->failed ? -1 : 0;
}

void json_write(const struct json *value, enum json_style style, struct buffer *out) {
    static const size_t flags[] = {
        [JSON_COMPACT_STYLE] = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15),
        [JSON_CANONICAL] = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15),
        [JSON_PRETTY] = JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15),
    };
    if (json_dump_callback(inner(value), write_piece, out, flags[style]) < 0)
        out->failed = true;
    if (style == JSON_PRETTY)
        buffer_append_byte(out, '\n');
}

char *json_format(const struct json *value, enum json_style style) {
    struct buffer text = BUFFER(SIZE_MAX / 2);
    json_write(value, style, &text);
    return buffer_take(&text);
}
