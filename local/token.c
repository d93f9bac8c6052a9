/* The tokens of this cloud: signed, so that they stay good when it is started again. */
#include "local/cloud.h"

#include <string.h>
#include <time.h>

static const char *type_name(enum token_type type) {
    return type == TOKEN_ACCESS ? "access" : type == TOKEN_REGISTRY ? "registry" : "identity";
}

char *token_mint(const struct local_cloud *cloud, enum token_type type, const char *email, const char *audience,
                 const struct json *access, struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    int64_t now = time(NULL);
    json_set_text(claims, "iss", cloud->origin);
    json_set_text(claims, "sub", email);
    json_set_text(claims, "email", email);
    json_set_text(claims, "aud", audience ? audience : cloud->origin);
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "exp", now + TOKEN_SECONDS);
    json_set_text(claims, "use", type_name(type));
    if (access)
        json_set(claims, "access", json_copy_deep(access));
    return jwt_sign(cloud->server_key, "server", claims, error);
}

/* The issuer may have had another port before: the key is what counts. */
int token_check(const struct local_cloud *cloud, const char *token, unsigned types, struct json **claims,
                struct error *error) {
    AUTO_JSON struct json *checked = NULL;
    if (strlen(token) > JWT_LIMIT)
        return error_set(error, ERROR_PERMISSION, "the token is too long");
    if (jwt_verify(cloud->server_key, token, &checked, error) < 0 ||
        jwt_check_claims(checked, NULL, NULL, time(NULL), error) < 0)
        return -1;
    const char *use = json_get_text(checked, "use", "");
    bool right = false;
    for (unsigned type = TOKEN_ACCESS; type <= TOKEN_IDENTITY; type <<= 1)
        right = right || ((types & type) && text_equal(use, type_name(type)));
    if (!right || !json_get_text(checked, "email", NULL))
        return error_set(error, ERROR_PERMISSION, "the token is for something else");
    if (claims)
        *claims = take_pointer(&checked);
    return 0;
}

/* AIP-4111: a token that the account signed itself instead of asking for one. Its audience is an API, or it has a
 * scope. */
static bool is_self_signed(const struct local_cloud *cloud, const char *token) {
    AUTO_JSON struct json *claims = NULL;
    if (strlen(token) > JWT_LIMIT || jwt_verify(cloud->account_key, token, &claims, NULL) < 0 ||
        jwt_check_claims(claims, cloud->email, NULL, time(NULL), NULL) < 0)
        return false;
    const char *audience = json_get_text(claims, "aud", "");
    bool for_api = text_starts_with(audience, "https://") && strstr(audience, ".googleapis.com");
    int64_t life = json_get_integer(claims, "exp", INT64_MAX) - json_get_integer(claims, "iat", 0);
    return text_equal(json_get_text(claims, "sub", NULL), cloud->email) && life <= TOKEN_SECONDS &&
           (for_api || *json_get_text(claims, "scope", ""));
}

static struct json *error_info(const char *reason) {
    struct json *details = json_new_array(), *info = json_new_object();
    json_set_text(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
    json_set_text(info, "reason", reason);
    json_set_text(info, "domain", "googleapis.com");
    json_append(details, info);
    return details;
}

/* Firebase's tools send the word "owner" in place of a token to whatever they reach without TLS. It counts like the
 * metadata server counts: for programs of the user whose cloud this is, and for nobody else. A page in a browser cannot
 * send it, because no answer here allows another origin that header. */
static bool is_owner(const struct local_cloud *cloud, const struct request *request, const char *token) {
    return text_equal(token, "owner") && !cloud->strict && request_peer_user(request) == (int64_t)geteuid();
}

bool require_access(const struct local_cloud *cloud, struct request *request, struct reply *reply) {
    const char *token = request_authorization(request, "Bearer");
    AUTO_JSON struct json *claims = NULL;
    if (token && is_owner(cloud, request, token)) {
        request->principal = text_copy(cloud->email);
        return true;
    }
    if (token && token_check(cloud, token, TOKEN_ACCESS, &claims, NULL) == 0) {
        request->principal = text_copy(json_get_text(claims, "email", NULL));
        return true;
    }
    if (token && is_self_signed(cloud, token)) {
        request->principal = text_copy(cloud->email);
        return true;
    }
    reply_header(reply, "WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"%s",
                 token ? ", error=\"invalid_token\"" : "");
    reply_google_status(
        reply, 401, "UNAUTHENTICATED", error_info(token ? "ACCESS_TOKEN_TYPE_UNSUPPORTED" : "CREDENTIALS_MISSING"),
        token ? "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-"
                "project."
              : "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or "
                "other valid authentication credential. See https://developers.google.com/identity/sign-in/web/"
                "devconsole-project.");
    return false;
}
