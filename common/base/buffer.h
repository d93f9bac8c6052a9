/* A growing byte buffer with a stated maximum.
 *
 * Appending never overruns: past the limit (or when memory is short) the buffer becomes failed, keeps nothing more, and
 * buffer_check() says so once at the end. `data` is always followed by a NUL byte and may be read as text when the
 * content has none. Zero-initialise with BUFFER(limit). */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* NULL until the first append; use buffer_text() for a string that is never NULL */
    size_t length;
    size_t capacity;
    size_t limit;
    bool failed;
    bool secret;
};

#define BUFFER(maximum) ((struct buffer){.limit = (maximum)})
/* One whose bytes are wiped wherever they were, also when it grows or is released. */
#define BUFFER_SECRET(maximum) ((struct buffer){.limit = (maximum), .secret = true})

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, char byte);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Returns -1 with ERROR_DATA "WHAT is larger than LIMIT bytes" when an append did not fit. */
int buffer_check(const struct buffer *buffer, const char *what, struct error *error) MUST_CHECK;

const char *buffer_text(const struct buffer *buffer);
/* Gives the bytes away (the caller frees) and leaves an empty buffer; never NULL. */
char *buffer_take(struct buffer *buffer);
/* Empties without freeing; clears `failed`. */
void buffer_clear(struct buffer *buffer);
void buffer_release(struct buffer *buffer);
#define AUTO_BUFFER AUTO(buffer_release)

#endif
