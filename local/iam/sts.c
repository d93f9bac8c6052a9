/* The Security Token Service: an OIDC token of an issuer that a provider names, for an access token (RFC 8693). Both
 * encodings that clients use: a form with snake_case names, and JSON with camelCase ones. */
#include "local/iam/internal.h"

#include "local/issuer/issuer.h"

#include <string.h>
#include <time.h>

enum { LIFE_LIMIT = 24 * 3600, EXCHANGE_LIMIT = 64 << 10 };

#define AUDIENCE_PAGE "https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token"
#define GRANT "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE "urn:ietf:params:oauth:token-type:"

struct exchange {
    char *grant_type, *audience, *scope, *requested_token_type, *subject_token, *subject_token_type;
};

static const struct field {
    const char *form, *json;
    size_t offset;
} fields[] = {
    {"grant_type", "grantType", offsetof(struct exchange, grant_type)},
    {"audience", "audience", offsetof(struct exchange, audience)},
    {"scope", "scope", offsetof(struct exchange, scope)},
    {"requested_token_type", "requestedTokenType", offsetof(struct exchange, requested_token_type)},
    {"subject_token", "subjectToken", offsetof(struct exchange, subject_token)},
    {"subject_token_type", "subjectTokenType", offsetof(struct exchange, subject_token_type)},
};

static char **member(struct exchange *exchange, const struct field *field) {
    return (char **)((char *)exchange + field->offset);
}

static void exchange_release(struct exchange *exchange) {
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        char *value = *member(exchange, &fields[i]);
        if (value)
            memory_wipe(value, strlen(value));
        free(value);
    }
}

static bool read_exchange(const struct request *request, struct exchange *exchange) {
    const char *type = request_header(request, "Content-Type");
    bool is_json = type && text_starts_with(type, "application/json");
    AUTO_JSON struct json *body =
        is_json ? json_parse_secret(buffer_text(&request->body), request->body.length, "the request", NULL) : NULL;
    if (is_json && !json_is_object(body))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        *member(exchange, &fields[i]) = is_json ? text_copy(json_get_text(body, fields[i].json, NULL))
                                                : form_value(buffer_text(&request->body), fields[i].form);
    return true;
}

/* ---- whose provider ---- */

/* "//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/V": the provider in *provider
 * (the caller's), and the name of its pool. 0, 1 when there is none to be used, -1 when it is no such name. */
static int find_provider(struct iam *iam, const char *audience, struct json **provider, char **pool) {
    static const char host[] = "//iam.googleapis.com/projects/";
    AUTO_LIST struct text_list parts = {0};
    if (!text_starts_with(audience, host))
        return -1;
    text_list_split(&parts, audience + strlen(host), '/');
    if (parts.count != 7 || !text_equal(parts.items[0], iam->cloud->number) ||
        !text_equal(parts.items[1], "locations") || !text_equal(parts.items[2], "global") ||
        !text_equal(parts.items[3], "workloadIdentityPools") || !text_equal(parts.items[5], "providers"))
        return -1;
    pthread_mutex_lock(&iam->lock);
    const struct json *found = json_get(json_get(iam->state, "pools"), parts.items[4]);
    const struct json *inner = json_get(json_get(found, "providers"), parts.items[6]);
    bool usable = text_equal(json_get_text(found, "state", NULL), "ACTIVE") &&
                  text_equal(json_get_text(inner, "state", NULL), "ACTIVE") &&
                  !json_get_bool(found, "disabled", false) && !json_get_bool(inner, "disabled", false);
    if (usable) {
        *provider = json_copy_deep(inner);
        *pool = text_copy(json_get_text(found, "name", ""));
    }
    pthread_mutex_unlock(&iam->lock);
    return usable ? 0 : 1;
}

/* ---- the token of elsewhere ---- */

static struct jwt_key *find_key(const struct local_cloud *cloud, const struct json *oidc, const char *key_id,
                                struct error *error) {
    const char *text = json_get_text(oidc, "jwksJson", "");
    AUTO_JSON struct json *set = *text ? json_parse(text, strlen(text), "oidc.jwksJson", NULL) : NULL;
    const struct json *keys = json_get(set, "keys");
    const char *issuer = json_get_text(oidc, "issuerUri", "");
    struct jwt_key *key = *text ? NULL : issuer_key(cloud->issuer, key_id);
    for (size_t i = 0; !key && i < json_count(keys); i++)
        if (text_equal(json_get_text(json_at(keys, i), "kid", NULL), key_id))
            key = jwt_key_from_jwk(json_at(keys, i), NULL);
    if (!key && !*text && text_starts_with(issuer, "http://"))
        return discover_key(issuer, key_id, error);
    if (!key)
        error_set(error, ERROR_DATA,
                  "Error verifying the given credential: the issuer %.200s has no key \"%.100s\" for RS256 (the local "
                  "cloud knows its own issuer's keys, and those of oidc.jwksJson)",
                  issuer, key_id ? key_id : "");
    return key;
}

