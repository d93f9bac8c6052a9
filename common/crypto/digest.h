/* SHA-256 digests: the only place where digest text is parsed, so that no other text ever becomes a store path. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Lower-case hex with its NUL: what objects are named by. */
#define DIGEST_HEX 65
/* "sha256:" + hex with its NUL. */
#define DIGEST_TEXT 72

struct digest {
    unsigned char bytes[32];
};

/* Accepts exactly "sha256:" and 64 lower-case hex digits. ERROR_DATA else. */
int digest_parse(const char *text, struct digest *digest, struct error *error) MUST_CHECK;
/* Exactly 64 lower-case hex digits. */
int digest_parse_hex(const char *hex, struct digest *digest, struct error *error) MUST_CHECK;

struct digest_text {
    char text[DIGEST_TEXT];
};
struct digest_hex {
    char text[DIGEST_HEX];
};
/* By value, for use in one expression: digest_format(&d).text */
struct digest_text digest_format(const struct digest *digest);
struct digest_hex digest_format_hex(const struct digest *digest);

bool digest_equal(const struct digest *left, const struct digest *right);
struct digest digest_of(const void *data, size_t length);
/* Reads from the descriptor's current offset to its end; *size may be NULL. */
int digest_of_fd(int fd, struct digest *digest, unsigned long long *size, struct error *error) MUST_CHECK;

/* Incremental. hasher_new never returns NULL. */
struct hasher;
struct hasher *hasher_new(void);
void hasher_add(struct hasher *hasher, const void *data, size_t length);
/* The digest of everything added so far; the hasher starts again from nothing. */
struct digest hasher_finish(struct hasher *hasher);
void hasher_release(struct hasher **hasher);
#define AUTO_HASHER AUTO(hasher_release)

#endif
