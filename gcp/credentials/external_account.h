/* Inside gcp/credentials: federation through Google's Security Token Service, from a file (AIP-4117) or from options.
 */
#ifndef GCP_CREDENTIALS_EXTERNAL_ACCOUNT_H
#define GCP_CREDENTIALS_EXTERNAL_ACCOUNT_H

#include "gcp/credentials/provider.h"
#include "gcp/credentials/subject.h"

struct external_account {
    const struct subject_source *source;
    void *subject;
    struct provider provider;
    char *audience; /* of the exchange: //iam.googleapis.com/… */
    char *token_type;
    char *url;
    char *client_id, *client_secret; /* both or none */
    char *user_project;              /* of a workforce pool */
    char *account;                   /* that is impersonated with the token, for an executable source; or NULL */
    char *principal;                 /* once it is known */
    struct json *claims;             /* of the identity token that was sent last, or NULL */
};

/* What an identity token says, checked before it is sent: three parts, of a time that is now, for the audience (a text,
 * or NULL for any). *claims is set (and owned) also when one of them is wrong. */
int identity_check(const char *token, const char *audience, struct json **claims, struct error *error) MUST_CHECK;
/* "iss=… sub=… aud=… repository=…", the ones that matter; the caller frees. */
char *identity_claims(const struct json *claims);

/* Adds to a refusal by the Security Token Service which command mends it. Always -1. */
int pool_refusal(const struct external_account *account, const struct json *reply, struct error *error);

#endif
