/* The token that a registry client exchanges its password for, and what it opens. */
#include "common/crypto/base64.h"
#include "local/iam/iam.h"
#include "local/registry/internal.h"

#include <string.h>

#define CATALOG_SCOPE "registry:catalog:*"

enum { SCOPES_LIMIT = 16, PASSWORD_LIMIT = 32 << 10 };

static const struct {
    const char *name;
    enum action action;
} actions_known[] = {{"pull", ACTION_PULL}, {"push", ACTION_PUSH}, {"delete", ACTION_DELETE}};

/* The key file of a service account, as `_json_key` and `_json_key_base64` give it: who it is, in *claims. */
static bool is_our_key(const struct local_cloud *cloud, const char *text, size_t length, struct json **claims) {
    AUTO_JSON struct json *document = json_parse_secret(text, length, "the key", NULL);
    const char *pem = json_get_text(document, "private_key", NULL);
    const char *email = json_get_text(document, "client_email", "");
    AUTO_JWT_KEY struct jwt_key *key = pem ? jwt_key_private(pem, strlen(pem), NULL) : NULL;
    AUTO_JWT_KEY struct jwt_key *known =
        key ? iam_account_key(cloud, email, json_get_text(document, "private_key_id", NULL)) : NULL;
    AUTO_FREE char *given = known ? jwt_key_public_pem(key, NULL) : NULL;
    AUTO_FREE char *own = known ? jwt_key_public_pem(known, NULL) : NULL;
    if (!given || !text_equal(given, own))
        return false;
    *claims = json_new_object();
    json_set_text(*claims, "principal", email);
    return true;
}

static bool is_right_password(const struct local_cloud *cloud, const char *user, const char *password,
                              struct json **claims) {
    if (text_equal(user, "oauth2accesstoken") || text_equal(user, "_token"))
        return token_check(cloud, password, TOKEN_ACCESS, claims, NULL) == 0;
    if (text_equal(user, "_json_key"))
        return is_our_key(cloud, password, strlen(password), claims);
    if (!text_equal(user, "_json_key_base64"))
        return false;
    AUTO_BUFFER struct buffer key = BUFFER(PASSWORD_LIMIT);
    return base64_decode(BASE64_STANDARD, password, strlen(password), &key, NULL) == 0 && !key.failed &&
           is_our_key(cloud, buffer_text(&key), key.length, claims);
}

/* 1: right, and who it is in *claims; 0: none were given, -1: wrong */
static int check_basic(const struct local_cloud *cloud, const struct request *request, struct json **claims) {
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
    bool right = is_right_password(cloud, text, colon + 1, claims);
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

static void grant_token(const struct local_cloud *cloud, const struct request *request, const struct json *claims,
                        struct reply *reply) {
    AUTO_JSON struct json *access = grant_scopes(request);
    struct error error = {0};
    int64_t now = time(NULL), ends = now + (int64_t)cloud->token_seconds, until = json_get_integer(claims, "exp", ends);
    struct token_request wanted = {.type = TOKEN_REGISTRY,
                                   .principal = token_principal(claims),
                                   .members = json_get(claims, "members"),
                                   .access = access,
                                   .ends = until < ends ? until : ends};
    AUTO_FREE char *token = token_mint(cloud, &wanted, &error);
    if (!token) {
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error.text);
        return;
    }
    char issued[32];
    time_t issued_at = (time_t)now;
    struct tm parts;
    strftime(issued, sizeof(issued), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&issued_at, &parts));
    struct json *document = json_new_object();
    json_set_text(document, "token", token);
    json_set_text(document, "access_token", token);
    json_set_integer(document, "expires_in", wanted.ends - now);
    json_set_text(document, "issued_at", issued);
    reply_json(reply, 200, document);
}

void token_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    AUTO_JSON struct json *claims = NULL;
    int right = check_basic(cloud, request, &claims);
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
    else
        grant_token(cloud, request, claims, reply);
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

static const char *permission_for(const char *repository, unsigned actions) {
    if (!repository || text_equal(repository, REGISTRY_CATALOG))
        return "artifactregistry.repositories.list";
    return actions & ACTION_DELETE ? "artifactregistry.repositories.deleteArtifacts"
           : actions & ACTION_PUSH ? "artifactregistry.repositories.uploadArtifacts"
                                   : "artifactregistry.repositories.downloadArtifacts";
}

enum answer { MAY, NOT_IN_TOKEN, NO_TOKEN, NO_PERMISSION };

/* *principal (may be NULL) is the caller's. */
static enum answer check_bearer(const struct local_cloud *cloud, const struct request *request, const char *repository,
                                unsigned actions, char **principal) {
    const char *token = request_authorization(request, "Bearer");
    AUTO_JSON struct json *claims = NULL;
    AUTO_LIST struct text_list members = {0};
    if (!token || token_check(cloud, token, TOKEN_REGISTRY | TOKEN_ACCESS, &claims, NULL) < 0)
        return NO_TOKEN;
    token_members(claims, &members);
    if (principal)
        *principal = text_copy(token_principal(claims));
    if (repository && !text_equal(json_get_text(claims, "use", NULL), "access") &&
        !is_granted(json_get(claims, "access"), repository, actions))
        return NOT_IN_TOKEN;
    if (repository && !iam_permits(cloud, &members, permission_for(repository, actions), NULL))
        return NO_PERMISSION;
    return MAY;
}

bool registry_may(const struct local_cloud *cloud, const struct request *request, const char *repository,
                  unsigned actions) {
    return check_bearer(cloud, request, repository, actions, NULL) == MAY;
}

/* "PROJECT/REPOSITORY/IMAGE" as Artifact Registry names what it belongs to. */
static void reply_denied(const char *repository, unsigned actions, struct reply *reply) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, repository, '/');
    reply_oci_error(reply, 403, "DENIED",
                    "Permission \"%s\" denied on resource \"projects/%s/locations/local/repositories/%s\" (or it may "
                    "not exist)",
                    permission_for(repository, actions), parts.items[0], parts.count > 1 ? parts.items[1] : "");
}

bool registry_authorize(const struct local_cloud *cloud, struct request *request, const char *repository,
                        unsigned actions, struct reply *reply) {
    enum answer answer = check_bearer(cloud, request, repository, actions, &request->principal);
    if (answer == MAY)
        return true;
    if (answer == NO_PERMISSION) {
        reply_denied(repository, actions, reply);
        return false;
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
                 !has_token               ? ""
                 : answer == NOT_IN_TOKEN ? ",error=\"insufficient_scope\""
                                          : ",error=\"invalid_token\"");
    reply_oci_error(reply, 401, "UNAUTHORIZED",
                    "Unauthenticated request. Unauthenticated requests do not have permission "
                    "\"artifactregistry.repositories.%s\" on resource \"%s\" (or it may not exist)",
                    actions & ~(unsigned)ACTION_PULL ? "uploadArtifacts" : "downloadArtifacts",
                    repository && !catalog ? repository : "");
    return false;
}
