#include "local/issuer/internal.h"

#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "common/file/file.h"

#include <string.h>
#include <time.h>

enum {
    PEM_LIMIT = 64 << 10,
    ASK_LIMIT = 64 << 10,
    JOB_SECONDS = 6 * 3600,
    GITHUB_SECONDS = 300,
    GITLAB_SECONDS = 3600
};

struct issuer {
    const struct local_cloud *cloud;
    struct jwt_key *key;
    char *key_id;
};

struct issuer *issuer_open(const struct local_cloud *cloud, struct error *error) {
    struct issuer *issuer = memory_allocate(1, sizeof(*issuer));
    AUTO_FREE char *path = path_join(cloud->state, "issuer.pem");
    issuer->cloud = cloud;
    issuer->key = local_key_open(path, error);
    AUTO_FREE char *pem = issuer->key ? jwt_key_public_pem(issuer->key, error) : NULL;
    if (!pem) {
        issuer_close(&issuer);
        return NULL;
    }
    struct digest digest = digest_of(pem, strlen(pem));
    issuer->key_id = text_copy_length(digest_format_hex(&digest).text, 40);
    return issuer;
}

void issuer_close(struct issuer **issuer) {
    if (!*issuer)
        return;
    jwt_key_release(&(*issuer)->key);
    free((*issuer)->key_id);
    free(*issuer);
    *issuer = NULL;
}

struct jwt_key *issuer_key(const struct issuer *issuer, const char *key_id) {
    AUTO_FREE char *pem = text_equal(key_id, issuer->key_id) ? jwt_key_public_pem(issuer->key, NULL) : NULL;
    return pem ? jwt_key_public(pem, strlen(pem), NULL) : NULL;
}

/* ---- tokens ---- */

/* Adds what every token has of its own to `claims`. */
static char *sign(const struct issuer *issuer, struct json *claims, const char *audience, unsigned seconds,
                  struct error *error) {
    char id[33];
    int64_t now = time(NULL);
    if (seconds > issuer->cloud->token_seconds)
        seconds = issuer->cloud->token_seconds;
    random_hex(id, sizeof(id));
    json_set_text(claims, "jti", id);
    json_set_text(claims, "aud", audience);
    json_set_integer(claims, "iat", now);
    json_set_integer(claims, "nbf", now);
    json_set_integer(claims, "exp", now + seconds);
    return jwt_sign(issuer->key, issuer->key_id, claims, error);
}

/* What a job shows when it asks for its identity token: the claims, signed with a key that nobody else takes. */
static char *job_token(const struct issuer *issuer, struct json *claims, struct error *error) {
    AUTO_JSON struct json *job = json_new_object();
    json_set_text(job, "use", "job");
    json_set_integer(job, "iat", time(NULL));
    json_set_integer(job, "exp", time(NULL) + JOB_SECONDS);
    json_set(job, "claims", json_share(claims));
    return jwt_sign(issuer->cloud->server_key, "server", job, error);
}

static struct json *job_claims(const struct issuer *issuer, const char *token, struct error *error) {
    AUTO_JSON struct json *job = NULL;
    if (!token || strlen(token) > JWT_LIMIT || jwt_verify(issuer->cloud->server_key, token, &job, NULL) < 0 ||
        !text_equal(json_get_text(job, "use", NULL), "job")) {
        error_set(error, ERROR_PERMISSION, "The request token is none of a job of this cloud");
        return NULL;
    }
    if (json_get_integer(job, "exp", 0) < time(NULL)) {
        error_set(error, ERROR_PERMISSION, "Can't issue ID_TOKEN for job in 'Completed' state.");
        return NULL;
    }
    return json_copy_deep(json_get(job, "claims"));
}

/* ---- requests ---- */

static void show_configuration(const struct issuer *issuer, const char *name, const char *keys, const char *issuer_url,
                               struct reply *reply) {
    struct json *document = json_new_object();
    static const char *const lists[][2] = {{"subject_types_supported", "public"},
                                           {"response_types_supported", "id_token"},
                                           {"id_token_signing_alg_values_supported", "RS256"},
                                           {"scopes_supported", "openid"}};
    AUTO_FREE char *url = text_format("%s/%s%s", issuer->cloud->origin, name, keys);
    json_set_text(document, "issuer", issuer_url);
    json_set_text(document, "jwks_uri", url);
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        struct json *list = json_new_array();
        json_append_text(list, lists[i][1]);
        json_set(document, lists[i][0], list);
    }
    reply_json(reply, 200, document);
}

