/* A person of a workforce pool, as gcloud auth application-default login --login-config leaves them. */
#include "gcp/credentials/refresh_token.h"

static void release(void *self) {
    refresh_token_release(self);
    free(self);
}

static void *open_user(const struct json *document, const char *path, struct error *error) {
    const char *token_url;
    if (json_need_text(document, "token_url", path, &token_url, error) < 0)
        return NULL;
    AUTO_FREE char *url = google_url(ENDPOINT_STS, token_url, "token_url", path, error);
    struct refresh_token *self = url ? memory_allocate(1, sizeof(*self)) : NULL;
    if (!self)
        return NULL;
    if (refresh_token_open(self, document, path, error) < 0) {
        free(self);
        return NULL;
    }
    self->url = take_pointer(&url);
    self->basic = true;
    return self;
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    return refresh_token_mint(self, mint, token, error);
}

static const char *principal(const void *self) {
    (void)self;
    return NULL;
}

static char *project(void *self, struct http *http) {
    (void)self;
    (void)http;
    return NULL;
}

const struct credential_type external_account_authorized_user_type = {
    .name = "external_account_authorized_user",
    .open = open_user,
    .mint = mint_token,
    .principal = principal,
    .project = project,
    .release = release,
};
