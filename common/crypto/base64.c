#include "common/crypto/base64.h"

#include <stdint.h>
#include <string.h>

static const char *const alphabets[] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void base64_encode(enum base64_alphabet alphabet, const void *data, size_t length, struct buffer *out) {
    const unsigned char *in = data;
    const char *digits = alphabets[alphabet];
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)in[i + 2] : 0;
        size_t kept = left > 2 ? 4 : left + 1;
        for (size_t k = 0; k < 4; k++)
            if (k < kept)
                buffer_append_byte(out, digits[group >> (18 - 6 * k) & 63]);
            else if (alphabet == BASE64_STANDARD)
                buffer_append_byte(out, '=');
    }
}

int base64_decode(enum base64_alphabet alphabet, const char *text, size_t length, struct buffer *out,
                  struct error *error) {
    for (int padding = 0; padding < 2 && length > 0 && text[length - 1] == '='; padding++)
        length--;
    if (length % 4 == 1)
        return error_set(error, ERROR_DATA, "base64 text is cut off");
    uint32_t group = 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] ? strchr(alphabets[alphabet], text[i]) : NULL;
        if (!digit)
            return error_set(error, ERROR_DATA, "base64 text has a foreign character at offset %zu", i);
        group = group << 6 | (uint32_t)(digit - alphabets[alphabet]);
        if (i % 4 != 0)
            buffer_append_byte(out, (char)(group >> (6 - 2 * (i % 4))));
    }
    return buffer_check(out, "decoded base64", error);
}