static bool audience_is(const struct json *claims, const char *wanted) {
    const struct json *value = json_get(claims, "aud");
    for (size_t i = 0; i < json_count(value); i++)
        if (text_equal(json_text(json_at(value, i)), wanted))
            return true;
    return text_equal(json_text(value), wanted);
}

/* Without allowed audiences: the provider's own name, with or without "https:". */
static int check_audience(const struct json *provider, const struct json *claims, struct error *error) {
    const struct json *allowed = json_get(json_get(provider, "oidc"), "allowedAudiences");
    AUTO_FREE char *own = text_format("https://iam.googleapis.com/%s", json_get_text(provider, "name", ""));
    bool right = !json_count(allowed) && (audience_is(claims, own) || audience_is(claims, own + strlen("https:")));
    for (size_t i = 0; i < json_count(allowed); i++)
        right = right || audience_is(claims, json_text(json_at(allowed, i)));
    AUTO_FREE char *given =
        json_get(claims, "aud") ? json_format(json_get(claims, "aud"), JSON_COMPACT_STYLE) : text_copy("");
    size_t quotes = *given == '"' ? 1 : 0;
    if (right)
        return 0;
    return error_set(error, ERROR_DATA, "The audience in ID Token [%.*s] does not match the expected audience %.300s.",
                     (int)(strlen(given) > 2 * quotes ? strlen(given) - 2 * quotes : 0), given + quotes,
                     json_count(allowed) ? json_text(json_at(allowed, 0)) : own);
}

static int check_times(const struct json *claims, struct error *error) {
    int64_t now = time(NULL), issued = json_get_integer(claims, "iat", 0), ends = json_get_integer(claims, "exp", 0);
    int64_t begins = json_get_integer(claims, "nbf", 0);
    if (!issued || !ends)
        return error_set(error, ERROR_DATA, "The ID Token must have the claims iat and exp.");
    if (ends <= now)
        return error_set(error, ERROR_DATA, "ID Token issued at %lld is stale to sign-in.", (long long)issued);
    if (issued > now + JWT_LEEWAY || begins > now + JWT_LEEWAY)
        return error_set(error, ERROR_DATA, "ID Token issued at %lld is in the future: the clock here says %lld.",
                         (long long)issued, (long long)now);
    if (ends - issued > LIFE_LIMIT)
        return error_set(error, ERROR_DATA, "The ID Token must not live longer than 24 hours.");
    return 0;
}

static int check_token(const struct local_cloud *cloud, const struct json *provider, const char *token,
                       struct json **claims, struct error *error) {
    AUTO_JSON struct json *header = NULL, *said = NULL;
    const struct json *oidc = json_get(provider, "oidc");
    const char *expected = json_get_text(oidc, "issuerUri", "");
    if (jwt_read(token, &header, &said, error) < 0)
        return error_wrap(error, "Error parsing the ID Token");
    if (!text_equal(json_get_text(header, "alg", NULL), "RS256"))
        return error_set(error, ERROR_DATA, "The ID Token is signed with %.20s; the local cloud takes RS256 only.",
                         json_get_text(header, "alg", ""));
    if (!text_equal(json_get_text(said, "iss", ""), expected))
        return error_set(error, ERROR_DATA, "The issuer in ID Token %.300s does not match the expected ones: %.300s",
                         json_get_text(said, "iss", ""), expected);
    AUTO_JWT_KEY struct jwt_key *key = find_key(cloud, oidc, json_get_text(header, "kid", NULL), error);
    if (!key)
        return -1;
    if (jwt_verify(key, token, claims, NULL) < 0)
        return error_set(error, ERROR_DATA, "Invalid ID Token signature.");
    return check_times(*claims, error) < 0 ? -1 : check_audience(provider, *claims, error);
}

/* ---- the exchange ---- */

