/* A service account's key: a signed assertion for an access token (RFC 7523, AIP-4112). */
#include "gcp/credentials/type.h"

#include "common/crypto/jwt.h"
#include "gcp/endpoints.h"
#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum { ASSERTION_SECONDS = 3600 };

struct service_account {
    struct jwt_key *key;
    char *key_id;
    char *email;
    char *project;
    char *token_uri;
};

static void release(void *self) {
    struct service_account *account = self;
    jwt_key_release(&account->key);
    free(account->key_id);
    free(account->email);
    free(account->project);
    free(account->token_uri);
    free(account);
}

static char *endpoint_token(bool of_google) {
    return text_format("%s/token", of_google ? endpoint_default(ENDPOINT_OAUTH2) : endpoint_url(ENDPOINT_OAUTH2));
}

/* An assertion must not go to whatever URL a file names: only to Google or to the configured endpoint. */
static int check_token_uri(const char *uri, const char *path, struct error *error) {
    AUTO_FREE char *google = endpoint_token(true);
    AUTO_FREE char *configured = endpoint_token(false);
    if (text_equal(uri, google) || text_equal(uri, configured) ||
        text_equal(uri, "https://accounts.google.com/o/oauth2/token") ||
        text_equal(uri, "https://www.googleapis.com/oauth2/v4/token"))
        return 0;
    error_set(error, ERROR_CONFIGURATION, "%s: its token_uri is %.200s, which is not Google's (%s)%s", path, uri,
              google, endpoints_are_local() ? " nor the local cloud's" : "");
    if (url_is_loopback(uri))
        return error_next(error, "it is a local cloud's key: eval \"$(pl-local start)\"");
    return error_next(error, "set GOOGLE_APPLICATION_CREDENTIALS to a key file of Google's");
}

static void *open_account(const struct json *document, const char *path, struct error *error) {
    const char *pem, *email, *token_uri;
    if (json_need_text(document, "private_key", path, &pem, error) < 0 ||
        json_need_text(document, "client_email", path, &email, error) < 0 ||
        json_need_text(document, "token_uri", path, &token_uri, error) < 0 ||
        check_token_uri(token_uri, path, error) < 0)
        return NULL;
    struct jwt_key *key = jwt_key_private(pem, strlen(pem), error);
    if (!key) {
        error_wrap(error, "%s: private_key", path);
        return NULL;
    }
    struct service_account *account = memory_allocate(1, sizeof(*account));
    account->key = key;
    account->key_id = text_copy(json_get_text(document, "private_key_id", NULL));
    account->email = text_copy(email);
    account->project = text_copy(json_get_text(document, "project_id", NULL));
    account->token_uri = text_copy(token_uri);
    return account;
}

static char *assertion(const struct service_account *account, struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    int64_t now = time(NULL);
    json_set_text(claims, "iss", account->email);
    json_set_text(claims, "scope", SCOPE_CLOUD_PLATFORM);
    json_set_text(claims, "aud", account->token_uri);
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "exp", now + ASSERTION_SECONDS);
    return jwt_sign(account->key, account->key_id, claims, error);
}

static int mint(void *self, struct http *http, struct buffer *token, int64_t *seconds, struct error *error) {
    struct service_account *account = self;
    char *signed_token = assertion(account, error);
    if (!signed_token)
        return -1;
    char *form =
        text_format("grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%s", signed_token);
    AUTO_FREE char *url = endpoint_token(false);
    AUTO_FREE char *what = text_format("cannot get a token for %s", account->email);
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.method = "POST",
                                   .url = url,
                                   .content_type = "application/x-www-form-urlencoded",
                                   .body = form,
                                   .body_length = strlen(form),
                                   .idempotent = true};
    int result = http_perform(http, &request, &response, error);
    memory_wipe(signed_token, strlen(signed_token));
    memory_wipe(form, strlen(form));
    free(signed_token);
    free(form);
    if (result < 0)
        return error_wrap(error, "%s", what);
    if (response.status != 200)
        return google_error_set(error, what, &response, NULL);
    result = token_read(&response, what, token, seconds, error);
    memory_wipe(response.body.data, response.body.length);
    return result;
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
    .mint = mint,
    .principal = principal,
    .project = project,
    .release = release,
};
