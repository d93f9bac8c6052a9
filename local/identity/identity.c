#include "local/identity/internal.h"

#include "common/file/file.h"

#include <string.h>

enum { ASK_LIMIT = 64 << 10 };

static const char toolkit[] = "/identitytoolkit.googleapis.com", secure_token[] = "/securetoken.googleapis.com";
static const char certificates[] = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
static const char keys[] = "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

struct identity *identity_open(const struct local_cloud *cloud, struct error *error) {
    struct identity *identity = memory_allocate(1, sizeof(*identity));
    identity->cloud = cloud;
    identity->root = path_join(cloud->state, "identity");
    pthread_mutex_init(&identity->lock, NULL);
    AUTO_FREE char *users = path_join(identity->root, "users");
    if (directory_make(users, 0700, error) < 0 || keys_open(identity, error) < 0) {
        identity_close(&identity);
        return NULL;
    }
    AUTO_LIST struct text_list ids = {0};
    user_ids(identity, &ids);
    identity->users = ids.count;
    return identity;
}

void identity_close(struct identity **identity) {
    if (!*identity)
        return;
    pthread_mutex_destroy(&(*identity)->lock);
    jwt_key_release(&(*identity)->key);
    free((*identity)->key_id);
    free((*identity)->certificate);
    free((*identity)->root);
    free(*identity);
    *identity = NULL;
}

void ask_refuse(struct ask *ask, const char *message) {
    struct json *document = json_new_object(), *error = json_new_object(), *errors = json_new_array(),
                *one = json_new_object();
    json_set_text(one, "message", message);
    json_set_text(one, "reason", "invalid");
    json_set_text(one, "domain", "global");
    json_append(errors, one);
    json_set_integer(error, "code", 400);
    json_set_text(error, "message", message);
    json_set(error, "errors", errors);
    json_set(document, "error", error);
    reply_json(ask->reply, 400, document);
}

/* ---- the keys, for everybody ---- */

static void show_keys(const struct identity *identity, const struct request *request, struct reply *reply) {
    struct json *document = json_new_object();
    struct error error = {0};
    reply_header(reply, "Cache-Control", "public, max-age=20000, must-revalidate, no-transform");
    if (text_equal(request->path, certificates)) {
        json_set_text(document, identity->key_id, identity->certificate);
    } else {
        struct json *list = json_new_array(), *key = jwt_key_jwk(identity->key, identity->key_id, &error);
        if (key)
            json_append(list, key);
        json_set(document, "keys", list);
    }
    reply_json(reply, 200, document);
}

/* ---- which request is which ---- */

static const struct route {
    const char *method, *path; /* '*' stands for the project */
    void (*handle)(struct ask *ask);
    bool admin;
} routes[] = {
    {"POST", "/v1/accounts:signUp", account_sign_up, false},
    {"POST", "/v1/accounts:lookup", account_lookup, false},
    {"POST", "/v1/accounts:update", account_update, false},
    {"POST", "/v1/accounts:delete", account_delete, false},
    {"GET", "/v1/projects", project_get, false},
    {"POST", "/v1/token", token_refresh, false},
    {"POST", "/v1/projects/*/accounts:lookup", account_lookup, true},
    {"POST", "/v1/projects/*/accounts:update", account_update, true},
    {"POST", "/v1/projects/*/accounts:delete", account_delete, true},
    {"POST", "/v1/projects/*/accounts:query", account_query, true},
    {"GET", "/admin/v2/projects/*/config", settings_get, true},
    {"PATCH", "/admin/v2/projects/*/config", settings_patch, true},
};

/* Without the host that the SDK puts in front for an emulator. */
static const char *plain_path(const char *path) {
    static const char *const hosts[] = {toolkit, secure_token};
    for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++)
        if (text_starts_with(path, hosts[i]) && path[strlen(hosts[i])] == '/')
            return path + strlen(hosts[i]);
    return path;
}

static bool is_our_project(const struct local_cloud *cloud, const char *project, size_t length) {
    AUTO_FREE char *name = text_copy_length(project, length);
    return text_equal(name, cloud->project) || text_equal(name, cloud->number) || text_equal(name, "-");
}

