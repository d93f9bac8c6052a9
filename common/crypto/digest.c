/* Libcrypto's own functions for SHA-256, not those of EVP: the first use of EVP reads openssl.cnf and sets up
 * providers, 0.7 ms, a third of what a stage of a chain takes. They are deprecated for what EVP can choose, of which
 * there is nothing here, and use the same instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/digest.h"

#include "common/base/text.h"

#include <openssl/sha.h>
#include <string.h>

struct hasher {
    SHA256_CTX context;
};

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse_hex(const char *hex, struct digest *digest, struct error *error) {
    for (size_t i = 0; i < sizeof(digest->bytes); i++) {
        int high = hex_value(hex[2 * i]);
        int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
        if (low < 0)
            return error_set(error, ERROR_DATA, "not a sha256 digest: \"%.80s\"", hex);
        digest->bytes[i] = (unsigned char)(high << 4 | low);
    }
    if (hex[DIGEST_HEX - 1] != '\0')
        return error_set(error, ERROR_DATA, "not a sha256 digest: \"%.80s\"", hex);
    return 0;
}

int digest_parse(const char *text, struct digest *digest, struct error *error) {
    if (!text || !text_starts_with(text, "sha256:"))
        return error_set(error, ERROR_DATA, "not a sha256 digest: \"%.80s\"", text ? text : "");
    return digest_parse_hex(text + 7, digest, error);
}

struct digest_hex digest_format_hex(const struct digest *digest) {
    static const char digits[] = "0123456789abcdef";
    struct digest_hex hex;
    for (size_t i = 0; i < sizeof(digest->bytes); i++) {
        hex.text[2 * i] = digits[digest->bytes[i] >> 4];
        hex.text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    hex.text[DIGEST_HEX - 1] = '\0';
    return hex;
}

struct digest_text digest_format(const struct digest *digest) {
    struct digest_text text;
    snprintf(text.text, sizeof(text.text), "sha256:%s", digest_format_hex(digest).text);
    return text;
}

bool digest_equal(const struct digest *left, const struct digest *right) {
    return memcmp(left->bytes, right->bytes, sizeof(left->bytes)) == 0;
}

struct hasher *hasher_new(void) {
    struct hasher *hasher = memory_allocate(1, sizeof(*hasher));
    if (SHA256_Init(&hasher->context) != 1)
        abort();
    return hasher;
}

void hasher_add(struct hasher *hasher, const void *data, size_t length) {
    if (SHA256_Update(&hasher->context, data, length) != 1)
        abort();
}

struct digest hasher_finish(struct hasher *hasher) {
    struct digest digest;
    if (SHA256_Final(digest.bytes, &hasher->context) != 1 || SHA256_Init(&hasher->context) != 1)
        abort();
    return digest;
}

void hasher_release(struct hasher **hasher) {
    if (!*hasher)
        return;
    free(*hasher);
    *hasher = NULL;
}

struct digest digest_of(const void *data, size_t length) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    hasher_add(hasher, data, length);
    return hasher_finish(hasher);
}

int digest_of_fd(int fd, struct digest *digest, unsigned long long *size, struct error *error) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    enum { BLOCK = 128 * 1024 };
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    unsigned long long total = 0;
    for (;;) {
        ssize_t got = read(fd, block, BLOCK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read");
        if (got == 0)
            break;
        hasher_add(hasher, block, (size_t)got);
        total += (unsigned long long)got;
    }
    *digest = hasher_finish(hasher);
    if (size)
        *size = total;
    return 0;
}
