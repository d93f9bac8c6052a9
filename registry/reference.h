/* Image references, as Docker and the OCI distribution specification write them:
 *
 *   [HOST[:PORT]/]REPOSITORY[:TAG][@sha256:HEX]
 *
 * The first part is a host when it contains '.' or ':' or is "localhost"; without one the host is docker.io, and a
 * repository of one part is below library/. Nothing is added for a missing tag. */
#ifndef REGISTRY_REFERENCE_H
#define REGISTRY_REFERENCE_H

#include "common/base/error.h"
#include "common/crypto/digest.h"

#include <stdbool.h>

struct reference {
    char *host;       /* "docker.io", "127.0.0.1:5000", "[::1]:5000"; lower case */
    char *repository; /* "library/python" */
    char *tag;        /* or NULL */
    bool has_digest;
    struct digest digest;
};

/* ERROR_DATA with the part that is wrong. */
int reference_parse(const char *text, struct reference *reference, struct error *error) MUST_CHECK;
/* "HOST/REPOSITORY[:TAG][@DIGEST]"; the caller frees. */
char *reference_format(const struct reference *reference);
void reference_release(struct reference *reference);
#define AUTO_REFERENCE AUTO(reference_release)

/* [A-Za-z0-9_][A-Za-z0-9._-]{0,127} */
bool reference_tag_is_valid(const char *tag);
/* Lower-case letters and digits joined by ".", "_", "__" or dashes; parts joined by '/'; at most 255 bytes. */
bool reference_repository_is_valid(const char *repository);

/* Where the registry of a host is spoken to: "https://HOST" ("https://registry-1.docker.io" for docker.io), or
 * "http://HOST" for a loopback host. The caller frees. */
char *reference_registry_url(const char *host);

#endif
