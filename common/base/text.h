/* Strings: allocation, comparison, strict numbers, scrubbing.
 *
 * Small allocations do not fail in pl: what is asked for has been bounded before, so running out of memory there ends
 * the process with one line (abort). Large or foreign-sized data goes into a struct buffer, which has a limit. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "common/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Never return NULL. memory_allocate zeroes; count * size is checked for overflow. The caller frees. */
void *memory_allocate(size_t count, size_t size);
void *memory_resize(void *pointer, size_t count, size_t size);

/* The caller frees. text_copy(NULL) is NULL. */
char *text_copy(const char *text);
char *text_copy_length(const char *text, size_t length);
char *text_format(const char *format, ...) PRINTF_LIKE(1, 2);

bool text_equal(const char *left, const char *right); /* two NULLs are equal */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
/* NULL counts as empty. */
bool text_is_empty(const char *text);

/* Strict decimal: the whole text, no sign, no space, at most `maximum`. Return false and leave *value alone else. */
bool text_to_u64(const char *text, uint64_t maximum, uint64_t *value);

/* The candidate (a list that ends with NULL) that `name` was most likely meant to be: it begins like it, or is at most
 * three letters apart, fewer for a short name. NULL when none is near. Borrowed. */
const char *text_nearest(const char *name, const char *const *candidates);

/* Whether a name from outside may stand in a line that the user is told to type: letters, digits and . _ : / @ * + -
 * alone, at most 400 of them, the first one no dash. NULL and "" are not. */
bool text_is_plain_word(const char *text);

/* Copies `text` for a terminal or a log: control characters (C0 but tab, DEL, C1), bytes that are not UTF-8 and
 * bidirectional overrides become '?'. A newline becomes a space unless keep_newlines. The caller frees. */
char *text_scrub(const char *text, size_t length, bool keep_newlines);

/* Wipes memory that held a secret; the compiler cannot drop it. */
void memory_wipe(void *pointer, size_t length);

/* A growing list of strings that it owns; `items` ends with NULL once it is not empty, so it serves as argv. */
struct text_list {
    char **items;
    size_t count;
};

void text_list_add(struct text_list *list, const char *text);
void text_list_add_format(struct text_list *list, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes ownership of `text`. */
void text_list_take(struct text_list *list, char *text);
void text_list_add_all(struct text_list *list, const struct text_list *other);
bool text_list_contains(const struct text_list *list, const char *text);
/* By bytes, independent of the locale. */
void text_list_sort(struct text_list *list);
/* Splits at each `separator`; empty parts are kept. */
void text_list_split(struct text_list *list, const char *text, char separator);
void text_list_release(struct text_list *list);
#define AUTO_LIST AUTO(text_list_release)

#endif
