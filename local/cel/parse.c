#include "local/cel/internal.h"

#include <ctype.h>
#include <string.h>

enum { NODES_LIMIT = 512 };

struct parser {
    const char *text, *at;
    struct error *error;
    bool failed;
    unsigned depth, nodes;
};

static struct cel_node *parse_ternary(struct parser *parser);

static void node_release(struct cel_node **slot) {
    struct cel_node *node = *slot;
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++)
        node_release(&node->nodes[i]);
    free(node->nodes);
    free(node->text);
    json_release(&node->literal);
    free(node);
    *slot = NULL;
}
#define AUTO_NODE AUTO(node_release)

/* The first thing that is wrong, with the word that it is about (length 0: none). */
static void *refuse(struct parser *parser, const char *what, const char *word, size_t length) {
    AUTO_FREE char *shown = text_copy_length(word, length > 40 ? 40 : length);
    if (!parser->failed)
        error_set(parser->error, ERROR_DATA, "at character %zu: %s%s%s%s", (size_t)(parser->at - parser->text) + 1,
                  what, length ? ": \"" : "", shown, length ? "\"" : "");
    parser->failed = true;
    return NULL;
}

static struct cel_node *node_new(struct parser *parser, enum cel_kind kind, const char *text) {
    if (++parser->nodes > NODES_LIMIT)
        refuse(parser, "the expression is too large", "", 0);
    struct cel_node *node = memory_allocate(1, sizeof(*node));
    node->kind = kind;
    node->text = text_copy(text);
    return node;
}

static void node_add(struct cel_node *node, struct cel_node *child) {
    node->nodes = memory_resize(node->nodes, node->count + 1, sizeof(struct cel_node *));
    node->nodes[node->count++] = child;
}

static void skip_space(struct parser *parser) {
    parser->at += strspn(parser->at, " \t\r\n");
}

