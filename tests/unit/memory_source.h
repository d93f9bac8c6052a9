/* Bytes in memory as what an archive or decompressor reads from, in pieces that fit no block. */
#ifndef TESTS_MEMORY_SOURCE_H
#define TESTS_MEMORY_SOURCE_H

#include "common/base/error.h"

#include <string.h>
#include <sys/types.h>

struct reading {
    const char *data;
    size_t left;
    size_t piece; /* bytes at a time */
};

static inline ssize_t from_memory(void *context, void *data, size_t size, struct error *error) {
    struct reading *reading = context;
    size_t part = reading->left < size ? reading->left : size;
    (void)error;
    if (part > reading->piece)
        part = reading->piece;
    memcpy(data, reading->data, part);
    reading->data += part;
    reading->left -= part;
    return (ssize_t)part;
}

#endif