static bool route_matches(const struct route *route, const struct local_cloud *cloud, const char *path) {
    const char *star = strchr(route->path, '*');
    size_t before = star ? (size_t)(star - route->path) : 0, project = 0;
    if (!star)
        return text_equal(path, route->path);
    if (strncmp(path, route->path, before) != 0)
        return false;
    project = strcspn(path + before, "/");
    return text_equal(path + before + project, star + 1) && (!cloud || is_our_project(cloud, path + before, project));
}

/* "/v1/token" alone is the token exchange's, not ours. */
bool identity_is_path(const char *path) {
    if (text_equal(path, certificates) || text_equal(path, keys) || plain_path(path) != path)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++)
        if (routes[i].handle != token_refresh && route_matches(&routes[i], NULL, path))
            return true;
    return false;
}

static const struct route *find_route(const struct local_cloud *cloud, const struct request *request) {
    const char *path = plain_path(request->path);
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++)
        if (text_equal(routes[i].method, request->method) && route_matches(&routes[i], cloud, path))
            return &routes[i];
    return NULL;
}

static void identity_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    const struct route *route = find_route(cloud, request);
    const char *type = request_header(request, "Content-Type");
    bool is_form = text_starts_with(type ? type : "", "application/x-www-form-urlencoded");
    AUTO_JSON struct json *body =
        request->body.length && !is_form
            ? json_parse(buffer_text(&request->body), request->body.length, "the request", NULL)
            : json_new_object();
    struct ask ask = {cloud, cloud->identity, request, reply, body, route && route->admin};
    reply_header(reply, "Cache-Control", "no-store");
    if (!json_is_object(body)) {
        reply_google_error(reply, 400, "Invalid JSON payload received.");
        return;
    }
    pthread_mutex_lock(&cloud->identity->lock);
    route->handle(&ask);
    pthread_mutex_unlock(&cloud->identity->lock);
}

/* ---- pages of other origins ---- */

/* Pages of this machine, at any port: an application under development is served from one of its own. */
static bool allow_origin(const struct request *request, struct reply *reply) {
    const char *origin = request_header(request, "Origin");
    const char *host = origin ? strstr(origin, "://") : NULL;
    if (!host || !host_is_local(host + 3))
        return false;
    reply_header(reply, "Access-Control-Allow-Origin", "%s", origin);
    reply_header(reply, "Vary", "Origin");
    return true;
}

static void answer_preflight(struct reply *reply) {
    reply_header(reply, "Access-Control-Allow-Methods", "GET, POST");
    reply_header(reply, "Access-Control-Allow-Headers",
                 "Content-Type, X-Client-Version, X-Firebase-GMPID, X-Firebase-Client, X-Firebase-AppCheck, "
                 "X-Firebase-Locale, X-Goog-Api-Key");
    reply_header(reply, "Access-Control-Max-Age", "3600");
    reply_empty(reply, 204);
}

static bool has_key(const struct request *request) {
    return !text_is_empty(request_query(request, "key")) || !text_is_empty(request_header(request, "X-Goog-Api-Key"));
}

static void require_admin(const struct local_cloud *cloud, struct request *request, struct reply *reply) {
    const char *part = strstr(request->path, "/config") ? "configs" : "users";
    bool reads = request_is(request, "GET") || text_ends_with(request->path, ":lookup") ||
                 text_ends_with(request->path, ":query");
    AUTO_FREE char *permission = text_format("firebaseauth.%s.%s", part, reads ? "get" : "update");
    if (require_access(cloud, request, reply) && !request_may(cloud, request, permission))
        reply_google_error(reply, 403, "The caller does not have permission");
}

void identity_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    const struct route *route = find_route(cloud, request);
    bool allowed = allow_origin(request, reply);
    request->body.limit = ASK_LIMIT;
    request->handle = identity_handle;
    if (request_is(request, "OPTIONS") && allowed)
        answer_preflight(reply);
    else if (text_equal(request->path, certificates) || text_equal(request->path, keys))
        show_keys(cloud->identity, request, reply);
    else if (!route)
        reply_google_error(reply, 404, "the local cloud signs in anonymously only: it has no %s %.200s",
                           request->method, request->path);
    else if (route->admin)
        require_admin(cloud, request, reply);
    else if (!has_key(request))
        reply_google_error(reply, 403, "The request is missing a valid API key.");
}
