/* One part of a path.
 *
 * The pattern becomes a graph of nodes that is walked with the text; each pair of node and position is judged once. */
#include "common/glob/part.h"

#include "common/base/text.h"
#include "common/glob/glob.h"

#include <stdint.h>
#include <string.h>

enum { TEXT_LIMIT = 4096, NOWHERE = -1 };

enum node_kind { NODE_END, NODE_CHARACTER, NODE_ANY, NODE_CLASS, NODE_STAR, NODE_CHOICE, NODE_NOT };

struct range {
    uint32_t first, last;
};

struct node {
    enum node_kind kind;
    int next;
    uint32_t character;
    bool negated; /* a class */
    struct range *ranges;
    int *branches; /* a choice: where it may go on; a NOT: what must not match together with what follows */
    size_t count;  /* of ranges or branches */
};

struct glob_part {
    struct node *nodes;
    int count, start;
    bool needs_dot; /* no beginning with a literal dot */
};

/* ---- characters ---- */

static size_t character_at(const char *text, size_t length, uint32_t *character) {
    const unsigned char *at = (const unsigned char *)text;
    size_t more = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : at[0] < 0xf5 ? 3 : 0;
    *character = more ? at[0] & (0x3fU >> more) : at[0];
    if (more >= length)
        more = 0;
    for (size_t i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            more = 0;
            break;
        }
        *character = *character << 6 | (at[i] & 0x3f);
    }
    /* A byte that is no UTF-8 counts as a character that no pattern names. */
    if (!more)
        *character = at[0] < 0x80 ? at[0] : 0x110000U + at[0];
    return more + 1;
}

/* ---- the graph ---- */

static int add_node(struct glob_part *part, enum node_kind kind, int next) {
    part->nodes = memory_resize(part->nodes, (size_t)part->count + 1, sizeof(*part->nodes));
    part->nodes[part->count] = (struct node){.kind = kind, .next = next};
    return part->count++;
}

static void add_range(struct glob_part *part, int node, uint32_t first, uint32_t last) {
    struct node *class = &part->nodes[node];
    class->ranges = memory_resize(class->ranges, class->count + 1, sizeof(*class->ranges));
    class->ranges[class->count++] = (struct range){first, last};
}

static void add_branch(struct glob_part *part, int node, int branch) {
    struct node *choice = &part->nodes[node];
    choice->branches = memory_resize(choice->branches, choice->count + 1, sizeof(*choice->branches));
    choice->branches[choice->count++] = branch;
}

/* [:alpha:] and so on. Returns the length of the name with its brackets, 0 when it is none. */
static size_t add_named_class(struct glob_part *part, int node, const char *text, size_t length) {
    static const struct {
        const char *name;
        const char *ranges; /* pairs of first and last */
        bool foreign;       /* also what is not ASCII */
    } classes[] = {
        {"[:alnum:]", "azAZ09", true},
        {"[:alpha:]", "azAZ", true},
        {"[:ascii:]", "\001\177", false},
        {"[:blank:]", "  \t\t", false},
        {"[:cntrl:]", "\001\037\177\177", false},
        {"[:digit:]", "09", false},
        {"[:graph:]", "!~", true},
        {"[:lower:]", "az", false},
        {"[:print:]", " ~", true},
        {"[:punct:]", "!/:@[`{~", false},
        {"[:space:]", "  \t\r", false},
        {"[:upper:]", "AZ", false},
        {"[:word:]", "azAZ09__", true},
        {"[:xdigit:]", "09afAF", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        size_t size = strlen(classes[i].name);
        if (length < size || memcmp(text, classes[i].name, size) != 0)
            continue;
        for (const char *pair = classes[i].ranges; *pair; pair += 2)
            add_range(part, node, (unsigned char)pair[0], (unsigned char)pair[1]);
        if (classes[i].foreign)
            add_range(part, node, 0x80, 0x10ffff);
        return size;
    }
    return 0;
}

/* Where the class that begins at text[0] == '[' ends, behind its ']', or 0 when it is not closed. */
static size_t class_length(const char *text, size_t length) {
    size_t at = 1;
    if (at < length && (text[at] == '!' || text[at] == '^'))
        at++;
    for (size_t first = at; at < length; at++) {
        if (text[at] == ']' && at > first)
            return at + 1;
        if (text[at] == '\\')
            at++;
        else if (text[at] == '[' && at + 1 < length && text[at + 1] == ':') {
            const char *close = memmem(text + at, length - at, ":]", 2);
            if (close)
                at = (size_t)(close - text) + 1;
        }
    }
    return 0;
}

static size_t class_character(const char *text, size_t length, uint32_t *character) {
    size_t escaped = *text == '\\' && length > 1;
    return escaped + character_at(text + escaped, length - escaped, character);
}

static int build_class(struct glob_part *part, const char *text, size_t length, int next) {
    int node = add_node(part, NODE_CLASS, next);
    size_t at = 1, end = length - 1;
    if (text[at] == '!' || text[at] == '^') {
        part->nodes[node].negated = true;
        at++;
    }
    while (at < end) {
        size_t named = text[at] == '[' ? add_named_class(part, node, text + at, end - at) : 0;
        if (named) {
            at += named;
            continue;
        }
        uint32_t first, last;
        at += class_character(text + at, end - at, &first);
        last = first;
        if (end - at >= 2 && text[at] == '-')
            at += 1 + class_character(text + at + 1, end - at - 1, &last);
        if (first <= last)
            add_range(part, node, first, last);
    }
    return node;
}

/* The ')' that closes the group whose '(' is at text[1], or 0. */
static size_t group_end(const char *text, size_t length) {
    int depth = 0;
    for (size_t at = 1; at < length; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '[' && class_length(text + at, length - at))
            at += class_length(text + at, length - at) - 1;
        else if (text[at] == '(')
            depth++;
        else if (text[at] == ')' && --depth == 0)
            return at;
    }
    return 0;
}

