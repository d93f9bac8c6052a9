#include "local/cel/internal.h"

#include "common/regex/regex.h"

#include <ctype.h>
#include <string.h>

/* ---- functions ---- */

static struct json *wrong_type(struct error *error, const char *what) {
    error_set(error, ERROR_DATA, "%s has operands of other types", what);
    return NULL;
}

static struct json *size_of(struct json *const *arguments, struct error *error) {
    const struct json *value = arguments[0];
    if (json_is_array(value) || json_is_object(value))
        return json_new_integer((int64_t)json_count(value));
    if (!json_is_text(value))
        return wrong_type(error, "size()");
    int64_t characters = 0;
    for (const char *at = json_text(value); *at; at++)
        characters += ((unsigned char)*at & 0xc0) != 0x80;
    return json_new_integer(characters);
}

static struct json *to_text(struct json *const *arguments, struct error *error) {
    const struct json *value = arguments[0];
    if (json_is_text(value))
        return json_new_text(json_text(value));
    if (!json_is_integer(value) && !json_is_bool(value))
        return wrong_type(error, "string()");
    AUTO_FREE char *text = json_format(value, JSON_COMPACT_STYLE);
    return json_new_text(text);
}

static bool both_texts(struct json *const *arguments) {
    return json_is_text(arguments[0]) && json_is_text(arguments[1]);
}

static struct json *starts_with(struct json *const *arguments, struct error *error) {
    return both_texts(arguments) ? json_new_bool(text_starts_with(json_text(arguments[0]), json_text(arguments[1])))
                                 : wrong_type(error, "startsWith()");
}

static struct json *ends_with(struct json *const *arguments, struct error *error) {
    return both_texts(arguments) ? json_new_bool(text_ends_with(json_text(arguments[0]), json_text(arguments[1])))
                                 : wrong_type(error, "endsWith()");
}

static struct json *contains(struct json *const *arguments, struct error *error) {
    return both_texts(arguments) ? json_new_bool(strstr(json_text(arguments[0]), json_text(arguments[1])) != NULL)
                                 : wrong_type(error, "contains()");
}

static struct json *matches(struct json *const *arguments, struct error *error) {
    if (!both_texts(arguments))
        return wrong_type(error, "matches()");
    AUTO_REGEX struct regex *regex = regex_compile(json_text(arguments[1]), REGEX_RE2, error);
    return regex ? json_new_bool(regex_matches(regex, json_text(arguments[0]))) : NULL;
}

static struct json *change_case(const struct json *value, int (*change)(int), const char *what, struct error *error) {
    if (!json_is_text(value))
        return wrong_type(error, what);
    AUTO_FREE char *text = text_copy(json_text(value));
    for (char *at = text; *at; at++)
        if (isascii((unsigned char)*at))
            *at = (char)change((unsigned char)*at);
    return json_new_text(text);
}

static struct json *lower(struct json *const *arguments, struct error *error) {
    return change_case(arguments[0], tolower, "lowerAscii()", error);
}

static struct json *upper(struct json *const *arguments, struct error *error) {
    return change_case(arguments[0], toupper, "upperAscii()", error);
}

static struct json *split(struct json *const *arguments, struct error *error) {
    if (!both_texts(arguments) || !*json_text(arguments[1]))
        return wrong_type(error, "split()");
    struct json *list = json_new_array();
    const char *at = json_text(arguments[0]), *separator = json_text(arguments[1]), *next;
    for (; (next = strstr(at, separator)); at = next + strlen(separator)) {
        AUTO_FREE char *part = text_copy_length(at, (size_t)(next - at));
        json_append_text(list, part);
    }
    json_append_text(list, at);
    return list;
}

static struct json *join(struct json *const *arguments, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(64 << 10);
    if (!json_is_array(arguments[0]) || !json_is_text(arguments[1]))
        return wrong_type(error, "join()");
    for (size_t i = 0; i < json_count(arguments[0]); i++) {
        const char *part = json_text(json_at(arguments[0], i));
        if (!part)
            return wrong_type(error, "join()");
        buffer_append_text(&text, i ? json_text(arguments[1]) : "");
        buffer_append_text(&text, part);
    }
    return buffer_check(&text, "a joined text", error) < 0 ? NULL : json_new_text(buffer_text(&text));
}

