/* The one JSON reader and writer (over jansson, which only this folder includes).
 *
 * Values are counted references: what a json_get* returns is borrowed from its parent and lives as long as that; what
 * json_new*, json_parse* return is owned by the caller and released with json_release (AUTO_JSON). The `set` and
 * `append` functions take ownership of the value that is put in. Depth is limited to 64, duplicate keys and trailing
 * bytes are refused. A digest is always taken over the bytes received, never over a re-dump. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "common/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct json;

/* `what` names the document in errors ("firebase.json", "the registry's manifest"). NULL and ERROR_DATA when it is
 * malformed, with line and column. */
struct json *json_parse(const char *text, size_t length, const char *what, struct error *error) MUST_CHECK;
/* The same for a document that holds secrets: the error quotes nothing of it, and its memory is wiped when it is
 * released. */
struct json *json_parse_secret(const char *text, size_t length, const char *what, struct error *error) MUST_CHECK;
struct json *json_parse_file(const char *path, size_t limit, struct error *error) MUST_CHECK;

struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_text(const char *text); /* must be UTF-8; what is not is scrubbed. NULL gives JSON null */
struct json *json_new_integer(int64_t number);
struct json *json_new_real(double number); /* written with at most 15 digits; what is not finite gives JSON null */
struct json *json_new_bool(bool truth);
struct json *json_new_null(void);
struct json *json_share(struct json *value); /* one more reference */
struct json *json_copy_deep(const struct json *value);
void json_release(struct json **value);
#define AUTO_JSON AUTO(json_release)

bool json_is_object(const struct json *value);
bool json_is_array(const struct json *value);
bool json_is_text(const struct json *value);
bool json_is_integer(const struct json *value);
bool json_is_bool(const struct json *value);
bool json_is_null(const struct json *value); /* JSON null or a NULL pointer */
bool json_same(const struct json *left, const struct json *right);

/* Borrowed member of an object, or NULL when absent or `object` is not one. json_get_path walks "a.b.c". */
struct json *json_get(const struct json *object, const char *key);
struct json *json_get_path(const struct json *object, const char *path);
/* The text of a member, borrowed, or `fallback` when it is absent or not text. */
const char *json_get_text(const struct json *object, const char *key, const char *fallback);
int64_t json_get_integer(const struct json *object, const char *key, int64_t fallback);
double json_get_real(const struct json *object, const char *key, double fallback); /* integers too */
bool json_get_bool(const struct json *object, const char *key, bool fallback);
/* As json_get_text, but absent or wrong is ERROR_DATA naming `what` and the key. */
int json_need_text(const struct json *object, const char *key, const char *what, const char **text,
                   struct error *error) MUST_CHECK;

/* The value itself: NULL/0/false when it has another type. */
const char *json_text(const struct json *value);
int64_t json_number(const struct json *value);
bool json_truth(const struct json *value);

size_t json_count(const struct json *value); /* elements of an array, members of an object, 0 else */
struct json *json_at(const struct json *array, size_t index);

void json_set(struct json *object, const char *key, struct json *value);
/* The member that is an object: made empty when it is absent or something else. Borrowed. */
struct json *json_need_object(struct json *object, const char *key);
/* Likewise one that is an array. */
struct json *json_need_array(struct json *object, const char *key);
void json_set_text(struct json *object, const char *key, const char *text); /* NULL text: the key is removed */
void json_set_integer(struct json *object, const char *key, int64_t number);
void json_set_bool(struct json *object, const char *key, bool truth);
void json_remove(struct json *object, const char *key);
void json_append(struct json *array, struct json *value);
void json_append_text(struct json *array, const char *text);
void json_set_at(struct json *array, size_t index, struct json *value);
void json_remove_at(struct json *array, size_t index);

/* Members in insertion order:
 *   for (void *i = json_first(object); i; i = json_next(object, i)) use(json_key(i), json_value(i)); */
void *json_first(const struct json *object);
void *json_next(const struct json *object, void *position);
const char *json_key(void *position);
struct json *json_value(void *position);

/* The way to a value: a chain of steps up to the whole document, which is NULL. {&parent, .key = "site"} is a member,
 * {&parent, .index = 2} an element. */
struct json_step {
    const struct json_step *parent;
    const char *key; /* NULL: an element of an array */
    size_t index;
};
struct json_place {
    unsigned line, column; /* from 1; columns are bytes */
};
/* Where the key of the member, or the element, stands in the text that was parsed; where the way ends early, the last
 * place on it. */
struct json_place json_locate(const char *text, size_t length, const struct json_step *value);

enum json_style {
    JSON_COMPACT_STYLE, /* insertion order, no spaces, no newline: records, requests */
    JSON_CANONICAL,     /* sorted keys, no spaces: what is hashed */
    JSON_PRETTY,        /* insertion order, two spaces, newline at the end: for people */
};
void json_write(const struct json *value, enum json_style style, struct buffer *out);
/* The caller frees. */
char *json_format(const struct json *value, enum json_style style);

#endif
