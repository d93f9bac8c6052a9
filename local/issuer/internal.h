/* What the files of local/issuer share. */
#ifndef LOCAL_ISSUER_INTERNAL_H
#define LOCAL_ISSUER_INTERNAL_H

#include "common/crypto/jwt.h"
#include "local/issuer/issuer.h"

#define GITHUB_ISSUER "https://token.actions.githubusercontent.com"
#define GITLAB_ISSUER "https://gitlab.com"

/* All claims of a job but the times, "aud" and "jti". `given` is an object of texts (other values are kept, too).
 * The caller releases; ERROR_DATA when the repository has not the form OWNER/NAME. */
struct json *github_claims(const struct json *given, struct error *error) MUST_CHECK;
struct json *gitlab_claims(const struct json *given, struct error *error) MUST_CHECK;

#endif
