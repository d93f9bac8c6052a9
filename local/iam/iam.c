#include "local/iam/internal.h"

#include "common/file/file.h"

#include <string.h>

enum { STATE_LIMIT = 16 << 20, ASK_LIMIT = 256 << 10 };

static char *state_path(const struct iam *iam) {
    return path_join(iam->root, "state.json");
}

static int read_state(struct iam *iam, struct error *error) {
    AUTO_FREE char *path = state_path(iam);
    iam->state = file_exists(path) ? json_parse_file(path, STATE_LIMIT, error) : json_new_object();
    if (!iam->state)
        return error_next(error, "remove this file, or all of the local cloud: pl-local reset");
    json_need_object(iam->state, "pools");
    json_need_object(iam->state, "policy");
    struct json *accounts = json_need_object(iam->state, "accounts");
    if (json_get(accounts, iam->cloud->email))
        return 0;
    struct json *account = json_new_object();
    json_set_text(account, "uniqueId", LOCAL_ACCOUNT_ID);
    json_set_text(account, "displayName", "Who runs the local cloud");
    json_set(accounts, iam->cloud->email, account);
    return 0;
}

struct iam *iam_open(const struct local_cloud *cloud, struct error *error) {
    struct iam *iam = memory_allocate(1, sizeof(*iam));
    iam->cloud = cloud;
    iam->root = path_join(cloud->state, "iam");
    pthread_mutex_init(&iam->lock, NULL);
    AUTO_FREE char *keys = path_join(iam->root, "keys");
    if (directory_make(keys, 0700, error) < 0 || read_state(iam, error) < 0)
        iam_close(&iam);
    return iam;
}

void iam_close(struct iam **iam) {
    if (!*iam)
        return;
    pthread_mutex_destroy(&(*iam)->lock);
    json_release(&(*iam)->state);
    free((*iam)->root);
    free(*iam);
    *iam = NULL;
}

int iam_save(struct iam *iam, struct error *error) {
    AUTO_FREE char *path = state_path(iam);
    AUTO_FREE char *text = json_format(iam->state, JSON_PRETTY);
    return file_write_atomic(path, text, strlen(text), 0600, error);
}

void iam_answer_saved(struct iam_call *call, struct json *value) {
    struct error error = {0};
    AUTO_JSON struct json *owned = value;
    if (iam_save(call->iam, &error) < 0)
        reply_google_error(call->reply, 500, "%s", error.text);
    else
        reply_json(call->reply, 200, take_pointer(&owned));
}

/* ---- who may ---- */

static bool is_owner(const struct iam *iam, const struct text_list *members) {
    AUTO_FREE char *owner = text_format("serviceAccount:%s", iam->cloud->email);
    return text_list_contains(members, owner);
}

bool permitted(const struct iam *iam, const struct text_list *members, const char *permission, const char *account) {
    const struct json *found = account ? account_find(iam, account) : NULL;
    return is_owner(iam, members) || policy_permits(json_get(iam->state, "policy"), members, permission) ||
           policy_permits(json_get(found, "policy"), members, permission);
}

bool iam_permits(const struct local_cloud *cloud, const struct text_list *members, const char *permission,
                 const char *account) {
    pthread_mutex_lock(&cloud->iam->lock);
    bool may = permitted(cloud->iam, members, permission, account);
    pthread_mutex_unlock(&cloud->iam->lock);
    return may;
}

bool iam_has_account(const struct local_cloud *cloud, const char *email) {
    pthread_mutex_lock(&cloud->iam->lock);
    bool has = account_find(cloud->iam, email) != NULL;
    pthread_mutex_unlock(&cloud->iam->lock);
    return has;
}

