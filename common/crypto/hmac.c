#include "common/crypto/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

struct digest hmac_sha256(const void *key, size_t key_length, const void *data, size_t length) {
    struct digest digest;
    unsigned size = sizeof(digest.bytes);
    /* It fails only when memory is short. */
    if (!HMAC(EVP_sha256(), key, (int)key_length, data, length, digest.bytes, &size))
        abort();
    return digest;
}