/* 'a/b/c'.extract('a/{x}/') is "b"; without a match it is "". What follows the braces ends at its first occurrence;
 * nothing there: all of the rest. */
static struct json *extract(struct json *const *arguments, struct error *error) {
    if (!both_texts(arguments))
        return wrong_type(error, "extract()");
    const char *template = json_text(arguments[1]);
    const char *open = strchr(template, '{'), *close = open ? strchr(open, '}') : NULL;
    if (!close || close == open + 1 || strpbrk(close + 1, "{}")) {
        error_set(error, ERROR_DATA, "extract() takes a text with one {name} in it");
        return NULL;
    }
    AUTO_FREE char *before = text_copy_length(template, (size_t)(open - template));
    const char *found = strstr(json_text(arguments[0]), before);
    found = found ? found + strlen(before) : "";
    const char *end = close[1] ? strstr(found, close + 1) : found + strlen(found);
    AUTO_FREE char *result = text_copy_length(found, end ? (size_t)(end - found) : 0);
    return json_new_text(result);
}

const struct cel_function *cel_function_find(const char *name) {
    static const struct cel_function functions[] = {
        {"size", 1, true, true, size_of},
        {"string", 1, true, false, to_text},
        {"startsWith", 2, false, true, starts_with},
        {"endsWith", 2, false, true, ends_with},
        {"contains", 2, false, true, contains},
        {"matches", 2, true, true, matches},
        {"lowerAscii", 1, false, true, lower},
        {"upperAscii", 1, false, true, upper},
        {"split", 2, false, true, split},
        {"join", 2, false, true, join},
        {"extract", 2, false, true, extract},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++)
        if (text_equal(functions[i].name, name))
            return &functions[i];
    return NULL;
}

/* ---- the tree ---- */

struct scope {
    const struct json *variables;
    struct error *error;
};

static struct json *evaluate(const struct scope *scope, const struct cel_node *node);

static struct json *member(const struct scope *scope, const struct json *object, const char *key) {
    struct json *value = json_is_object(object) ? json_get(object, key) : NULL;
    if (!value)
        error_set(scope->error, ERROR_DATA, "there is no \"%.100s\"", key);
    return value ? json_share(value) : NULL;
}

static struct json *element(const struct scope *scope, const struct cel_node *node) {
    AUTO_JSON struct json *object = evaluate(scope, node->nodes[0]);
    AUTO_JSON struct json *key = object ? evaluate(scope, node->nodes[1]) : NULL;
    if (!key)
        return NULL;
    if (json_is_text(key))
        return member(scope, object, json_text(key));
    if (!json_is_integer(key) || !json_is_array(object) || json_number(key) < 0 ||
        (uint64_t)json_number(key) >= json_count(object)) {
        error_set(scope->error, ERROR_DATA, "an index is outside of its list");
        return NULL;
    }
    return json_share(json_at(object, (size_t)json_number(key)));
}

static struct json *call(const struct scope *scope, const struct cel_node *node) {
    struct json *arguments[2] = {NULL, NULL}, *result = NULL;
    size_t count = 0;
    for (; count < node->count && count < ARRAY_LENGTH(arguments); count++)
        if (!(arguments[count] = evaluate(scope, node->nodes[count])))
            break;
    if (count == node->count)
        result = cel_function_find(node->text)->call(arguments, scope->error);
    json_release(&arguments[0]);
    json_release(&arguments[1]);
    return result;
}

static struct json *list(const struct scope *scope, const struct cel_node *node) {
    AUTO_JSON struct json *items = json_new_array();
    for (size_t i = 0; i < node->count; i++) {
        struct json *item = evaluate(scope, node->nodes[i]);
        if (!item)
            return NULL;
        json_append(items, item);
    }
    return take_pointer(&items);
}

/* 1, 0, or -1 when it is no truth. */
static int truth(const struct scope *scope, const struct cel_node *node) {
    AUTO_JSON struct json *value = evaluate(scope, node);
    if (value && !json_is_bool(value))
        error_set(scope->error, ERROR_DATA, "an operand of a logical operator is not true or false");
    return value && json_is_bool(value) ? json_truth(value) : -1;
}

