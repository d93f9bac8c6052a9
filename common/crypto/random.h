/* Random names: sets of records, temporary files, operation ids. From the kernel, never from a seed. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

void random_bytes(void *out, size_t length);
/* Fills out with length-1 lower-case hex digits and a NUL. */
void random_hex(char *out, size_t length);

#endif
