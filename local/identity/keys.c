/* The key that signs the ID tokens, and how it is published. */
#include "local/identity/internal.h"

#include "common/crypto/certificate.h"
#include "common/crypto/digest.h"
#include "common/file/file.h"

#include <string.h>
#include <time.h>

enum { KEY_ID = 40 };
/* The certificate's bytes follow from the key alone: it is good from 2020 until 2120. */
static const int64_t good_from = 1577836800, good_until = 4733510400;

int keys_open(struct identity *identity, struct error *error) {
    AUTO_FREE char *path = path_join(identity->root, "key.pem");
    identity->key = local_key_open(path, error);
    char *pem = identity->key ? jwt_key_private_pem(identity->key, error) : NULL;
    if (!pem)
        return -1;
    identity->certificate = certificate_self_signed(pem, strlen(pem), "securetoken.system.gserviceaccount.com",
                                                    good_from, good_until, error);
    memory_wipe(pem, strlen(pem));
    free(pem);
    if (!identity->certificate)
        return -1;
    struct digest digest = digest_of(identity->certificate, strlen(identity->certificate));
    identity->key_id = text_copy_length(digest_format_hex(&digest).text, KEY_ID);
    return 0;
}

static char *issuer_of(const struct identity *identity) {
    return text_format("https://securetoken.google.com/%s", identity->cloud->project);
}

char *id_token_mint(const struct identity *identity, const char *user_id, const struct json *user, int64_t signed_in,
                    struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    struct json *firebase = json_new_object();
    AUTO_FREE char *issuer = issuer_of(identity);
    int64_t now = time(NULL);
    json_set_text(claims, "name", json_get_text(user, "displayName", NULL));
    json_set_text(claims, "picture", json_get_text(user, "photoUrl", NULL));
    json_set_text(claims, "provider_id", "anonymous");
    json_set_text(claims, "iss", issuer);
    json_set_text(claims, "aud", identity->cloud->project);
    json_set_integer(claims, "auth_time", signed_in);
    json_set_text(claims, "user_id", user_id);
    json_set_text(claims, "sub", user_id);
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "exp", now + TOKEN_SECONDS);
    json_set(firebase, "identities", json_new_object());
    json_set_text(firebase, "sign_in_provider", "anonymous");
    json_set(claims, "firebase", firebase);
    return jwt_sign(identity->key, identity->key_id, claims, error);
}

char *id_token_check(const struct identity *identity, const char *token) {
    AUTO_JSON struct json *claims = NULL;
    AUTO_FREE char *issuer = issuer_of(identity);
    if (text_is_empty(token) || strlen(token) > JWT_LIMIT || jwt_verify(identity->key, token, &claims, NULL) < 0 ||
        jwt_check_claims(claims, issuer, identity->cloud->project, time(NULL), NULL) < 0)
        return NULL;
    const char *user = json_get_text(claims, "sub", "");
    return user_id_is_valid(user) ? text_copy(user) : NULL;
}

/* Signed with the cloud's own key, which is not published: nothing else takes it for a token. */
char *user_refresh_token_mint(const struct identity *identity, const char *user_id, struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    json_set_text(claims, "use", "refresh");
    json_set_text(claims, "sub", user_id);
    return jwt_sign(identity->cloud->server_key, "server", claims, error);
}

char *user_refresh_token_check(const struct identity *identity, const char *token) {
    AUTO_JSON struct json *claims = NULL;
    if (strlen(token) > JWT_LIMIT || jwt_verify(identity->cloud->server_key, token, &claims, NULL) < 0 ||
        !text_equal(json_get_text(claims, "use", NULL), "refresh"))
        return NULL;
    const char *user = json_get_text(claims, "sub", "");
    return user_id_is_valid(user) ? text_copy(user) : NULL;
}
