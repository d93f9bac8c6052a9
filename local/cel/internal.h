/* The tree of an expression, for the two files of local/cel. */
#ifndef LOCAL_CEL_INTERNAL_H
#define LOCAL_CEL_INTERNAL_H

#include "common/base/text.h"
#include "local/cel/cel.h"

enum cel_kind {
    CEL_LITERAL,
    CEL_VARIABLE,
    CEL_LIST,     /* nodes: the elements */
    CEL_MEMBER,   /* nodes[0].text */
    CEL_INDEX,    /* nodes[0][nodes[1]] */
    CEL_HAS,      /* has(nodes[0]), which is a CEL_MEMBER */
    CEL_CALL,     /* text(nodes…), the receiver first */
    CEL_OPERATOR, /* text: one of the operators, nodes: its one, two or three operands */
};

struct cel_node {
    enum cel_kind kind;
    char *text;
    struct json *literal;
    struct cel_node **nodes;
    size_t count;
};

struct cel {
    struct cel_node *root;
};

/* The functions: `arguments` counts the receiver, too. */
struct cel_function {
    const char *name;
    size_t arguments;
    bool is_global; /* may be called as name(x) */
    bool is_method;
    struct json *(*call)(struct json *const *arguments, struct error *error);
};
const struct cel_function *cel_function_find(const char *name);

#endif
