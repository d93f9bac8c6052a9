/* The OAuth token endpoint: a service account's signed assertion (RFC 7523, AIP-4112), or a user's refresh token, for
 * an access token. */
#include "common/crypto/base64.h"
#include "local/cloud.h"
#include "local/iam/iam.h"

#include <string.h>
#include <time.h>

enum { CLIENT_LIMIT = 1024 };

/* gcloud names Google's own endpoint whatever endpoint it is sent to. */
static bool is_our_audience(const struct local_cloud *cloud, const char *audience) {
    AUTO_FREE char *own = text_format("%s/token", cloud->origin);
    return text_equal(audience, own) || text_equal(audience, "https://oauth2.googleapis.com/token") ||
           text_equal(audience, "https://accounts.google.com/o/oauth2/token");
}

static int check_assertion(const struct local_cloud *cloud, const char *assertion, struct json **claims,
                           struct error *error) {
    AUTO_JSON struct json *header = NULL, *said = NULL, *checked = NULL;
    if (jwt_read(assertion, &header, &said, error) < 0)
        return -1;
    const char *email = json_get_text(said, "iss", "");
    AUTO_JWT_KEY struct jwt_key *key = iam_account_key(cloud, email, json_get_text(header, "kid", NULL));
    if (!key)
        return error_set(error, ERROR_PERMISSION, "account not found, or it has no key \"%.60s\"",
                         json_get_text(header, "kid", ""));
    if (jwt_verify(key, assertion, &checked, error) < 0 ||
        jwt_check_claims(checked, email, NULL, time(NULL), error) < 0)
        return -1;
    if (!is_our_audience(cloud, json_get_text(checked, "aud", NULL)))
        return error_set(error, ERROR_PERMISSION, "its audience is not %s/token", cloud->origin);
    int64_t issued = json_get_integer(checked, "iat", 0), ends = json_get_integer(checked, "exp", 0);
    if (ends - issued > 3600 + JWT_LEEWAY || issued > time(NULL) + JWT_LEEWAY)
        return error_set(error, ERROR_PERMISSION,
                         "Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your "
                         "iat and exp values in the JWT claim.");
    *claims = take_pointer(&checked);
    return 0;
}

static struct json *bearer(const struct local_cloud *cloud, const char *token) {
    struct json *document = json_new_object();
    json_set_text(document, "access_token", token);
    json_set_integer(document, "expires_in", cloud->token_seconds - 1);
    json_set_text(document, "token_type", "Bearer");
    return document;
}

static void grant(const struct local_cloud *cloud, const struct json *claims, struct reply *reply) {
    const char *target = json_get_text(claims, "target_audience", NULL);
    const char *scope = json_get_text(claims, "scope", NULL);
    struct error error = {0};
    if (!target && text_is_empty(scope)) {
        reply_oauth_error(reply, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
        return;
    }
    struct token_request wanted = {.type = target ? TOKEN_IDENTITY : TOKEN_ACCESS,
                                   .principal = json_get_text(claims, "iss", ""),
                                   .audience = target,
                                   .scope = target ? NULL : scope};
    AUTO_FREE char *token = token_mint(cloud, &wanted, &error);
    if (!token) {
        reply_oauth_error(reply, 500, "server_error", "%s", error.text);
        return;
    }
    struct json *document = target ? json_new_object() : bearer(cloud, token);
    if (target)
        json_set_text(document, "id_token", token);
    reply_json(reply, 200, document);
}

static void by_assertion(const struct local_cloud *cloud, const char *form, struct reply *reply) {
    AUTO_FREE char *assertion = form_value(form, "assertion");
    AUTO_JSON struct json *claims = NULL;
    struct error error = {0};
    if (text_is_empty(assertion) || strlen(assertion) > JWT_LIMIT)
        reply_oauth_error(reply, 400, "invalid_request", "Bad Request: assertion");
    else if (check_assertion(cloud, assertion, &claims, &error) < 0)
        reply_oauth_error(reply, 400, "invalid_grant", "Invalid JWT: %s", error.text);
    else
        grant(cloud, claims, reply);
}

/* ---- refresh tokens: what user.json of the state holds ---- */

char *local_refresh_token(const struct local_cloud *cloud, struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    json_set_text(claims, "use", "user-refresh");
    json_set_text(claims, "sub", cloud->email);
    return jwt_sign(cloud->server_key, "server", claims, error);
}

static bool is_our_refresh_token(const struct local_cloud *cloud, const char *token) {
    AUTO_JSON struct json *claims = NULL;
    return token && strlen(token) <= JWT_LIMIT && jwt_verify(cloud->server_key, token, &claims, NULL) == 0 &&
           text_equal(json_get_text(claims, "use", NULL), "user-refresh");
}

/* In the form, or (external_account_authorized_user, at the STS) as HTTP Basic. */
static bool is_our_client(const struct request *request, const char *form) {
    AUTO_FREE char *client = form_value(form, "client_id");
    AUTO_FREE char *secret = form_value(form, "client_secret");
    const char *basic = request_authorization(request, "Basic");
    AUTO_BUFFER struct buffer pair = BUFFER(CLIENT_LIMIT);
    if (!basic)
        return text_equal(client, LOCAL_CLIENT_ID) && text_equal(secret, LOCAL_CLIENT_SECRET);
    return base64_decode(BASE64_STANDARD, basic, strlen(basic), &pair, NULL) == 0 &&
           text_equal(buffer_text(&pair), LOCAL_CLIENT_ID ":" LOCAL_CLIENT_SECRET);
}

static void by_refresh_token(const struct local_cloud *cloud, const struct request *request, struct reply *reply) {
    const char *form = buffer_text(&request->body);
    AUTO_FREE char *given = form_value(form, "refresh_token");
    struct error error = {0};
    if (!is_our_client(request, form)) {
        reply_oauth_error(reply, 401, "invalid_client", "The OAuth client was not found.");
        return;
    }
    if (!is_our_refresh_token(cloud, given)) {
        reply_oauth_error(reply, 400, "invalid_grant", "Bad Request");
        return;
    }
    struct token_request wanted = {.type = TOKEN_ACCESS, .principal = cloud->email};
    AUTO_FREE char *token = token_mint(cloud, &wanted, &error);
    if (!token) {
        reply_oauth_error(reply, 500, "server_error", "%s", error.text);
        return;
    }
    struct json *document = bearer(cloud, token);
    json_set_text(document, "scope", "https://www.googleapis.com/auth/cloud-platform");
    reply_json(reply, 200, document);
}

static void oauth_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    const char *form = buffer_text(&request->body);
    AUTO_FREE char *type = form_value(form, "grant_type");
    reply_header(reply, "Cache-Control", "no-store");
    if (text_equal(type, "urn:ietf:params:oauth:grant-type:jwt-bearer"))
        by_assertion(cloud, form, reply);
    else if (text_equal(type, "refresh_token"))
        by_refresh_token(cloud, request, reply);
    else
        reply_oauth_error(reply, 400, "unsupported_grant_type", "Invalid grant_type: %.100s", type ? type : "");
}

void oauth_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    request->body.limit = 64 << 10;
    request->handle = oauth_handle;
    if (!request_is(request, "POST"))
        reply_oauth_error(reply, 405, "invalid_request", "use POST");
}
