#include "common/yaml/yaml.h"
#include "common/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_LIMIT = 64, VALUE_LIMIT = 100000 };

struct reading {
    yaml_document_t *document;
    const char *what;
    size_t values;
    struct error *error;
};

static struct json *refuse(const struct reading *reading, const yaml_node_t *node, const char *why) {
    error_set(reading->error, ERROR_DATA, "%s, line %zu, column %zu: %s", reading->what, node->start_mark.line + 1,
              node->start_mark.column + 1, why);
    return NULL;
}

/* ---- scalars ---- */

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words; words++)
        if (text_equal(text, *words))
            return true;
    return false;
}

/* Decimal, 0x, 0o and 0 (octal), with a sign. */
static bool read_integer(const char *text, int64_t *number) {
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    if (digits[0] == '0' && digits[1])
        base = digits[1] == 'x' ? 16 : 8;
    const char *from = digits + (base == 16 || digits[1] == 'o' ? 2 : 0);
    static const char all[] = "0123456789abcdefABCDEF";
    AUTO_FREE char *allowed = text_copy_length(all, base == 16 ? strlen(all) : (size_t)base);
    if (!*from || strspn(from, allowed) != strlen(from))
        return false;
    errno = 0;
    long long value = strtoll(from, NULL, base);
    if (errno)
        return false;
    *number = *text == '-' ? -value : value;
    return true;
}

static bool read_real(const char *text, double *number) {
    char *end = NULL;
    bool numeric =
        strspn(text, "+-.0123456789eE") == strlen(text) && strpbrk(text, "0123456789") && strpbrk(text, ".eE");
    *number = numeric ? strtod(text, &end) : 0;
    return numeric && end && !*end;
}

static struct json *read_plain(const char *text) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const truths[] = {"true", "True", "TRUE", NULL};
    static const char *const lies[] = {"false", "False", "FALSE", NULL};
    int64_t number;
    double real;
    if (is_one_of(text, nulls))
        return json_new_null();
    if (is_one_of(text, truths) || is_one_of(text, lies))
        return json_new_bool(is_one_of(text, truths));
    if (read_integer(text, &number))
        return json_new_integer(number);
    return read_real(text, &real) ? json_new_real(real) : json_new_text(text);
}

static struct json *read_scalar(const struct reading *reading, const yaml_node_t *node) {
    const char *text = (const char *)node->data.scalar.value, *tag = (const char *)node->tag;
    if (strlen(text) != node->data.scalar.length)
        return refuse(reading, node, "a NUL byte");
    /* libyaml gives every scalar without a tag that of text. */
    if (!text_equal(tag, YAML_STR_TAG))
        return refuse(reading, node, "a tag; only plain YAML is read");
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? read_plain(text) : json_new_text(text);
}

/* ---- collections ---- */

static struct json *read_node(struct reading *reading, int index, int depth);

static struct json *read_sequence(struct reading *reading, const yaml_node_t *node, int depth) {
    AUTO_JSON struct json *array = json_new_array();
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        struct json *value = read_node(reading, *item, depth);
        if (!value)
            return NULL;
        json_append(array, value);
    }
    return take_pointer(&array);
}

static struct json *read_mapping(struct reading *reading, const yaml_node_t *node, int depth) {
    AUTO_JSON struct json *object = json_new_object();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
        const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : NULL;
        if (!name || strlen(name) != key->data.scalar.length)
            return refuse(reading, key, "a key that is no text");
        if (text_equal(name, "<<"))
            return refuse(reading, key, "a merge key (<<), which is not read");
        if (json_get(object, name))
            return refuse(reading, key, "a key that was there before");
        struct json *value = read_node(reading, pair->value, depth);
        if (!value)
            return NULL;
        json_set(object, name, value);
    }
    return take_pointer(&object);
}

static struct json *read_node(struct reading *reading, int index, int depth) {
    const yaml_node_t *node = yaml_document_get_node(reading->document, index);
    if (depth > DEPTH_LIMIT || ++reading->values > VALUE_LIMIT)
        return refuse(reading, node, depth > DEPTH_LIMIT ? "too deep" : "too many values");
    if (node->type == YAML_SCALAR_NODE)
        return read_scalar(reading, node);
    bool is_list = node->type == YAML_SEQUENCE_NODE;
    if (!text_equal((const char *)node->tag, is_list ? YAML_SEQ_TAG : YAML_MAP_TAG))
        return refuse(reading, node, "a tag; only plain YAML is read");
    return is_list ? read_sequence(reading, node, depth + 1) : read_mapping(reading, node, depth + 1);
}

/* ---- documents ---- */

static int refuse_text(const yaml_parser_t *parser, const char *what, struct error *error) {
    return error_set(error, ERROR_DATA, "%s, line %zu, column %zu: %s", what, parser->problem_mark.line + 1,
                     parser->problem_mark.column + 1, parser->problem ? parser->problem : "no YAML");
}

static struct json *read_document(yaml_parser_t *parser, const char *what, struct error *error) {
    yaml_document_t document, next;
    if (!yaml_parser_load(parser, &document)) {
        refuse_text(parser, what, error);
        return NULL;
    }
    struct reading reading = {.document = &document, .what = what, .error = error};
    struct json *value = yaml_document_get_root_node(&document) ? read_node(&reading, 1, 0) : json_new_null();
    yaml_document_delete(&document);
    if (!value)
        return NULL;
    bool more = true;
    if (!yaml_parser_load(parser, &next)) {
        refuse_text(parser, what, error);
    } else {
        more = yaml_document_get_root_node(&next) != NULL;
        yaml_document_delete(&next);
        if (more)
            error_set(error, ERROR_DATA, "%s holds more than one YAML document", what);
    }
    if (more)
        json_release(&value);
    return value;
}

struct json *yaml_parse(const char *text, size_t length, const char *what, struct error *error) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        error_set(error, ERROR_INTERNAL, "no room for a YAML parser");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    struct json *value = read_document(&parser, what, error);
    yaml_parser_delete(&parser);
    return value;
}