static bool take(struct parser *parser, const char *token) {
    skip_space(parser);
    size_t length = strlen(token);
    if (strncmp(parser->at, token, length) != 0)
        return false;
    bool is_word = isalpha((unsigned char)*token);
    if (is_word && (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_'))
        return false;
    parser->at += length;
    return true;
}

static bool expect(struct parser *parser, const char *token) {
    if (take(parser, token))
        return true;
    refuse(parser, *parser->at ? "this is not understood here" : "the expression ends too early", parser->at,
           *parser->at ? 1 : 0);
    return false;
}

static char *take_identifier(struct parser *parser) {
    skip_space(parser);
    size_t length = 0;
    while (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_')
        length++;
    if (!length || isdigit((unsigned char)*parser->at))
        return NULL;
    char *name = text_copy_length(parser->at, length);
    parser->at += length;
    return name;
}

/* ---- literals ---- */

static bool append_escape(struct buffer *out, char letter) {
    static const char letters[] = "abfnrtv\\'\"`?", values[] = "\a\b\f\n\r\t\v\\'\"`?";
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found)
        buffer_append_byte(out, values[found - letters]);
    return found != NULL;
}

static struct cel_node *parse_text(struct parser *parser, bool raw) {
    char quote = *parser->at++;
    AUTO_BUFFER struct buffer out = BUFFER(CEL_LENGTH);
    if (parser->at[0] == quote && parser->at[1] == quote)
        return refuse(parser, "texts in three quotes are not understood", "", 0);
    for (; *parser->at && *parser->at != quote; parser->at++) {
        if (*parser->at == '\n')
            break;
        if (*parser->at != '\\' || raw)
            buffer_append_byte(&out, *parser->at);
        else if (!append_escape(&out, *++parser->at))
            return refuse(parser, "the local cloud does not know the escape", parser->at, *parser->at ? 1 : 0);
    }
    if (*parser->at != quote)
        return refuse(parser, "a text has no end", "", 0);
    parser->at++;
    struct cel_node *node = node_new(parser, CEL_LITERAL, NULL);
    node->literal = json_new_text(buffer_text(&out));
    return node;
}

static struct cel_node *parse_number(struct parser *parser) {
    size_t length = strspn(parser->at, "0123456789");
    AUTO_FREE char *digits = text_copy_length(parser->at, length);
    uint64_t value = 0;
    if (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '.' ||
        !text_to_u64(digits, INT64_MAX, &value))
        return refuse(parser, "of numbers only integers are understood", parser->at, strcspn(parser->at, " )"));
    parser->at += length;
    struct cel_node *node = node_new(parser, CEL_LITERAL, NULL);
    node->literal = json_new_integer((int64_t)value);
    return node;
}

/* ---- names, calls, members ---- */

/* Up to `end`, which is taken, too. */
static void parse_items(struct parser *parser, struct cel_node *node, const char *end) {
    if (take(parser, end))
        return;
    do {
        struct cel_node *item = parse_ternary(parser);
        if (!item)
            return;
        node_add(node, item);
    } while (take(parser, ","));
    expect(parser, end);
}

static struct cel_node *parse_has(struct parser *parser) {
    AUTO_NODE struct cel_node *node = node_new(parser, CEL_HAS, NULL);
    parse_items(parser, node, ")");
    if (!parser->failed && (node->count != 1 || node->nodes[0]->kind != CEL_MEMBER))
        return refuse(parser, "has() takes a member, such as has(assertion.environment)", "", 0);
    return parser->failed ? NULL : take_pointer(&node);
}

/* A call behind its "(". `receiver` is taken, NULL: a global one. */
static struct cel_node *parse_call(struct parser *parser, const char *name, struct cel_node *receiver) {
    AUTO_NODE struct cel_node *node = node_new(parser, CEL_CALL, name);
    const struct cel_function *function = cel_function_find(name);
    bool is_known = function && (receiver ? function->is_method : function->is_global);
    if (receiver)
        node_add(node, receiver);
    if (!is_known)
        return refuse(parser, "the local cloud does not know the function", name, strlen(name));
    parse_items(parser, node, ")");
    if (!parser->failed && node->count != function->arguments)
        return refuse(parser, "this function has another number of arguments", name, strlen(name));
    return parser->failed ? NULL : take_pointer(&node);
}

static struct cel_node *parse_name(struct parser *parser) {
    static const char *const variables[] = {"assertion", "google", "attribute"};
    AUTO_FREE char *name = take_identifier(parser);
    if (!name)
        return refuse(parser, *parser->at ? "this is not understood" : "the expression ends too early", parser->at,
                      *parser->at ? 1 : 0);
    if (take(parser, "("))
        return text_equal(name, "has") ? parse_has(parser) : parse_call(parser, name, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        if (text_equal(name, variables[i]))
            return node_new(parser, CEL_VARIABLE, name);
    return refuse(parser, "of variables there are assertion, google and attribute only", name, strlen(name));
}

static struct cel_node *parse_word(struct parser *parser, const char *word, struct json *value) {
    (void)word;
    struct cel_node *node = node_new(parser, CEL_LITERAL, NULL);
    node->literal = value;
    return node;
}

static struct cel_node *parse_primary(struct parser *parser) {
    skip_space(parser);
    char first = *parser->at, second = first ? parser->at[1] : '\0';
    if (first == '\'' || first == '"')
        return parse_text(parser, false);
    if ((first == 'r' || first == 'R') && (second == '\'' || second == '"')) {
        parser->at++;
        return parse_text(parser, true);
    }
    if (isdigit((unsigned char)first))
        return parse_number(parser);
    if (take(parser, "true") || take(parser, "false"))
        return parse_word(parser, NULL, json_new_bool(first == 't'));
    if (take(parser, "null"))
        return parse_word(parser, NULL, json_new_null());
    if (take(parser, "(")) {
        AUTO_NODE struct cel_node *inner = parse_ternary(parser);
        return inner && expect(parser, ")") ? take_pointer(&inner) : NULL;
    }
    if (take(parser, "[")) {
        AUTO_NODE struct cel_node *list = node_new(parser, CEL_LIST, NULL);
        parse_items(parser, list, "]");
        return parser->failed ? NULL : take_pointer(&list);
    }
    return parse_name(parser);
}

static struct cel_node *parse_member(struct parser *parser) {
    AUTO_NODE struct cel_node *node = parse_primary(parser);
    while (node && !parser->failed) {
        if (take(parser, ".")) {
            AUTO_FREE char *name = take_identifier(parser);
            if (!name)
                return refuse(parser, "a name must follow the dot", "", 0);
            if (take(parser, "(")) {
                node = parse_call(parser, name, take_pointer(&node));
                continue;
            }
            struct cel_node *member = node_new(parser, CEL_MEMBER, name);
            node_add(member, take_pointer(&node));
            node = member;
        } else if (take(parser, "[")) {
            struct cel_node *index = node_new(parser, CEL_INDEX, NULL);
            node_add(index, take_pointer(&node));
            node = index;
            struct cel_node *key = parse_ternary(parser);
            if (!key || (node_add(node, key), !expect(parser, "]")))
                return NULL;
        } else
            break;
    }
    return parser->failed ? NULL : take_pointer(&node);
}

/* ---- operators, the weakest last ---- */

static struct cel_node *parse_unary(struct parser *parser) {
    skip_space(parser);
    if (parser->at[0] == '!' && parser->at[1] != '=') {
        parser->at++;
        AUTO_NODE struct cel_node *node = node_new(parser, CEL_OPERATOR, "!");
        if (parser->depth++ > CEL_DEPTH)
            return refuse(parser, "the expression is too deep", "", 0);
        struct cel_node *operand = parse_unary(parser);
        parser->depth--;
        if (!operand)
            return NULL;
        node_add(node, operand);
        return take_pointer(&node);
    }
    return parse_member(parser);
}

static const char *const levels[][7] = {
    {"||"},
    {"&&"},
    {"==", "!=", "<=", ">=", "<", ">", "in"},
    {"+"},
};

static const char *take_operator(struct parser *parser, size_t level) {
    for (size_t i = 0; i < ARRAY_LENGTH(levels[level]) && levels[level][i]; i++)
        if (take(parser, levels[level][i]))
            return levels[level][i];
    return NULL;
}

static struct cel_node *parse_level(struct parser *parser, size_t level) {
    if (level == ARRAY_LENGTH(levels))
        return parse_unary(parser);
    AUTO_NODE struct cel_node *left = parse_level(parser, level + 1);
    const char *operator= left ? take_operator(parser, level) : NULL;
    for (; operator; operator= take_operator(parser, level)) {
        AUTO_NODE struct cel_node *node = node_new(parser, CEL_OPERATOR, operator);
        struct cel_node *right = parse_level(parser, level + 1);
        if (!right)
            return NULL;
        node_add(node, take_pointer(&left));
        node_add(node, right);
        left = take_pointer(&node);
    }
    return take_pointer(&left);
}

static struct cel_node *parse_ternary(struct parser *parser) {
    if (parser->depth++ > CEL_DEPTH)
        return refuse(parser, "the expression is too deep", "", 0);
    AUTO_NODE struct cel_node *condition = parse_level(parser, 0);
    if (condition && take(parser, "?")) {
        AUTO_NODE struct cel_node *node = node_new(parser, CEL_OPERATOR, "?");
        node_add(node, take_pointer(&condition));
        for (int i = 0; i < 2; i++) {
            struct cel_node *branch = i == 0 || expect(parser, ":") ? parse_ternary(parser) : NULL;
            if (!branch)
                return NULL;
            node_add(node, branch);
        }
        condition = take_pointer(&node);
    }
    parser->depth--;
    return parser->failed ? NULL : take_pointer(&condition);
}

struct cel *cel_compile(const char *text, struct error *error) {
    struct parser parser = {.text = text, .at = text, .error = error};
    if (strlen(text) > CEL_LENGTH) {
        error_set(error, ERROR_DATA, "the expression is longer than %d characters", CEL_LENGTH);
        return NULL;
    }
    AUTO_NODE struct cel_node *root = parse_ternary(&parser);
    skip_space(&parser);
    if (root && *parser.at)
        refuse(&parser, "this is not understood here", parser.at, strcspn(parser.at, " ."));
    if (!root || parser.failed)
        return NULL;
    struct cel *expression = memory_allocate(1, sizeof(*expression));
    expression->root = take_pointer(&root);
    return expression;
}

void cel_release(struct cel **expression) {
    if (!*expression)
        return;
    node_release(&(*expression)->root);
    free(*expression);
    *expression = NULL;
}

static bool uses_variables(const struct cel_node *node) {
    bool uses = node->kind == CEL_VARIABLE;
    for (size_t i = 0; i < node->count && !uses; i++)
        uses = uses_variables(node->nodes[i]);
    return uses;
}

bool cel_uses_variables(const struct cel *expression) {
    return uses_variables(expression->root);
}
