/* A person's credentials, as gcloud auth application-default login leaves them. */
#include "gcp/credentials/refresh_token.h"

struct user {
    struct refresh_token token;
    char *account; /* the e-mail, when the file has it */
};

static void release(void *self) {
    struct user *user = self;
    refresh_token_release(&user->token);
    free(user->account);
    free(user);
}

static void *open_user(const struct json *document, const char *path, struct error *error) {
    struct user *user = memory_allocate(1, sizeof(*user));
    if (refresh_token_open(&user->token, document, path, error) < 0) {
        release(user);
        return NULL;
    }
    /* The file's token_uri is nobody's business: Google's libraries know where to ask, too. */
    user->token.url = text_format("%s/token", endpoint_url(ENDPOINT_OAUTH2));
    const char *account = json_get_text(document, "account", NULL);
    user->account = text_is_empty(account) ? NULL : text_copy(account);
    return user;
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    return refresh_token_mint(&((struct user *)self)->token, mint, token, error);
}

static const char *principal(const void *self) {
    return ((const struct user *)self)->account;
}

static char *project(void *self, struct http *http) {
    (void)self;
    (void)http;
    return NULL;
}

const struct credential_type authorized_user_type = {
    .name = "authorized_user",
    .open = open_user,
    .mint = mint_token,
    .principal = principal,
    .project = project,
    .release = release,
};
