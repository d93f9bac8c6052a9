/* The token that a registry client exchanges its password for, and what it opens. */
#include "common/crypto/base64.h"
#include "local/registry/internal.h"

#include <string.h>

#define CATALOG_SCOPE "registry:catalog:*"

enum { SCOPES_LIMIT = 16, PASSWORD_LIMIT = 32 << 10 };

static const struct {
    const char *name;
    enum action action;
} actions_known[] = {{"pull", ACTION_PULL}, {"push", ACTION_PUSH}, {"delete", ACTION_DELETE}};

/* The key file of our own service account, as `_json_key` and `_json_key_base64` give it. */
static bool is_our_key(const struct local_cloud *cloud, const char *text, size_t length) {
    AUTO_JSON struct json *document = json_parse(text, length, "the key", NULL);
    const char *pem = json_get_text(document, "private_key", NULL);
    AUTO_JWT_KEY struct jwt_key *key = pem ? jwt_key_private(pem, strlen(pem), NULL) : NULL;
    AUTO_FREE char *given = key ? jwt_key_public_pem(key, NULL) : NULL;
    AUTO_FREE char *own = jwt_key_public_pem(cloud->account_key, NULL);
    return given && text_equal(given, own);
}

static bool is_right_password(const struct local_cloud *cloud, const char *user, const char *password) {
    if (text_equal(user, "oauth2accesstoken") || text_equal(user, "_token"))
        return token_check(cloud, password, TOKEN_ACCESS, NULL, NULL) == 0;
    if (text_equal(user, "_json_key"))
        return is_our_key(cloud, password, strlen(password));
    if (!text_equal(user, "_json_key_base64"))
        return false;
    AUTO_BUFFER struct buffer key = BUFFER(PASSWORD_LIMIT);
    return base64_decode(BASE64_STANDARD, password, strlen(password), &key, NULL) == 0 && !key.failed &&
           is_our_key(cloud, buffer_text(&key), key.length);
}

/* 1: right, 0: none were given, -1: wrong */
static int check_basic(const struct local_cloud *cloud, const struct request *request) {
    const char *given = request_authorization(request, "Basic");
    if (!given)
        return 0;
    AUTO_BUFFER struct buffer pair = BUFFER(PASSWORD_LIMIT);
    if (base64_decode(BASE64_STANDARD, given, strcspn(given, " "), &pair, NULL) < 0 || pair.failed)
        return -1;
    char *text = (char *)buffer_text(&pair), *colon = strchr(text, ':');
    if (!colon)
        return -1;
    *colon = '\0';
    bool right = is_right_password(cloud, text, colon + 1);
    memory_wipe(pair.data, pair.length);
    return right ? 1 : -1;
}

/* "repository:NAME:pull,push" or "registry:catalog:*" */
static struct json *grant_scope(const char *scope) {
    AUTO_LIST struct text_list parts = {0}, wanted = {0};
    text_list_split(&parts, scope, ':');
    bool catalog = text_equal(scope, CATALOG_SCOPE);
    bool repository =
        parts.count == 3 && text_equal(parts.items[0], "repository") && repository_is_valid(parts.items[1]);
    if (!catalog && !repository)
        return NULL;
    text_list_split(&wanted, parts.items[2], ',');
    struct json *grant = json_new_object(), *actions = json_new_array();
    json_set_text(grant, "type", parts.items[0]);
    json_set_text(grant, "name", parts.items[1]);
    if (catalog)
        json_append_text(actions, "*");
    for (size_t i = 0; !catalog && i < ARRAY_LENGTH(actions_known); i++)
        if (text_list_contains(&wanted, actions_known[i].name) || text_list_contains(&wanted, "*"))
            json_append_text(actions, actions_known[i].name);
    json_set(grant, "actions", actions);
    return grant;
}

static struct json *grant_scopes(const struct request *request) {
    struct json *access = json_new_array();
    AUTO_LIST struct text_list values = {0};
    request_query_all(request, "scope", &values);
    for (size_t i = 0; i < values.count; i++) {
        AUTO_LIST struct text_list scopes = {0};
        text_list_split(&scopes, values.items[i], ' ');
        for (size_t j = 0; j < scopes.count && json_count(access) < SCOPES_LIMIT; j++) {
            struct json *grant = grant_scope(scopes.items[j]);
            if (grant)
                json_append(access, grant);
        }
    }
    return access;
}

