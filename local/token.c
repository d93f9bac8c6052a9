/* The tokens of this cloud: signed, so that they stay good when it is started again. */
#include "local/cloud.h"
#include "local/iam/iam.h"

#include <string.h>
#include <time.h>

static const char *type_name(enum token_type type) {
    return type == TOKEN_ACCESS ? "access" : type == TOKEN_REGISTRY ? "registry" : "identity";
}

static bool is_federated(const char *principal) {
    return text_starts_with(principal, "principal://");
}

char *token_mint(const struct local_cloud *cloud, const struct token_request *request, struct error *error) {
    AUTO_JSON struct json *claims = json_new_object();
    int64_t now = time(NULL), ends = request->ends ? request->ends : now + (int64_t)cloud->token_seconds;
    bool is_identity = request->type == TOKEN_IDENTITY;
    json_set_text(claims, "iss", is_identity ? "https://accounts.google.com" : cloud->origin);
    json_set_text(claims, "aud", request->audience ? request->audience : cloud->origin);
    json_set_text(claims, "azp", request->subject);
    json_set_text(claims, "sub", request->subject ? request->subject : request->principal);
    if (!is_federated(request->principal) && !request->without_email) {
        json_set_text(claims, "email", request->principal);
        json_set_bool(claims, "email_verified", true);
    }
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "exp", ends);
    json_set_text(claims, "use", type_name(request->type));
    json_set_text(claims, "principal", request->principal);
    json_set_text(claims, "scope", request->scope);
    if (request->members)
        json_set(claims, "members", json_copy_deep(request->members));
    if (request->access)
        json_set(claims, "access", json_copy_deep(request->access));
    return jwt_sign(cloud->server_key, "server", claims, error);
}

/* The issuer may have had another port before: the key is what counts. A token of one's own clock ends when it says. */
int token_check(const struct local_cloud *cloud, const char *token, unsigned types, struct json **claims,
                struct error *error) {
    AUTO_JSON struct json *checked = NULL;
    int64_t now = time(NULL);
    if (strlen(token) > JWT_LIMIT)
        return error_set(error, ERROR_PERMISSION, "the token is too long");
    if (jwt_verify(cloud->server_key, token, &checked, error) < 0 ||
        jwt_check_claims(checked, NULL, NULL, now, error) < 0)
        return -1;
    if (json_get_integer(checked, "exp", 0) <= now)
        return error_set(error, ERROR_PERMISSION, "the token has ended");
    const char *use = json_get_text(checked, "use", "");
    bool right = false;
    for (unsigned type = TOKEN_ACCESS; type <= TOKEN_IDENTITY; type <<= 1)
        right = right || ((types & type) && text_equal(use, type_name(type)));
    if (!right || !token_principal(checked))
        return error_set(error, ERROR_PERMISSION, "the token is for something else");
    if (claims)
        *claims = take_pointer(&checked);
    return 0;
}

const char *token_principal(const struct json *claims) {
    return json_get_text(claims, "principal", NULL);
}

static void add_member(struct text_list *members, const char *principal) {
    if (is_federated(principal))
        text_list_add(members, principal);
    else
        text_list_add_format(members, "%s:%s",
                             text_ends_with(principal, ".gserviceaccount.com") ? "serviceAccount" : "user", principal);
}

void token_members(const struct json *claims, struct text_list *members) {
    const struct json *others = json_get(claims, "members");
    add_member(members, token_principal(claims));
    for (size_t i = 0; i < json_count(others); i++)
        text_list_add(members, json_text(json_at(others, i)));
}

/* AIP-4111: a token that an account signed itself instead of asking for one. Its audience is an API, or it has a
 * scope. The account's address, which the caller frees, or NULL. */
static char *self_signed(const struct local_cloud *cloud, const char *token) {
    AUTO_JSON struct json *header = NULL, *said = NULL, *claims = NULL;
    if (jwt_read(token, &header, &said, NULL) < 0)
        return NULL;
    const char *email = json_get_text(said, "iss", "");
    AUTO_JWT_KEY struct jwt_key *key = iam_account_key(cloud, email, json_get_text(header, "kid", NULL));
    if (!key || jwt_verify(key, token, &claims, NULL) < 0 ||
        jwt_check_claims(claims, email, NULL, time(NULL), NULL) < 0)
        return NULL;
    const char *audience = json_get_text(claims, "aud", "");
    bool for_api = text_starts_with(audience, "https://") && strstr(audience, ".googleapis.com");
    int64_t life = json_get_integer(claims, "exp", INT64_MAX) - json_get_integer(claims, "iat", 0);
    bool right = text_equal(json_get_text(claims, "sub", NULL), email) && life <= TOKEN_SECONDS &&
                 (for_api || *json_get_text(claims, "scope", ""));
    return right ? text_copy(email) : NULL;
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

/* Which OAuth scopes open which APIs; cloud-platform opens all. */
static bool scope_opens(const char *scope, const struct request *request) {
    static const char prefix[] = "https://www.googleapis.com/auth/";
    const char *path = request->path, *name = text_starts_with(scope, prefix) ? scope + strlen(prefix) : "";
    if (text_equal(name, "cloud-platform"))
        return true;
    if (text_equal(name, "cloud-platform.read-only"))
        return request_is(request, "GET");
    if (text_equal(name, "iam"))
        return iam_is_path(path);
    if (text_equal(name, "firebase"))
        return text_starts_with(path, "/v1beta1/") || text_starts_with(path, "/upload/") ||
               text_starts_with(path, "/admin/");
    return (text_equal(name, "logging.read") || text_equal(name, "logging.admin")) &&
           text_equal(path, "/v2/entries:list");
}

static bool scopes_suffice(const struct json *claims, const struct request *request) {
    const char *scopes = json_get_text(claims, "scope", NULL);
    AUTO_LIST struct text_list list = {0};
    if (!scopes)
        return true;
    text_list_split(&list, scopes, ' ');
    for (size_t i = 0; i < list.count; i++)
        if (scope_opens(list.items[i], request))
            return true;
    return false;
}

static char *find_principal(const struct local_cloud *cloud, struct request *request, const char *token, bool *narrow) {
    AUTO_JSON struct json *claims = NULL;
    if (token_check(cloud, token, TOKEN_ACCESS, &claims, NULL) == 0) {
        *narrow = !scopes_suffice(claims, request);
        token_members(claims, &request->members);
        return text_copy(token_principal(claims));
    }
    char *email = is_owner(cloud, request, token) ? text_copy(cloud->email) : self_signed(cloud, token);
    if (email)
        add_member(&request->members, email);
    return email;
}

static void reply_narrow(struct reply *reply) {
    reply_header(reply, "WWW-Authenticate",
                 "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", "
                 "scope=\"https://www.googleapis.com/auth/cloud-platform\"");
    reply_google_status(reply, 403, "PERMISSION_DENIED", error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
                        "Request had insufficient authentication scopes.");
}

bool request_may(const struct local_cloud *cloud, const struct request *request, const char *permission) {
    return iam_permits(cloud, &request->members, permission, NULL);
}

bool require_access(const struct local_cloud *cloud, struct request *request, struct reply *reply) {
    const char *token = request_authorization(request, "Bearer");
    bool narrow = false;
    request->principal = token ? find_principal(cloud, request, token, &narrow) : NULL;
    if (request->principal && !narrow)
        return true;
    if (narrow) {
        reply_narrow(reply);
        return false;
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
