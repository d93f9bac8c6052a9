/* A service account's key: a signed assertion for a token (RFC 7523, AIP-4112). The exchange proves the key before any
 * work is done, and registries take its token as a password; neither is so with a token that is signed here. In another
 * universe than Google's own there is nothing to exchange: there the assertion itself, for a scope, is the access token
 * (AIP-4111). */
#include "gcp/credentials/type.h"

#include "common/crypto/jwt.h"

#include <string.h>
#include <time.h>

struct service_account {
    struct jwt_key *key;
    char *key_id;
    char *email;
    char *project;
    char *audience; /* the file's token_uri */
    char *url;      /* where it is asked */
};

static void release(void *self) {
    struct service_account *account = self;
    jwt_key_release(&account->key);
    free(account->key_id);
    free(account->email);
    free(account->project);
    free(account->audience);
    free(account->url);
    free(account);
}

static void *open_account(const struct json *document, const char *path, struct error *error) {
    const char *pem, *email, *token_uri;
    if (json_need_text(document, "private_key", path, &pem, error) < 0 ||
        json_need_text(document, "client_email", path, &email, error) < 0 ||
        json_need_text(document, "token_uri", path, &token_uri, error) < 0 ||
        member_check(email, "client_email", path, error) < 0)
        return NULL;
    AUTO_FREE char *url = google_url(ENDPOINT_OAUTH2, token_uri, "token_uri", path, error);
    struct jwt_key *key = url ? jwt_key_private(pem, strlen(pem), error) : NULL;
    if (url && !key)
        error_wrap(error, "%s: private_key", path);
    if (!key)
        return NULL;
    struct service_account *account = memory_allocate(1, sizeof(*account));
    account->key = key;
    account->key_id = text_copy(json_get_text(document, "private_key_id", NULL));
    account->email = text_copy(email);
    account->project = text_copy(json_get_text(document, "project_id", NULL));
    account->audience = text_copy(token_uri);
    account->url = take_pointer(&url);
    return account;
}

static struct json *claims_new(const struct service_account *account) {
    struct json *claims = json_new_object();
    int64_t now = time(NULL);
    json_set_text(claims, "iss", account->email);
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "exp", now + TOKEN_SECONDS);
    return claims;
}

static int sign(const struct service_account *account, const struct json *claims, struct buffer *out,
                struct error *error) {
    char *text = jwt_sign(account->key, account->key_id, claims, error);
    if (!text)
        return -1;
    buffer_append_text(out, text);
    memory_wipe(text, strlen(text));
    free(text);
    return buffer_check(out, "the signed token", error);
}

static int sign_itself(const struct service_account *account, const struct mint *mint, struct token *token,
                       struct error *error) {
    AUTO_JSON struct json *claims = claims_new(account);
    json_set_text(claims, "sub", account->email);
    json_set_text(claims, "scope", mint->scope);
    token->seconds = TOKEN_SECONDS;
    return sign(account, claims, &token->text, error);
}

static int exchange(const struct service_account *account, const struct mint *mint, struct token *token,
                    struct error *error) {
    AUTO_JSON struct json *claims = claims_new(account), *reply = NULL;
    json_set_text(claims, "aud", account->audience);
    json_set_text(claims, mint->audience ? "target_audience" : "scope", mint->audience ? mint->audience : mint->scope);
    AUTO_BUFFER struct buffer assertion = BUFFER_SECRET(JWT_LIMIT), form = BUFFER_SECRET(FORM_LIMIT);
    if (sign(account, claims, &assertion, error) < 0)
        return -1;
    form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    form_add(&form, "assertion", buffer_text(&assertion));
    AUTO_FREE char *what = text_format("cannot get a token for %s with its key", account->email);
    const char *const secrets[] = {buffer_text(&assertion), NULL};
    struct token_request request = {.what = what, .url = account->url, .form = &form, .secrets = secrets};
    if (token_post(mint->http, &request, &reply, error) < 0)
        return -1;
    return mint->audience ? token_take_id(reply, "id_token", what, token, error)
                          : token_take_access(reply, what, token, error);
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    struct service_account *account = self;
    bool itself = !mint->audience && !text_equal(endpoint_universe(), UNIVERSE_DEFAULT);
    hop_begin(mint->hops, HOP_TOKEN, "the key %s of %s%s", account->key_id ? account->key_id : "", account->email,
              itself ? " (signed here)" : "");
    if ((itself ? sign_itself : exchange)(account, mint, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_TOKEN));
    hop_end(mint->hops);
    return 0;
}

static const char *principal(const void *self) {
    return ((const struct service_account *)self)->email;
}

static char *project(void *self, struct http *http) {
    (void)http;
    return text_copy(((struct service_account *)self)->project);
}

const struct credential_type service_account_type = {
    .name = "service_account",
    .open = open_account,
    .mint = mint_token,
    .principal = principal,
    .project = project,
    .release = release,
};
