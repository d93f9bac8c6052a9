/* HMAC-SHA-256 (RFC 2104), for signatures of requests such as AWS's. */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include "common/crypto/digest.h"

struct digest hmac_sha256(const void *key, size_t key_length, const void *data, size_t length);

#endif