void reply_denied(struct reply *reply, const char *permission, const char *resource) {
    struct json *details = json_new_array(), *info = json_new_object(), *metadata = json_new_object();
    json_set_text(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
    json_set_text(info, "reason", "IAM_PERMISSION_DENIED");
    json_set_text(info, "domain", "iam.googleapis.com");
    json_set_text(metadata, "permission", permission);
    json_set_text(metadata, "resource", resource);
    json_set(info, "metadata", metadata);
    json_append(details, info);
    AUTO_FREE char *name = resource ? text_format(" '//iam.googleapis.com/%s'", resource) : text_copy("");
    reply_google_status(reply, 403, "PERMISSION_DENIED", details,
                        "Permission '%s' denied on resource%s (or it may not exist).", permission, name);
}

/* ---- which request is which ---- */

#define POOLS "locations/global/workloadIdentityPools"
#define PROVIDERS POOLS "/*/providers"
#define ACCOUNTS "serviceAccounts"

/* Behind "/v1/projects/P"; '*' stands for one id. Without a permission the handler checks for itself. */
static const struct route {
    const char *method, *pattern;
    void (*handle)(struct iam_call *call);
    const char *permission;
} routes[] = {
    {"GET", "/" POOLS, pool_list, "iam.workloadIdentityPools.list"},
    {"POST", "/" POOLS, pool_create, "iam.workloadIdentityPools.create"},
    {"GET", "/" POOLS "/*", pool_get, "iam.workloadIdentityPools.get"},
    {"PATCH", "/" POOLS "/*", pool_patch, "iam.workloadIdentityPools.update"},
    {"DELETE", "/" POOLS "/*", pool_delete, "iam.workloadIdentityPools.delete"},
    {"POST", "/" POOLS "/*:undelete", pool_undelete, "iam.workloadIdentityPools.undelete"},
    {"GET", "/" POOLS "/*/operations/*", pool_operation, "iam.workloadIdentityPools.get"},
    {"GET", "/" PROVIDERS, provider_list, "iam.workloadIdentityPoolProviders.list"},
    {"POST", "/" PROVIDERS, provider_create, "iam.workloadIdentityPoolProviders.create"},
    {"GET", "/" PROVIDERS "/*", provider_get, "iam.workloadIdentityPoolProviders.get"},
    {"PATCH", "/" PROVIDERS "/*", provider_patch, "iam.workloadIdentityPoolProviders.update"},
    {"DELETE", "/" PROVIDERS "/*", provider_delete, "iam.workloadIdentityPoolProviders.delete"},
    {"POST", "/" PROVIDERS "/*:undelete", provider_undelete, "iam.workloadIdentityPoolProviders.undelete"},
    {"GET", "/" PROVIDERS "/*/operations/*", provider_operation, "iam.workloadIdentityPoolProviders.get"},
    {"GET", "/" ACCOUNTS, service_account_list, "iam.serviceAccounts.list"},
    {"POST", "/" ACCOUNTS, service_account_create, "iam.serviceAccounts.create"},
    {"GET", "/" ACCOUNTS "/*", service_account_get, "iam.serviceAccounts.get"},
    {"PATCH", "/" ACCOUNTS "/*", service_account_patch, "iam.serviceAccounts.update"},
    {"PUT", "/" ACCOUNTS "/*", service_account_put, "iam.serviceAccounts.update"},
    {"DELETE", "/" ACCOUNTS "/*", service_account_delete, "iam.serviceAccounts.delete"},
    {"POST", "/" ACCOUNTS "/*:enable", service_account_enable, "iam.serviceAccounts.enable"},
    {"POST", "/" ACCOUNTS "/*:disable", service_account_disable, "iam.serviceAccounts.disable"},
    {"POST", "/" ACCOUNTS "/*:getIamPolicy", service_account_policy_get, "iam.serviceAccounts.getIamPolicy"},
    {"POST", "/" ACCOUNTS "/*:setIamPolicy", service_account_policy_set, "iam.serviceAccounts.setIamPolicy"},
    {"POST", "/" ACCOUNTS "/*:testIamPermissions", service_account_policy_test, NULL},
    {"GET", "/" ACCOUNTS "/*/keys", service_account_key_list, "iam.serviceAccountKeys.list"},
    {"POST", "/" ACCOUNTS "/*/keys", service_account_key_create, "iam.serviceAccountKeys.create"},
    {"GET", "/" ACCOUNTS "/*/keys/*", service_account_key_get, "iam.serviceAccountKeys.get"},
    {"DELETE", "/" ACCOUNTS "/*/keys/*", service_account_key_delete, "iam.serviceAccountKeys.delete"},
    {"POST", "/" ACCOUNTS "/*:generateAccessToken", service_account_access_token, NULL},
    {"POST", "/" ACCOUNTS "/*:generateIdToken", service_account_id_token, NULL},
    {"POST", "/" ACCOUNTS "/*:signJwt", service_account_sign_jwt, NULL},
    {"POST", "/" ACCOUNTS "/*:signBlob", service_account_sign_blob, NULL},
    {"POST", ":getIamPolicy", project_policy_get, "resourcemanager.projects.getIamPolicy"},
    {"POST", ":setIamPolicy", project_policy_set, "resourcemanager.projects.setIamPolicy"},
    {"POST", ":testIamPermissions", project_policy_test, NULL},
};

/* Fills `names` with what stood at the '*'. */
static bool match_pattern(const char *pattern, const char *path, struct text_list *names) {
    AUTO_LIST struct text_list found = {0};
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*path++ != *pattern)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/:");
        if (!length)
            return false;
        text_list_take(&found, text_copy_length(path, length));
        path += length;
    }
    if (*path)
        return false;
    text_list_add_all(names, &found);
    return true;
}

