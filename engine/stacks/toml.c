/* A recursive descent reader; every read position is checked against the end. */
#include "engine/stacks/toml.h"
#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_LIMIT = 32, KEY_LIMIT = 32 };

struct reader {
    const char *at, *end;
    const char *start;
    const char *what;
    struct error *error;
};

static struct json *read_value(struct reader *reader, unsigned depth);

static int fault(const struct reader *reader, const char *message) {
    size_t line = 1;
    for (const char *p = reader->start; p < reader->at; p++)
        line += *p == '\n';
    return error_set(reader->error, ERROR_DATA, "%s:%zu: %s", reader->what, line, message);
}

static bool starts_with(const struct reader *reader, const char *text) {
    size_t length = strlen(text);
    return (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, text, length) == 0;
}

static int peek(const struct reader *reader) {
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static bool accept(struct reader *reader, char byte) {
    if (peek(reader) != (unsigned char)byte)
        return false;
    reader->at++;
    return true;
}

static void skip_blanks(struct reader *reader) {
    while (peek(reader) == ' ' || peek(reader) == '\t')
        reader->at++;
}

static void skip_comment(struct reader *reader) {
    if (peek(reader) == '#')
        while (reader->at < reader->end && *reader->at != '\n')
            reader->at++;
}

/* Blanks, comments and line ends: between the elements of an array, and between lines. */
static void skip_lines(struct reader *reader) {
    for (;;) {
        skip_blanks(reader);
        skip_comment(reader);
        if (peek(reader) != '\n' && peek(reader) != '\r')
            return;
        reader->at++;
    }
}

static int expect_line_end(struct reader *reader) {
    skip_blanks(reader);
    skip_comment(reader);
    accept(reader, '\r');
    if (reader->at < reader->end && !accept(reader, '\n'))
        return fault(reader, "something follows the value");
    return 0;
}

/* ---- strings ---- */

static void append_code_point(struct buffer *text, uint32_t code) {
    if (code < 0x80) {
        buffer_append_byte(text, (char)code);
    } else if (code < 0x800) {
        buffer_append_byte(text, (char)(0xC0 | code >> 6));
        buffer_append_byte(text, (char)(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        buffer_append_byte(text, (char)(0xE0 | code >> 12));
        buffer_append_byte(text, (char)(0x80 | (code >> 6 & 0x3F)));
        buffer_append_byte(text, (char)(0x80 | (code & 0x3F)));
    } else {
        buffer_append_byte(text, (char)(0xF0 | code >> 18));
        buffer_append_byte(text, (char)(0x80 | (code >> 12 & 0x3F)));
        buffer_append_byte(text, (char)(0x80 | (code >> 6 & 0x3F)));
        buffer_append_byte(text, (char)(0x80 | (code & 0x3F)));
    }
}

static int read_unicode(struct reader *reader, unsigned digits, struct buffer *text) {
    uint32_t code = 0;
    for (unsigned i = 0; i < digits; i++) {
        int c = peek(reader);
        if (c < 0 || !isxdigit(c))
            return fault(reader, "a Unicode escape needs hexadecimal digits");
        code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        reader->at++;
    }
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return fault(reader, "a Unicode escape is not a character");
    append_code_point(text, code);
    return 0;
}

/* After the backslash. */
static int read_escape(struct reader *reader, bool multiline, struct buffer *text) {
    static const char names[] = "btnfre\"\\", values[] = "\b\t\n\f\r\x1b\"\\";
    int c = peek(reader);
    if (multiline && c >= 0 && strchr(" \t\r\n", c)) { /* the line goes on at the next text */
        while (peek(reader) == ' ' || peek(reader) == '\t' || peek(reader) == '\n' || peek(reader) == '\r')
            reader->at++;
        return 0;
    }
    reader->at += c >= 0;
    if (c == 'u' || c == 'U')
        return read_unicode(reader, c == 'u' ? 4 : 8, text);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    if (!found)
        return fault(reader, "an escape sequence is not known");
    buffer_append_byte(text, values[found - names]);
    return 0;
}

/* At the first quotation mark; all four kinds of string. */
static int read_string(struct reader *reader, struct buffer *text) {
    char quote = *reader->at;
    bool literal = quote == '\'';
    char triple[4] = {quote, quote, quote, '\0'};
    bool multiline = starts_with(reader, triple);
    reader->at += multiline ? 3 : 1;
    if (multiline) {
        accept(reader, '\r');
        accept(reader, '\n');
    }
    for (;;) {
        int c = peek(reader);
        if (c <= 0 || (!multiline && c == '\n'))
            return fault(reader, "a string does not end");
        if (c == quote && (!multiline || starts_with(reader, triple)))
            break;
        reader->at++;
        if (c == '\\' && !literal) {
            if (read_escape(reader, multiline, text) < 0)
                return -1;
        } else {
            buffer_append_byte(text, (char)c);
        }
    }
    reader->at += multiline ? 3 : 1;
    for (int extra = 0; multiline && extra < 2 && accept(reader, quote); extra++)
        buffer_append_byte(text, quote);
    return 0;
}

/* ---- keys ---- */

static bool is_bare(int c) {
    return c > 0 && (isalnum(c) || c == '_' || c == '-');
}

static int read_key(struct reader *reader, struct text_list *parts) {
    do {
        skip_blanks(reader);
        AUTO_BUFFER struct buffer part = BUFFER(1 << 16);
        if (peek(reader) == '"' || peek(reader) == '\'') {
            if (read_string(reader, &part) < 0)
                return -1;
        } else {
            for (; is_bare(peek(reader)); reader->at++)
                buffer_append_byte(&part, *reader->at);
            if (part.length == 0)
                return fault(reader, "a key is missing");
        }
        if (part.failed || parts->count >= KEY_LIMIT)
            return fault(reader, "a key is too long");
        text_list_take(parts, buffer_take(&part));
        skip_blanks(reader);
    } while (accept(reader, '.'));
    return 0;
}

/* The table that the first `count` parts lead to, made where it is missing; an array of tables stands for its last. */
static struct json *descend(struct reader *reader, struct json *table, const struct text_list *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct json *next = json_get(table, parts->items[i]);
        if (!next) {
            json_set(table, parts->items[i], json_new_object());
            next = json_get(table, parts->items[i]);
        }
        if (json_is_array(next) && json_count(next) > 0)
            next = json_at(next, json_count(next) - 1);
        if (!json_is_object(next)) {
            fault(reader, "a key is used as a value and as a table");
            return NULL;
        }
        table = next;
    }
    return table;
}

static int read_pair(struct reader *reader, struct json *table, unsigned depth) {
    AUTO_LIST struct text_list parts = {0};
    if (read_key(reader, &parts) < 0)
        return -1;
    if (!accept(reader, '='))
        return fault(reader, "'=' is missing after a key");
    struct json *owner = descend(reader, table, &parts, parts.count - 1);
    if (!owner)
        return -1;
    if (json_get(owner, parts.items[parts.count - 1]))
        return fault(reader, "a key is set twice");
    struct json *value = read_value(reader, depth + (unsigned)parts.count);
    if (!value)
        return -1;
    json_set(owner, parts.items[parts.count - 1], value);
    return 0;
}

/* ---- values ---- */

static struct json *read_array(struct reader *reader, unsigned depth) {
    AUTO_JSON struct json *array = json_new_array();
    reader->at++;
    for (;;) {
        skip_lines(reader);
        if (accept(reader, ']'))
            return take_pointer(&array);
        struct json *value = read_value(reader, depth + 1);
        if (!value)
            return NULL;
        json_append(array, value);
        skip_lines(reader);
        if (!accept(reader, ',') && peek(reader) != ']') {
            fault(reader, "an array does not end");
            return NULL;
        }
    }
}

static struct json *read_inline_table(struct reader *reader, unsigned depth) {
    AUTO_JSON struct json *table = json_new_object();
    reader->at++;
    for (;;) {
        skip_lines(reader);
        if (accept(reader, '}'))
            return take_pointer(&table);
        if (read_pair(reader, table, depth + 1) < 0)
            return NULL;
        skip_lines(reader);
        if (!accept(reader, ',') && peek(reader) != '}') {
            fault(reader, "an inline table does not end");
            return NULL;
        }
    }
}

/* true, false, and numbers and dates: everything without quotation marks. */
static struct json *read_word(struct reader *reader) {
    AUTO_BUFFER struct buffer word = BUFFER(128);
    for (; reader->at < reader->end && !strchr(",]}#\r\n\t", *reader->at); reader->at++) {
        /* a date and a time may have one space between them */
        if (*reader->at == ' ' && !(word.length == 10 && reader->end - reader->at > 1 && isdigit(reader->at[1])))
            break;
        buffer_append_byte(&word, *reader->at);
    }
    const char *text = buffer_text(&word);
    if (word.length == 0 || word.failed || !(isalnum((unsigned char)*text) || *text == '+' || *text == '-')) {
        fault(reader, "a value is missing");
        return NULL;
    }
    if (text_equal(text, "true") || text_equal(text, "false"))
        return json_new_bool(*text == 't');
    uint64_t number;
    if (text_to_u64(text, INT64_MAX, &number))
        return json_new_integer((int64_t)number);
    return json_new_text(text);
}

static struct json *read_value(struct reader *reader, unsigned depth) {
    if (depth > DEPTH_LIMIT) {
        fault(reader, "values are nested too deeply");
        return NULL;
    }
    skip_blanks(reader);
    int c = peek(reader);
    if (c == '[')
        return read_array(reader, depth);
    if (c == '{')
        return read_inline_table(reader, depth);
    if (c != '"' && c != '\'')
        return read_word(reader);
    AUTO_BUFFER struct buffer text = BUFFER((size_t)(reader->end - reader->start) + 1);
    if (read_string(reader, &text) < 0 || buffer_check(&text, reader->what, reader->error) < 0)
        return NULL;
    return json_new_text(buffer_text(&text));
}

/* "[a.b]" or "[[a.b]]"; gives the table that the lines after it belong to. */
static struct json *read_header(struct reader *reader, struct json *root) {
    reader->at++;
    bool is_array = accept(reader, '[');
    AUTO_LIST struct text_list parts = {0};
    if (read_key(reader, &parts) < 0)
        return NULL;
    if (!accept(reader, ']') || (is_array && !accept(reader, ']'))) {
        fault(reader, "']' is missing");
        return NULL;
    }
    if (expect_line_end(reader) < 0)
        return NULL;
    if (!is_array)
        return descend(reader, root, &parts, parts.count);
    struct json *owner = descend(reader, root, &parts, parts.count - 1);
    if (!owner)
        return NULL;
    const char *name = parts.items[parts.count - 1];
    if (!json_get(owner, name))
        json_set(owner, name, json_new_array());
    struct json *array = json_get(owner, name);
    if (!json_is_array(array)) {
        fault(reader, "a key is used as a value and as an array of tables");
        return NULL;
    }
    json_append(array, json_new_object());
    return json_at(array, json_count(array) - 1);
}

struct json *toml_parse(const char *text, size_t length, const char *what, struct error *error) {
    struct reader reader = {.at = text, .end = text + length, .start = text, .what = what, .error = error};
    AUTO_JSON struct json *root = json_new_object();
    struct json *table = root;
    if (starts_with(&reader, "\xEF\xBB\xBF"))
        reader.at += 3;
    for (skip_lines(&reader); reader.at < reader.end; skip_lines(&reader)) {
        if (*reader.at == '[') {
            table = read_header(&reader, root);
            if (!table)
                return NULL;
        } else if (read_pair(&reader, table, 0) < 0 || expect_line_end(&reader) < 0) {
            return NULL;
        }
    }
    return take_pointer(&root);
}
