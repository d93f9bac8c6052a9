/* The paths of the API v1, and who may ask. */
#include "local/knative/knative.h"

#include "local/knative/internal.h"

#include <string.h>

static const struct collection {
    const char *name, *group;
    knative_handler *handle;
} collections[] = {
    {"services", "serving.knative.dev", knative_services},
    {"revisions", "serving.knative.dev", knative_revisions},
    {"routes", "serving.knative.dev", knative_routes},
    {"configurations", "serving.knative.dev", knative_configurations},
    {"jobs", "run.googleapis.com", knative_jobs},
    {"executions", "run.googleapis.com", knative_executions},
    {"tasks", "run.googleapis.com", knative_tasks},
    {"operations", NULL, knative_operations},
    {"locations", "projects", knative_locations},
};

static const struct collection *find_collection(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(collections); i++)
        if (text_equal(collections[i].name, name))
            return &collections[i];
    return NULL;
}

/* The forms of a path: where the project, the region (0: in the host's name), the collection and the name are. */
struct form {
    size_t project, region, collection, name;
};

static const struct form *form_of(const struct text_list *parts) {
    static const struct form spaces = {4, 0, 5, 6}, projects = {2, 4, 5, 6}, locations = {2, 0, 3, 4};
    char **items = parts->items;
    if (parts->count == 4 && text_equal(items[0], "v1") && text_equal(items[3], "locations"))
        return &locations;
    if (parts->count < 6 || parts->count > 7)
        return NULL;
    if (text_equal(items[0], "apis") && text_equal(items[2], "v1") && text_equal(items[3], "namespaces"))
        return &spaces;
    if (text_equal(items[0], "v1") && text_equal(items[1], "projects") && text_equal(items[3], "locations"))
        return &projects;
    return NULL;
}

/* Without the verb after a colon, which is left in *verb (owned) when it is not NULL. */
static void split(const char *path, struct text_list *parts, char **verb) {
    const char *slash = strrchr(path, '/'), *colon = slash ? strchr(slash, ':') : NULL;
    AUTO_FREE char *plain = colon ? text_copy_length(path, (size_t)(colon - path)) : text_copy(path);
    if (verb)
        *verb = colon ? text_copy(colon + 1) : NULL;
    text_list_split(parts, plain + strspn(plain, "/"), '/');
}

bool knative_is_path(const char *path) {
    AUTO_LIST struct text_list parts = {0};
    split(path, &parts, NULL);
    const struct form *form = form_of(&parts);
    const struct collection *collection = form ? find_collection(parts.items[form->collection]) : NULL;
    return collection && (form->region || text_equal(parts.items[1], collection->group));
}

/* "us-central1-run.googleapis.localhost:8080" → "us-central1"; "-" when it says nothing. The caller frees. */
static char *region_of_host(const char *host) {
    static const char suffix[] = "-run.googleapis.localhost";
    size_t length = strcspn(host, ":"), rest = strlen(suffix);
    bool says = length > rest && strncmp(host + length - rest, suffix, rest) == 0;
    return says ? text_copy_length(host, length - rest) : text_copy("-");
}

static void path_release(struct run_path *path) {
    free(path->project);
    free(path->region);
    free(path->collection);
    free(path->name);
    free(path->verb);
}

static void path_read(const struct request *request, struct run_path *path) {
    AUTO_LIST struct text_list parts = {0};
    *path = (struct run_path){0};
    split(request->path, &parts, &path->verb);
    const struct form *form = form_of(&parts);
    path->project = text_copy(parts.items[form->project]);
    path->region = form->region ? text_copy(parts.items[form->region]) : region_of_host(request->host);
    path->collection = text_copy(parts.items[form->collection]);
    path->name = parts.count > form->name ? text_copy(parts.items[form->name]) : NULL;
}

/* ---- who may ---- */

/* NULL: nobody needs one. The caller frees. */
static char *permission_for(const struct run_path *path, const struct request *request) {
    static const struct {
        const char *method, *of_one, *of_all;
    } verbs[] = {
        {"GET", "get", "list"}, {"POST", "get", "create"}, {"PUT", "update", "update"}, {"DELETE", "delete", "delete"}};
    if (text_equal(path->verb, "testIamPermissions"))
        return NULL;
    bool own = text_equal(path->verb, "run") || text_equal(path->verb, "cancel");
    if (own || text_equal(path->verb, "getIamPolicy") || text_equal(path->verb, "setIamPolicy"))
        return text_format("run.%s.%s", path->collection, path->verb);
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (request_is(request, verbs[i].method))
            return text_format("run.%s.%s", path->collection, path->name ? verbs[i].of_one : verbs[i].of_all);
    return NULL;
}

static bool is_permitted(const struct local_cloud *cloud, const struct run_path *path, const struct request *request,
                         struct reply *reply) {
    AUTO_FREE char *permission = permission_for(path, request);
    bool ours = text_equal(path->project, cloud->project) || text_equal(path->project, cloud->number);
    if (ours && (!permission || run_may(cloud, path, request, permission)))
        return true;
    AUTO_FREE char *name = path->name ? text_format("/%s", path->name) : text_copy("");
    reply_google_error(reply, 403,
                       "Permission '%s' denied on resource 'namespaces/%s/%s%s' (or resource may not exist).",
                       permission ? permission : "run.services.get", path->project, path->collection, name);
    return false;
}

static bool is_name(const char *text) {
    return !text ||
           (*text && strlen(text) <= 63 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text));
}

static void handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    AUTO(path_release) struct run_path path;
    path_read(request, &path);
    struct knative_call call = {cloud->run, &path, request, reply};
    bool policy =
        text_ends_with(path.verb ? path.verb : "", "IamPolicy") || text_equal(path.verb, "testIamPermissions");
    if (!is_name(path.region) || !is_name(path.name) || !is_name(path.project))
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
    else if (!region_admits(path.region, reply) || !is_permitted(cloud, &path, request, reply))
        return;
    else if (policy && path.name && (text_equal(path.collection, "services") || text_equal(path.collection, "jobs")))
        policy_handle(cloud->run, &path, request, reply);
    else
        find_collection(path.collection)->handle(&call);
    if (!reply->status)
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
}

void knative_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = handle;
    require_access(cloud, request, reply);
}