/* As in CEL, one side that decides makes the other's failure irrelevant. */
static struct json *logical(const struct scope *scope, const struct cel_node *node) {
    bool decides = *node->text == '|';
    int left = truth(scope, node->nodes[0]);
    if (left == decides)
        return json_new_bool(decides);
    int right = truth(scope, node->nodes[1]);
    if (right == decides)
        return json_new_bool(decides);
    return left < 0 || right < 0 ? NULL : json_new_bool(!decides);
}

static bool is_in(const struct json *value, const struct json *container) {
    if (json_is_object(container))
        return json_is_text(value) && json_get(container, json_text(value));
    for (size_t i = 0; i < json_count(container); i++)
        if (json_same(value, json_at(container, i)))
            return true;
    return false;
}

static struct json *order(const struct scope *scope, const char *operator, const struct json * left,
                          const struct json *right) {
    int64_t difference;
    if (json_is_integer(left) && json_is_integer(right))
        difference = (json_number(left) > json_number(right)) - (json_number(left) < json_number(right));
    else if (json_is_text(left) && json_is_text(right))
        difference = strcmp(json_text(left), json_text(right));
    else
        return wrong_type(scope->error, operator);
    bool result = *operator== '<' ? difference < 0 : difference> 0;
    return json_new_bool(result || (operator[1] == '=' && difference == 0));
}

static struct json *plus(const struct scope *scope, const struct json *left, const struct json *right) {
    int64_t sum;
    if (json_is_text(left) && json_is_text(right)) {
        AUTO_FREE char *text = text_format("%s%s", json_text(left), json_text(right));
        return json_new_text(text);
    }
    if (json_is_integer(left) && json_is_integer(right) &&
        !__builtin_add_overflow(json_number(left), json_number(right), &sum))
        return json_new_integer(sum);
    return wrong_type(scope->error, "+");
}

static struct json *operate(const struct scope *scope, const struct cel_node *node) {
    const char *operator= node->text;
    if (text_equal(operator, "||") || text_equal(operator, "&&"))
        return logical(scope, node);
    if (text_equal(operator, "!") || text_equal(operator, "?")) {
        int which = truth(scope, node->nodes[0]);
        if (which < 0)
            return NULL;
        return *operator== '!' ? json_new_bool(!which) : evaluate(scope, node->nodes[which ? 1 : 2]);
    }
    AUTO_JSON struct json *left = evaluate(scope, node->nodes[0]);
    AUTO_JSON struct json *right = left ? evaluate(scope, node->nodes[1]) : NULL;
    if (!right)
        return NULL;
    if (text_equal(operator, "==") || text_equal(operator, "!="))
        return json_new_bool(json_same(left, right) == (*operator== '='));
    if (text_equal(operator, "in"))
        return json_is_array(right) || json_is_object(right) ? json_new_bool(is_in(left, right))
                                                             : wrong_type(scope->error, "in");
    return *operator== '+' ? plus(scope, left, right) : order(scope, operator, left, right);
}

static struct json *evaluate(const struct scope *scope, const struct cel_node *node) {
    switch (node->kind) {
    case CEL_LITERAL:
        return json_share(node->literal);
    case CEL_VARIABLE:
        return member(scope, scope->variables, node->text);
    case CEL_LIST:
        return list(scope, node);
    case CEL_INDEX:
        return element(scope, node);
    case CEL_CALL:
        return call(scope, node);
    case CEL_OPERATOR:
        return operate(scope, node);
    case CEL_MEMBER: {
        AUTO_JSON struct json *object = evaluate(scope, node->nodes[0]);
        return object ? member(scope, object, node->text) : NULL;
    }
    case CEL_HAS: {
        const struct cel_node *inner = node->nodes[0];
        AUTO_JSON struct json *object = evaluate(scope, inner->nodes[0]);
        return object ? json_new_bool(json_is_object(object) && json_get(object, inner->text)) : NULL;
    }
    }
    return NULL;
}

struct json *cel_evaluate(const struct cel *expression, const struct json *variables, struct error *error) {
    struct scope scope = {variables, error};
    return evaluate(&scope, expression->root);
}