static void show_keys(const struct issuer *issuer, struct reply *reply) {
    struct json *document = json_new_object(), *list = json_new_array();
    struct json *key = jwt_key_jwk(issuer->key, issuer->key_id, NULL);
    if (key)
        json_append(list, key);
    json_set(document, "keys", list);
    reply_json(reply, 200, document);
}

static void show_github_configuration(const struct issuer *issuer, struct reply *reply) {
    show_configuration(issuer, "github", "/.well-known/jwks", GITHUB_ISSUER, reply);
}

static void show_gitlab_configuration(const struct issuer *issuer, struct reply *reply) {
    show_configuration(issuer, "gitlab", "/oauth/discovery/keys", GITLAB_ISSUER, reply);
}

static void handle_idtoken(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    struct error error = {0};
    AUTO_JSON struct json *claims = job_claims(cloud->issuer, request_authorization(request, "Bearer"), &error);
    const char *audience = request_query(request, "audience");
    reply_header(reply, "Cache-Control", "no-store");
    if (!claims) {
        reply_google_error(reply, 401, "%s", error.text);
        return;
    }
    AUTO_FREE char *usual = text_format("https://github.com/%s", json_get_text(claims, "repository_owner", ""));
    AUTO_FREE char *token =
        sign(cloud->issuer, claims, text_is_empty(audience) ? usual : audience, GITHUB_SECONDS, &error);
    if (!token) {
        reply_google_error(reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_integer(document, "count", (int64_t)strlen(token));
    json_set_text(document, "value", token);
    reply_json(reply, 200, document);
}

static struct json *read_body(const struct request *request) {
    struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    if (body && !json_is_object(body))
        json_release(&body);
    return body;
}

static void handle_github_job(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    struct error error = {0};
    AUTO_JSON struct json *body = read_body(request);
    AUTO_JSON struct json *claims = body ? github_claims(json_get(body, "claims"), &error) : NULL;
    AUTO_FREE char *token = claims ? job_token(cloud->issuer, claims, &error) : NULL;
    if (!token) {
        reply_google_error(reply, 400, "%s", body ? error.text : "Invalid JSON payload received.");
        return;
    }
    struct json *document = json_new_object();
    AUTO_FREE char *url = text_format("%s/github/idtoken?api-version=2.0", cloud->origin);
    json_set_text(document, "requestUrl", url);
    json_set_text(document, "requestToken", token);
    reply_json(reply, 200, document);
}

static void handle_gitlab_job(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    struct error error = {0};
    AUTO_JSON struct json *body = read_body(request);
    AUTO_JSON struct json *claims = body ? gitlab_claims(json_get(body, "claims"), &error) : NULL;
    AUTO_FREE char *token =
        claims ? sign(cloud->issuer, claims, json_get_text(body, "audience", GITLAB_ISSUER), GITLAB_SECONDS, &error)
               : NULL;
    if (!token) {
        reply_google_error(reply, 400, "%s", body ? error.text : "Invalid JSON payload received.");
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "idToken", token);
    reply_json(reply, 200, document);
}

static const struct route {
    const char *method, *path;
    void (*show)(const struct issuer *issuer, struct reply *reply);
    request_handler *handle;
    bool of_owner;
} routes[] = {
    {"GET", "/github/.well-known/openid-configuration", show_github_configuration, NULL, false},
    {"GET", "/github/.well-known/jwks", show_keys, NULL, false},
    {"GET", "/gitlab/.well-known/openid-configuration", show_gitlab_configuration, NULL, false},
    {"GET", "/gitlab/oauth/discovery/keys", show_keys, NULL, false},
    {"GET", "/github/idtoken", NULL, handle_idtoken, false},
    {"POST", "/github/jobs", NULL, handle_github_job, true},
    {"POST", "/gitlab/jobs", NULL, handle_gitlab_job, true},
};

static const struct route *find_route(const char *path) {
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++)
        if (text_equal(routes[i].path, path))
            return &routes[i];
    return NULL;
}

bool issuer_is_path(const char *path) {
    return find_route(path) != NULL;
}

void issuer_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    const struct route *route = find_route(request->path);
    request->body.limit = ASK_LIMIT;
    request->handle = route->handle;
    if (!request_is(request, route->method))
        reply_google_error(reply, 405, "use %s", route->method);
    else if (route->show)
        route->show(cloud->issuer, reply);
    else if (route->of_owner && require_access(cloud, request, reply) && !text_equal(request->principal, cloud->email))
        reply_google_error(reply, 403, "only the owner of this cloud says what a job's token says");
}
