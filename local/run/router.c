/* The paths of the Admin API: /v2/projects/P/locations/L/COLLECTION[/NAME[/CHILD[/NAME[/CHILD[/NAME]]]]][:verb] */
#include "local/iam/policy.h"
#include "local/run/internal.h"
#include "local/run/jobs.h"

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
    bool of_one;      /* the path names one */
    const char *verb; /* of a POST of one; NULL: any that has no row of its own */
} rules[] = {
    {"GET", "services", "run.services.get", true, NULL},
    {"GET", "services", "run.services.list", false, NULL},
    {"POST", "services", "run.services.create", false, NULL},
    {"PATCH", "services", "run.services.update", true, NULL},
    {"DELETE", "services", "run.services.delete", true, NULL},
    {"GET", "revisions", "run.revisions.get", true, NULL},
    {"GET", "revisions", "run.revisions.list", false, NULL},
    {"DELETE", "revisions", "run.revisions.delete", true, NULL},
    {"GET", "jobs", "run.jobs.get", true, NULL},
    {"GET", "jobs", "run.jobs.list", false, NULL},
    {"POST", "jobs", "run.jobs.create", false, NULL},
    {"POST", "jobs", "run.jobs.run", true, "run"},
    {"PATCH", "jobs", "run.jobs.update", true, NULL},
    {"DELETE", "jobs", "run.jobs.delete", true, NULL},
    {"GET", "executions", "run.executions.get", true, NULL},
    {"GET", "executions", "run.executions.list", false, NULL},
    {"POST", "executions", "run.executions.cancel", true, "cancel"},
    {"DELETE", "executions", "run.executions.delete", true, NULL},
    {"GET", "tasks", "run.tasks.get", true, NULL},
    {"GET", "tasks", "run.tasks.list", false, NULL},
    {"GET", "operations", "run.operations.get", true, NULL},
    {"GET", "operations", "run.operations.list", false, NULL},
    {"DELETE", "operations", "run.operations.delete", true, NULL},
    {"POST", "operations", "run.operations.get", true, NULL},
};

static const char *policy_permission(const struct run_path *path) {
    bool job = text_equal(path->collection, "jobs");
    if (text_equal(path->verb, "getIamPolicy"))
        return job ? "run.jobs.getIamPolicy" : "run.services.getIamPolicy";
    if (text_equal(path->verb, "setIamPolicy"))
        return job ? "run.jobs.setIamPolicy" : "run.services.setIamPolicy";
    return NULL;
}

/* NULL: nobody needs one (or there is no such request). */
static const char *permission_for(const struct run_path *path, const struct request *request) {
    const char *collection = path->grandchild ? path->grandchild : path->child ? path->child : path->collection;
    const char *name = path->grandchild ? path->grandchild_name : path->child ? path->child_name : path->name;
    if (policy_permission(path) || text_equal(path->verb, "testIamPermissions"))
        return policy_permission(path);
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (request_is(request, rules[i].method) && text_equal(rules[i].collection, collection) &&
            rules[i].of_one == (name != NULL) && (!rules[i].verb || text_equal(rules[i].verb, path->verb)))
            return rules[i].permission;
    return NULL;
}

bool run_may(const struct local_cloud *cloud, const struct run_path *path, const struct request *request,
             const char *permission) {
    if (request_may(cloud, request, permission))
        return true;
    struct run *run = cloud->run;
    pthread_mutex_lock(&run->lock);
    const struct json *policy = policy_find(run, path);
    bool permits = policy && policy_permits(policy, &request->members, permission);
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
    if (!region_admits(path.region, reply))
        return;
    bool policy = text_equal(path.verb, "getIamPolicy") || text_equal(path.verb, "setIamPolicy") ||
                  text_equal(path.verb, "testIamPermissions");
    if (!check_permission(cloud, &path, request, reply))
        return;
    bool has_policy = text_equal(path.collection, "services") || text_equal(path.collection, "jobs");
    if (has_policy && path.name && !path.child && policy)
        policy_handle(cloud->run, &path, request, reply);
    else if (text_equal(path.collection, "services"))
        services_handle(cloud->run, &path, request, reply);
    else if (text_equal(path.collection, "jobs"))
        jobs_handle(cloud->run, &path, request, reply);
    else if (text_equal(path.collection, "operations"))
        operations_handle(cloud->run, &path, request, reply);
    if (!reply->status)
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
}

void run_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = handle;
    require_access(cloud, request, reply);
}
