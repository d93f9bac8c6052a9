/* Base64 of RFC 4648, both alphabets. */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include "common/base/buffer.h"

enum base64_alphabet { BASE64_STANDARD /* padded */, BASE64_URL /* no padding, as in a JWT */ };

void base64_encode(enum base64_alphabet alphabet, const void *data, size_t length, struct buffer *out);
/* Padding is optional; any other foreign character, also white space, is ERROR_DATA. */
int base64_decode(enum base64_alphabet alphabet, const char *text, size_t length, struct buffer *out,
                  struct error *error) MUST_CHECK;

#endif