static int build(struct glob_part *part, const char *text, size_t length, int next);

/* Adds each alternative between the bars as a branch of `node`, going on at `next`. */
static void build_alternatives(struct glob_part *part, int node, const char *text, size_t length, int next) {
    int depth = 0;
    size_t begin = 0;
    for (size_t at = 0; at <= length; at++) {
        if (at == length || (text[at] == '|' && depth == 0)) {
            add_branch(part, node, build(part, text + begin, at - begin, next));
            begin = at + 1;
        } else if (text[at] == '\\') {
            at += at + 1 < length;
        } else if (text[at] == '[' && class_length(text + at, length - at)) {
            at += class_length(text + at, length - at) - 1;
        } else {
            depth += (text[at] == '(') - (text[at] == ')');
        }
    }
}

static int build_group(struct glob_part *part, char kind, const char *text, size_t length, int next) {
    int node = add_node(part, kind == '!' ? NODE_NOT : NODE_CHOICE, next);
    if (kind == '*' || kind == '+') {
        build_alternatives(part, node, text, length, node);
        size_t alternatives = part->nodes[node].count;
        add_branch(part, node, next);
        if (kind == '*')
            return node;
        int first = add_node(part, NODE_CHOICE, next);
        for (size_t i = 0; i < alternatives; i++)
            add_branch(part, first, part->nodes[node].branches[i]);
        return first;
    }
    build_alternatives(part, node, text, length, next);
    if (kind == '?')
        add_branch(part, node, next);
    return node;
}

/* How long the first element of a pattern is. */
static size_t element_length(const char *text, size_t length) {
    uint32_t character;
    if (length > 1 && strchr("?*+@!", *text) && text[1] == '(' && group_end(text, length))
        return group_end(text, length) + 1;
    if (*text == '[' && class_length(text, length))
        return class_length(text, length);
    if (*text == '\\' && length > 1)
        return 1 + character_at(text + 1, length - 1, &character);
    return character_at(text, length, &character);
}

static int build_element(struct glob_part *part, const char *text, size_t length, int next) {
    if (length > 2 && strchr("?*+@!", *text) && text[1] == '(' && text[length - 1] == ')')
        return build_group(part, *text, text + 2, length - 3, next);
    if (length > 1 && *text == '[')
        return build_class(part, text, length, next);
    if (*text == '*')
        return add_node(part, NODE_STAR, next);
    if (*text == '?')
        return add_node(part, NODE_ANY, next);
    int node = add_node(part, NODE_CHARACTER, next);
    size_t escaped = *text == '\\' && length > 1;
    character_at(text + escaped, length - escaped, &part->nodes[node].character);
    return node;
}

