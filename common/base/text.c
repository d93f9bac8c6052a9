#include "common/base/text.h"

#include <stdarg.h>
#include <string.h>

static void *or_abort(void *pointer) {
    static const char message[] = "pl: out of memory\n";
    if (!pointer) {
        ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
        (void)ignored;
        abort();
    }
    return pointer;
}

void *memory_allocate(size_t count, size_t size) {
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *pointer, size_t count, size_t size) {
    return or_abort(reallocarray(pointer, count ? count : 1, size ? size : 1));
}

void memory_wipe(void *pointer, size_t length) {
    if (pointer)
        explicit_bzero(pointer, length);
}

char *text_copy(const char *text) {
    return text ? or_abort(strdup(text)) : NULL;
}

char *text_copy_length(const char *text, size_t length) {
    char *copy = memory_allocate(length + 1, 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

PRINTF_LIKE(1, 0)
static char *format_arguments(const char *format, va_list arguments) {
    char *text = NULL;
    return vasprintf(&text, format, arguments) < 0 ? or_abort(NULL) : text;
}

char *text_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = format_arguments(format, arguments);
    va_end(arguments);
    return text;
}

bool text_equal(const char *left, const char *right) {
    return left && right ? strcmp(left, right) == 0 : left == right;
}

bool text_starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix) {
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}

bool text_is_plain_word(const char *text) {
    enum { WORD_LIMIT = 400 };
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length <= WORD_LIMIT && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@*+-") == length;
}

bool text_is_empty(const char *text) {
    return !text || !*text;
}

bool text_to_u64(const char *text, uint64_t maximum, uint64_t *value) {
    uint64_t sum = 0;
    if (text_is_empty(text))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t next;
        if (__builtin_mul_overflow(sum, 10u, &next) || __builtin_add_overflow(next, (uint64_t)(*text - '0'), &sum) ||
            sum > maximum)
            return false;
    }
    *value = sum;
    return true;
}

/* The length of the well-formed UTF-8 sequence at `text`, or 0; *point is its code point. */
static size_t utf8_length(const unsigned char *text, size_t length, uint32_t *point) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;
    if (size == 0 || size > length)
        return 0;
    *point = size == 1 ? text[0] : text[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3Fu);
    }
    bool surrogate = *point >= 0xD800 && *point <= 0xDFFF;
    return *point < smallest[size] || *point > 0x10FFFF || surrogate ? 0 : size;
}

static bool is_harmful(uint32_t point) {
    bool control = (point < 0x20 && point != '\t') || (point >= 0x7F && point <= 0x9F);
    bool bidirectional = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    return control || bidirectional || point == 0x2028 || point == 0x2029;
}

char *text_scrub(const char *text, size_t length, bool keep_newlines) {
    char *out = memory_allocate(length + 1, 1);
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t size = utf8_length((const unsigned char *)text + i, length - i, &point);
        if (point == '\n' && size == 1)
            out[used++] = keep_newlines ? '\n' : ' ';
        else if (size == 0 || is_harmful(point))
            out[used++] = '?';
        else {
            memcpy(out + used, text + i, size);
            used += size;
        }
        i += size ? size : 1;
    }
    out[used] = '\0';
    return out;
}

void text_list_take(struct text_list *list, char *text) {
    list->items = memory_resize(list->items, list->count + 2, sizeof(char *));
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

void text_list_add(struct text_list *list, const char *text) {
    text_list_take(list, text_copy(text));
}

void text_list_add_format(struct text_list *list, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_list_take(list, format_arguments(format, arguments));
    va_end(arguments);
}

void text_list_add_all(struct text_list *list, const struct text_list *other) {
    for (size_t i = 0; i < other->count; i++)
        text_list_add(list, other->items[i]);
}

bool text_list_contains(const struct text_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int compare_items(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void text_list_sort(struct text_list *list) {
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(char *), compare_items);
}

void text_list_split(struct text_list *list, const char *text, char separator) {
    for (;;) {
        const char *end = strchrnul(text, separator);
        text_list_take(list, text_copy_length(text, (size_t)(end - text)));
        if (!*end)
            return;
        text = end + 1;
    }
}

void text_list_release(struct text_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}
