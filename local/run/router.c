/* The paths of the Admin API: /v2/projects/P/locations/L/COLLECTION[/NAME[/CHILD[/NAME[/CHILD[/NAME]]]]][:verb] */
#include "local/iam/policy.h"
#include "local/run/internal.h"

#include <string.h>

static bool is_name(const char *text) {
    size_t length = strlen(text);
    return length > 0 && length <= 63 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void path_release(struct run_path *path) {
    free(path->project);
    free(path->region);
    free(path->collection);
    free(path->name);
    free(path->child);
    free(path->child_name);
    free(path->grandchild);
    free(path->grandchild_name);
    free(path->verb);
    *path = (struct run_path){0};
}

static bool path_parse(const char *text, struct run_path *path) {
    AUTO_LIST struct text_list parts = {0};
    *path = (struct run_path){0};
    text_list_split(&parts, text + strspn(text, "/"), '/');
    if (parts.count < 6 || parts.count > 11 || !text_equal(parts.items[0], "v2") ||
        !text_equal(parts.items[1], "projects") || !text_equal(parts.items[3], "locations"))
        return false;
    char *colon = strchr(parts.items[parts.count - 1], ':');
    if (colon) {
        path->verb = text_copy(colon + 1);
        *colon = '\0';
    }
    char **fields[] = {&path->project, &path->region,     &path->collection, &path->name,
                       &path->child,   &path->child_name, &path->grandchild, &path->grandchild_name};
    static const size_t places[] = {2, 4, 5, 6, 7, 8, 9, 10};
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const char *part = places[i] < parts.count ? parts.items[places[i]] : NULL;
        bool any_region = i == 1 && part && text_equal(part, "-");
        if (part && i != 2 && i != 4 && i != 6 && !is_name(part) && !any_region) {
            path_release(path);
            return false;
        }
        *fields[i] = text_copy(part);
    }
    return true;
}

bool run_is_path(const char *path) {
    static const char *const collections[] = {"services", "operations", "jobs", "workerPools"};
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, path + strspn(path, "/"), '/');
    if (parts.count < 6 || !text_equal(parts.items[0], "v2") || !text_equal(parts.items[1], "projects") ||
        !text_equal(parts.items[3], "locations"))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(collections); i++)
        if (text_equal(parts.items[5], collections[i]))
            return true;
    return false;
}

void reply_missing(struct reply *reply, const struct run_path *path, const char *kind, const char *name) {
    reply_google_error(reply, 404, "Resource '%s' of kind '%s' in region '%s' in project '%s' does not exist.", name,
                       kind, path->region, path->project);
}

void reply_no_service(struct reply *reply, const struct run_path *path) {
    reply_missing(reply, path, "SERVICE", path->name);
}

/* ---- who may ---- */

static const struct rule {
    const char *method, *collection, *permission;
    bool of_one; /* the path names one */
} rules[] = {
    {"GET", "services", "run.services.get", true},           {"GET", "services", "run.services.list", false},
    {"POST", "services", "run.services.create", false},      {"PATCH", "services", "run.services.update", true},
    {"DELETE", "services", "run.services.delete", true},     {"GET", "revisions", "run.revisions.get", true},
    {"GET", "revisions", "run.revisions.list", false},       {"DELETE", "revisions", "run.revisions.delete", true},
    {"GET", "operations", "run.operations.get", true},       {"GET", "operations", "run.operations.list", false},
    {"DELETE", "operations", "run.operations.delete", true}, {"POST", "operations", "run.operations.get", true},
};

/* NULL: nobody needs one (or there is no such request). */
static const char *permission_for(const struct run_path *path, const struct request *request) {
    const char *collection = path->child ? path->child : path->collection;
    bool of_one = path->child ? path->child_name != NULL : path->name != NULL;
    if (text_equal(path->verb, "getIamPolicy"))
        return "run.services.getIamPolicy";
    if (text_equal(path->verb, "setIamPolicy"))
        return "run.services.setIamPolicy";
    if (text_equal(path->verb, "testIamPermissions"))
        return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (request_is(request, rules[i].method) && text_equal(rules[i].collection, collection) &&
            rules[i].of_one == of_one)
            return rules[i].permission;
    return NULL;
}

bool run_may(const struct local_cloud *cloud, const struct run_path *path, const struct request *request,
             const char *permission) {
    if (request_may(cloud, request, permission))
        return true;
    struct run *run = cloud->run;
    bool of_service = text_equal(path->collection, "services") && path->name;
    pthread_mutex_lock(&run->lock);
    const struct service *service = of_service ? run_find(run, cloud->project, path->region, path->name) : NULL;
    bool permits = service && policy_permits(service->policy, &request->members, permission);
    pthread_mutex_unlock(&run->lock);
    return permits;
}

static void reply_denied(const struct run_path *path, const char *permission, struct reply *reply) {
    AUTO_FREE char *name = path->name ? text_format("/%s/%s", path->collection, path->name) : text_copy("");
    reply_google_error(reply, 403,
                       "Permission '%s' denied on resource 'projects/%s/locations/%s%s' (or resource may not exist).",
                       permission, path->project, path->region, name);
}

static bool check_permission(const struct local_cloud *cloud, const struct run_path *path,
                             const struct request *request, struct reply *reply) {
    const char *permission = permission_for(path, request);
    bool ours = text_equal(path->project, cloud->project) || text_equal(path->project, cloud->number);
    if (!ours)
        permission = permission ? permission : "run.services.get";
    if (!permission || (ours && run_may(cloud, path, request, permission)))
        return true;
    reply_denied(path, permission, reply);
    return false;
}

static void handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    AUTO(path_release) struct run_path path;
    if (!path_parse(request->path, &path)) {
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
        return;
    }
    bool policy = text_equal(path.verb, "getIamPolicy") || text_equal(path.verb, "setIamPolicy") ||
                  text_equal(path.verb, "testIamPermissions");
    if (!check_permission(cloud, &path, request, reply))
        return;
    if (text_equal(path.collection, "services") && path.name && !path.child && policy)
        policy_handle(cloud->run, &path, request, reply);
    else if (text_equal(path.collection, "services"))
        services_handle(cloud->run, &path, request, reply);
    else if (text_equal(path.collection, "operations"))
        operations_handle(cloud->run, &path, request, reply);
    if (!reply->status)
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
}

void run_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = handle;
    require_access(cloud, request, reply);
}
