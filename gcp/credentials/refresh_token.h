/* A person's long-lived refresh token, exchanged for access tokens (RFC 6749, section 6): what the types
 * authorized_user and external_account_authorized_user have in common. */
#ifndef GCP_CREDENTIALS_REFRESH_TOKEN_H
#define GCP_CREDENTIALS_REFRESH_TOKEN_H

#include "gcp/credentials/type.h"

struct refresh_token {
    char *url;
    char *client_id, *client_secret; /* may be NULL for external_account_authorized_user */
    char *refresh_token;
    bool basic; /* the client authenticates with HTTP Basic instead of members of the form */
};

/* The secret texts are copied. */
int refresh_token_open(struct refresh_token *self, const struct json *document, const char *path, struct error *error);
void refresh_token_release(struct refresh_token *self);
/* A server may answer with another refresh token, which is then the one to use. */
int refresh_token_mint(struct refresh_token *self, const struct mint *mint, struct token *token, struct error *error);

#endif
