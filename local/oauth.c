/* The OAuth token endpoint: a service account's signed assertion for a token (RFC 7523, AIP-4112). */
#include "local/cloud.h"

#include <string.h>
#include <time.h>

/* gcloud names Google's own endpoint whatever endpoint it is sent to. */
static bool is_our_audience(const struct local_cloud *cloud, const char *audience) {
    AUTO_FREE char *own = text_format("%s/token", cloud->origin);
    return text_equal(audience, own) || text_equal(audience, "https://oauth2.googleapis.com/token") ||
           text_equal(audience, "https://accounts.google.com/o/oauth2/token");
}

static int check_assertion(const struct local_cloud *cloud, const char *assertion, struct json **claims,
                           struct error *error) {
    AUTO_JSON struct json *checked = NULL;
    if (jwt_verify(cloud->account_key, assertion, &checked, error) < 0 ||
        jwt_check_claims(checked, cloud->email, NULL, time(NULL), error) < 0)
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

static void grant(const struct local_cloud *cloud, const struct json *claims, struct reply *reply) {
    const char *target = json_get_text(claims, "target_audience", NULL);
    struct error error = {0};
    if (!target && text_is_empty(json_get_text(claims, "scope", NULL))) {
        reply_oauth_error(reply, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
        return;
    }
    AUTO_FREE char *token =
        token_mint(cloud, target ? TOKEN_IDENTITY : TOKEN_ACCESS, cloud->email, target, NULL, &error);
    if (!token) {
        reply_oauth_error(reply, 500, "server_error", "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, target ? "id_token" : "access_token", token);
    if (!target) {
        json_set_integer(document, "expires_in", TOKEN_SECONDS - 1);
        json_set_text(document, "token_type", "Bearer");
    }
    reply_json(reply, 200, document);
}

static void oauth_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    const char *form = buffer_text(&request->body);
    AUTO_FREE char *type = form_value(form, "grant_type");
    AUTO_FREE char *assertion = form_value(form, "assertion");
    AUTO_JSON struct json *claims = NULL;
    struct error error = {0};
    reply_header(reply, "Cache-Control", "no-store");
    if (!text_equal(type, "urn:ietf:params:oauth:grant-type:jwt-bearer"))
        reply_oauth_error(reply, 400, "unsupported_grant_type", "Invalid grant_type: %.100s", type ? type : "");
    else if (text_is_empty(assertion) || strlen(assertion) > JWT_LIMIT)
        reply_oauth_error(reply, 400, "invalid_request", "Bad Request: assertion");
    else if (check_assertion(cloud, assertion, &claims, &error) < 0)
        reply_oauth_error(reply, 400, "invalid_grant", "Invalid JWT: %s", error.text);
    else
        grant(cloud, claims, reply);
}

void oauth_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    request->body.limit = 64 << 10;
    request->handle = oauth_handle;
    if (!request_is(request, "POST"))
        reply_oauth_error(reply, 405, "invalid_request", "use POST");
}