/* From the last element to the first, so that each knows the next. */
static int build(struct glob_part *part, const char *text, size_t length, int next) {
    AUTO_FREE size_t *begins = memory_allocate(length + 1, sizeof(*begins));
    size_t count = 0;
    for (size_t at = 0; at < length; at += element_length(text + at, length - at))
        begins[count++] = at;
    for (size_t end = length; count > 0; end = begins[count])
        next = (count--, build_element(part, text + begins[count], end - begins[count], next));
    return next;
}

/* Whether what begins here begins with a literal dot in one of its alternatives. */
static bool begins_with_dot(const struct glob_part *part, int start) {
    const struct node *node = &part->nodes[start];
    if (node->kind == NODE_CHARACTER)
        return node->character == '.';
    for (size_t i = 0; node->kind == NODE_CHOICE && i < node->count; i++)
        if (part->nodes[node->branches[i]].kind == NODE_CHARACTER && part->nodes[node->branches[i]].character == '.')
            return true;
    return false;
}

struct glob_part *glob_part_new(const char *pattern, size_t length) {
    struct glob_part *part = memory_allocate(1, sizeof(*part));
    int end = add_node(part, NODE_END, NOWHERE);
    part->start = build(part, pattern, length, end);
    part->needs_dot = !begins_with_dot(part, part->start);
    return part;
}

void glob_part_release(struct glob_part **part) {
    if (!*part)
        return;
    for (int i = 0; i < (*part)->count; i++) {
        free((*part)->nodes[i].ranges);
        free((*part)->nodes[i].branches);
    }
    free((*part)->nodes);
    free(*part);
    *part = NULL;
}

/* ---- matching ---- */

struct matching {
    const struct glob_part *part;
    const char *text;
    size_t length;
    char *known; /* for node and position: 0 not judged, 'n' no (or being judged), 'y' yes */
};

static bool in_class(const struct node *class, uint32_t character) {
    bool found = false;
    for (size_t i = 0; i < class->count && !found; i++)
        found = character >= class->ranges[i].first && character <= class->ranges[i].last;
    return found != class->negated;
}

static bool matches_from(struct matching *matching, int node, size_t at);

static bool any_branch(struct matching *matching, const struct node *node, size_t at) {
    for (size_t i = 0; i < node->count; i++)
        if (matches_from(matching, node->branches[i], at))
            return true;
    return false;
}

static bool judge(struct matching *matching, int index, size_t at) {
    const struct node *node = &matching->part->nodes[index];
    uint32_t character = 0;
    size_t size = at < matching->length ? character_at(matching->text + at, matching->length - at, &character) : 0;
    switch (node->kind) {
    case NODE_END:
        return at == matching->length;
    case NODE_CHARACTER:
        return size && character == node->character && matches_from(matching, node->next, at + size);
    case NODE_ANY:
        return size && matches_from(matching, node->next, at + size);
    case NODE_CLASS:
        return size && in_class(node, character) && matches_from(matching, node->next, at + size);
    case NODE_STAR:
        return matches_from(matching, node->next, at) || (size && matches_from(matching, index, at + size));
    case NODE_CHOICE:
        return any_branch(matching, node, at);
    case NODE_NOT:
        if (any_branch(matching, node, at))
            return false;
        for (size_t end = at; end <= matching->length; end++)
            if (matches_from(matching, node->next, end))
                return true;
        return false;
    }
    return false;
}

static bool matches_from(struct matching *matching, int node, size_t at) {
    char *known = &matching->known[(size_t)node * (matching->length + 1) + at];
    if (!*known) {
        *known = 'n';
        if (judge(matching, node, at))
            *known = 'y';
    }
    return *known == 'y';
}

bool glob_part_matches(const struct glob_part *part, const char *text, size_t length, bool dot) {
    bool is_empty = part->nodes[part->start].kind == NODE_END;
    if (is_empty || length == 0)
        return is_empty && length == 0;
    if (length > TEXT_LIMIT || (*text == '.' && !dot && part->needs_dot))
        return false;
    char small[4096];
    size_t size = (size_t)part->count * (length + 1);
    AUTO_FREE char *large = size > sizeof(small) ? memory_allocate(size, 1) : NULL;
    if (!large)
        memset(small, 0, size);
    struct matching matching = {part, text, length, large ? large : small};
    return matches_from(&matching, part->start, 0);
}