static bool check_exchange(const struct exchange *exchange, struct reply *reply) {
    static const char *const refused[] = {TYPE "access_token", TYPE "saml2", TYPE "mtls",
                                          "urn:ietf:params:aws:token-type:aws4_request"};
    if (!text_equal(exchange->grant_type, GRANT)) {
        reply_oauth_error(reply, 400, exchange->grant_type ? "unsupported_grant_type" : "invalid_request",
                          "Invalid value for \"grant_type\". The value must be " GRANT ".");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if (text_equal(exchange->subject_token_type, refused[i])) {
            reply_oauth_error(reply, 400, "invalid_request", "the local cloud exchanges OIDC tokens only, not %s",
                              refused[i]);
            return false;
        }
    const char *wrong = NULL;
    if (!text_equal(exchange->subject_token_type, TYPE "jwt") &&
        !text_equal(exchange->subject_token_type, TYPE "id_token"))
        wrong = "subject_token_type";
    else if (!text_equal(exchange->requested_token_type, TYPE "access_token"))
        wrong = "requested_token_type";
    else if (text_is_empty(exchange->subject_token) || strlen(exchange->subject_token) > JWT_LIMIT)
        wrong = "subject_token";
    if (wrong)
        reply_oauth_error(reply, 400, "invalid_request", "Invalid value for \"%s\".", wrong);
    else if (text_is_empty(exchange->scope))
        reply_oauth_error(reply, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    return !reply->status;
}

static void grant(const struct local_cloud *cloud, const struct text_list *members, const struct json *claims,
                  const char *scope, struct reply *reply) {
    AUTO_JSON struct json *others = json_new_array();
    for (size_t i = 1; i < members->count; i++)
        json_append_text(others, members->items[i]);
    int64_t now = time(NULL), ends = json_get_integer(claims, "exp", 0);
    struct error error = {0};
    if (ends > now + (int64_t)cloud->token_seconds)
        ends = now + (int64_t)cloud->token_seconds;
    struct token_request token = {
        .type = TOKEN_ACCESS, .principal = members->items[0], .members = others, .ends = ends, .scope = scope};
    AUTO_FREE char *text = token_mint(cloud, &token, &error);
    if (!text) {
        reply_oauth_error(reply, 500, "server_error", "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "access_token", text);
    json_set_text(document, "issued_token_type", TYPE "access_token");
    json_set_text(document, "token_type", "Bearer");
    json_set_integer(document, "expires_in", ends - now);
    reply_json(reply, 200, document);
}

static void exchange_token(const struct local_cloud *cloud, const struct exchange *exchange, struct reply *reply) {
    AUTO_JSON struct json *provider = NULL, *claims = NULL;
    AUTO_LIST struct text_list members = {0};
    AUTO_FREE char *pool = NULL;
    struct error error = {0};
    int found = find_provider(cloud->iam, exchange->audience ? exchange->audience : "", &provider, &pool);
    if (found < 0) {
        reply_oauth_error(reply, 400, "invalid_request",
                          "Invalid value for \"audience\". This value should be the full resource name of the "
                          "Identity Provider. See " AUDIENCE_PAGE " for the list of possible formats.");
        return;
    }
    if (!check_exchange(exchange, reply))
        return;
    if (found > 0) {
        reply_oauth_error(reply, 400, "invalid_target",
                          "The target service indicated by the \"audience\" parameters is invalid. This might either "
                          "be because the pool or provider is disabled or deleted or because it doesn't exist.");
    } else if (check_token(cloud, provider, exchange->subject_token, &claims, &error) < 0) {
        reply_oauth_error(reply, 400, "invalid_grant", "%s", error.text);
    } else if (attributes_map(provider, claims, pool, &members, &error) < 0) {
        bool condition = error.kind == ERROR_PERMISSION;
        reply_oauth_error(reply, condition ? 401 : 400, condition ? "unauthorized_client" : "invalid_grant", "%s",
                          error.text);
    } else
        grant(cloud, &members, claims, exchange->scope, reply);
    if (error.kind)
        server_note("token exchange: %s", error.text);
}

static void sts_handle(void *context, struct request *request, struct reply *reply) {
    AUTO(exchange_release) struct exchange exchange = {0};
    reply_header(reply, "Cache-Control", "no-store");
    if (read_exchange(request, &exchange))
        exchange_token(context, &exchange, reply);
    else
        reply_oauth_error(reply, 400, "invalid_request", "Invalid JSON payload received.");
}

void sts_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    request->body.limit = EXCHANGE_LIMIT;
    request->handle = sts_handle;
    if (!request_is(request, "POST"))
        reply_oauth_error(reply, 405, "invalid_request", "use POST");
}