/* What follows the project, or NULL when it is no path of these APIs. *project is the caller's, NULL: not asked for. */
static const char *behind_project(const char *path, char **project) {
    static const char *const versions[] = {"/v1/projects/", "/v3/projects/"};
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        if (!text_starts_with(path, versions[i]))
            continue;
        path += strlen(versions[i]);
        size_t length = strcspn(path, "/:");
        if (project)
            *project = text_copy_length(path, length);
        return path + length;
    }
    return NULL;
}

bool iam_is_path(const char *path) {
    const char *rest = behind_project(path, NULL);
    return rest && (text_starts_with(rest, "/" POOLS) || text_starts_with(rest, "/" ACCOUNTS) ||
                    (rest[0] == ':' && text_ends_with(rest, "IamPolicy")) || text_equal(rest, ":testIamPermissions"));
}

/* The project, and what is below it: who may not see it is not told whether it is there. */
static bool may_call(struct iam_call *call, const struct route *route, const char *rest) {
    bool of_account = text_starts_with(rest, "/" ACCOUNTS "/");
    bool ours = text_equal(call->project, call->cloud->project) || text_equal(call->project, call->cloud->number) ||
                (text_equal(call->project, "-") && of_account);
    const char *account = of_account ? call->names[0] : NULL;
    if (ours && (!route->permission || permitted(call->iam, &call->request->members, route->permission, account)))
        return true;
    AUTO_FREE char *resource =
        text_format("projects/%s%.*s", call->project, (int)(rest[0] == ':' ? 0 : strcspn(rest, ":")), rest);
    reply_denied(call->reply, route->permission ? route->permission : "resourcemanager.projects.get", resource);
    return false;
}

static void dispatch(struct iam_call *call, const char *rest) {
    bool other_method = false;
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        AUTO_LIST struct text_list names = {0};
        if (!match_pattern(routes[i].pattern, rest, &names))
            continue;
        other_method = true;
        if (!request_is(call->request, routes[i].method))
            continue;
        for (size_t j = 0; j < names.count && j < IAM_NAMES; j++)
            call->names[j] = names.items[j];
        pthread_mutex_lock(&call->iam->lock);
        if (may_call(call, &routes[i], rest))
            routes[i].handle(call);
        pthread_mutex_unlock(&call->iam->lock);
        return;
    }
    reply_google_error(call->reply, other_method ? 405 : 404, "the local cloud's IAM has no %s %.200s",
                       call->request->method, call->request->path);
}

static void iam_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_FREE char *project = NULL;
    const char *rest = behind_project(request->path, &project);
    struct error error = {0};
    AUTO_JSON struct json *body = request->body.length ? json_parse_secret(buffer_text(&request->body),
                                                                           request->body.length, "the request", &error)
                                                       : json_new_object();
    struct iam_call call = {
        .cloud = cloud, .iam = cloud->iam, .request = request, .reply = reply, .body = body, .project = project};
    if (!json_is_object(body))
        reply_google_error(reply, 400, "Invalid JSON payload received. %s", error.text);
    else
        dispatch(&call, rest);
}

void iam_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = iam_handle;
    request->body.limit = ASK_LIMIT;
    require_access(cloud, request, reply);
}
