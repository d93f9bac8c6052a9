/* X.509 certificates (RFC 5280), as far as pl makes some: Google publishes the keys that sign Firebase's tokens so. */
#ifndef CRYPTO_CERTIFICATE_H
#define CRYPTO_CERTIFICATE_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A certificate for signatures of the key in `private_pem`, signed by itself, with the common name `name`, good from
 * and until (Unix seconds). PEM; the caller frees. The bytes depend on the arguments alone. */
char *certificate_self_signed(const char *private_pem, size_t length, const char *name, int64_t from, int64_t until,
                              struct error *error) MUST_CHECK;

#endif
