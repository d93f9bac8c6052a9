/* Subresource integrity as npm's registry and lock files write it: "sha512-" and the digest in base64. */
#ifndef CRYPTO_INTEGRITY_H
#define CRYPTO_INTEGRITY_H

#include "common/base/cleanup.h"
#include "common/base/error.h"

#include <stddef.h>

struct integrity;

/* Begins a check against `text`, of which the first sha512 counts ("sha1-… sha512-…" is a list). NULL and ERROR_DATA
 * when it has none: weaker ones are not accepted. */
struct integrity *integrity_new(const char *text, struct error *error) MUST_CHECK;
void integrity_add(struct integrity *integrity, const void *data, size_t length);
/* Forgets what was added: the same bytes come once more. */
void integrity_restart(struct integrity *integrity);
/* ERROR_PROTOCOL when what was added is something else. */
int integrity_finish(struct integrity *integrity, struct error *error) MUST_CHECK;
void integrity_release(struct integrity **integrity);
#define AUTO_INTEGRITY AUTO(integrity_release)

#endif