static void token_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    AUTO_JSON struct json *access = grant_scopes(request);
    struct error error = {0};
    AUTO_FREE char *token = token_mint(cloud, TOKEN_REGISTRY, cloud->email, NULL, access, &error);
    if (!token) {
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error.text);
        return;
    }
    char issued[32];
    time_t now = time(NULL);
    struct tm parts;
    strftime(issued, sizeof(issued), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    struct json *document = json_new_object();
    json_set_text(document, "token", token);
    json_set_text(document, "access_token", token);
    json_set_integer(document, "expires_in", TOKEN_SECONDS);
    json_set_text(document, "issued_at", issued);
    reply_json(reply, 200, document);
}

void token_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = token_handle;
    int right = check_basic(cloud, request);
    if (!request_is(request, "GET"))
        reply_oci_error(reply, 405, "UNSUPPORTED", "use GET");
    else if (right < 0)
        reply_oci_error(reply, 401, "UNAUTHORIZED",
                        "the user name or the password is wrong; the user is "
                        "oauth2accesstoken, the password an access token of this cloud");
    else if (right == 0)
        reply_oci_error(reply, 403, "DENIED",
                        "Unauthenticated request. Unauthenticated requests do not have permission "
                        "\"artifactregistry.repositories.downloadArtifacts\"");
}

static bool is_granted(const struct json *access, const char *repository, unsigned actions) {
    unsigned granted = 0;
    bool catalog = text_equal(repository, REGISTRY_CATALOG);
    for (size_t i = 0; i < json_count(access); i++) {
        const struct json *grant = json_at(access, i), *names = json_get(grant, "actions");
        bool is_repository = text_equal(json_get_text(grant, "type", NULL), "repository");
        if (catalog && !is_repository)
            return true;
        if (!is_repository || !text_equal(json_get_text(grant, "name", NULL), repository))
            continue;
        for (size_t j = 0; j < json_count(names); j++)
            for (size_t k = 0; k < ARRAY_LENGTH(actions_known); k++)
                if (text_equal(json_text(json_at(names, j)), actions_known[k].name))
                    granted |= actions_known[k].action;
    }
    return !catalog && (granted & actions) == actions;
}

/* 1: may, 0: the token does not say so, -1: no good token */
static int check_bearer(const struct local_cloud *cloud, const struct request *request, const char *repository,
                        unsigned actions) {
    const char *token = request_authorization(request, "Bearer");
    AUTO_JSON struct json *claims = NULL;
    if (!token || token_check(cloud, token, TOKEN_REGISTRY | TOKEN_ACCESS, &claims, NULL) < 0)
        return -1;
    /* The account owns the project: its own access token opens everything. */
    if (!repository || text_equal(json_get_text(claims, "use", NULL), "access"))
        return 1;
    return is_granted(json_get(claims, "access"), repository, actions);
}

bool registry_may(const struct local_cloud *cloud, const struct request *request, const char *repository,
                  unsigned actions) {
    return check_bearer(cloud, request, repository, actions) == 1;
}

bool registry_authorize(const struct local_cloud *cloud, struct request *request, const char *repository,
                        unsigned actions, struct reply *reply) {
    int right = check_bearer(cloud, request, repository, actions);
    if (right == 1) {
        request->principal = text_copy(cloud->email);
        return true;
    }
    AUTO_BUFFER struct buffer scope = BUFFER(1024);
    bool catalog = text_equal(repository, REGISTRY_CATALOG);
    if (catalog) {
        buffer_append_text(&scope, ",scope=\"" CATALOG_SCOPE "\"");
    } else if (repository) {
        buffer_append_format(&scope, ",scope=\"repository:%s:", repository);
        for (size_t i = 0, count = 0; i < ARRAY_LENGTH(actions_known); i++)
            if (actions & actions_known[i].action)
                buffer_append_format(&scope, "%s%s", count++ ? "," : "", actions_known[i].name);
        buffer_append_byte(&scope, '"');
    }
    bool has_token = request_authorization(request, "Bearer") != NULL;
    reply_header(reply, "WWW-Authenticate", "Bearer realm=\"http://%s/v2/token\",service=\"%s\"%s%s", request->host,
                 request->host, buffer_text(&scope),
                 !has_token   ? ""
                 : right == 0 ? ",error=\"insufficient_scope\""
                              : ",error=\"invalid_token\"");
    reply_oci_error(reply, 401, "UNAUTHORIZED",
                    "Unauthenticated request. Unauthenticated requests do not have permission "
                    "\"artifactregistry.repositories.%s\" on resource \"%s\" (or it may not exist)",
                    actions & ~(unsigned)ACTION_PULL ? "uploadArtifacts" : "downloadArtifacts",
                    repository && !catalog ? repository : "");
    return false;
}
