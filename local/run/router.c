/* The paths of the Admin API: /v2/projects/P/locations/L/COLLECTION[/NAME[/CHILD[/NAME]]][:verb] */
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
    free(path->verb);
    *path = (struct run_path){0};
}

static bool path_parse(const char *text, struct run_path *path) {
    AUTO_LIST struct text_list parts = {0};
    *path = (struct run_path){0};
    text_list_split(&parts, text + strspn(text, "/"), '/');
    if (parts.count < 6 || parts.count > 9 || !text_equal(parts.items[0], "v2") ||
        !text_equal(parts.items[1], "projects") || !text_equal(parts.items[3], "locations"))
        return false;
    char *colon = strchr(parts.items[parts.count - 1], ':');
    if (colon) {
        path->verb = text_copy(colon + 1);
        *colon = '\0';
    }
    char **fields[] = {&path->project, &path->region, &path->collection, &path->name, &path->child, &path->child_name};
    static const size_t places[] = {2, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const char *part = places[i] < parts.count ? parts.items[places[i]] : NULL;
        bool any_region = i == 1 && part && text_equal(part, "-");
        if (part && i != 2 && i != 4 && !is_name(part) && !any_region) {
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

void reply_no_service(struct reply *reply, const struct run_path *path) {
    reply_google_error(reply, 404, "Resource '%s' of kind 'SERVICE' in region '%s' in project '%s' does not exist.",
                       path->name, path->region, path->project);
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
    if (!text_equal(path.project, cloud->project) && !text_equal(path.project, cloud->number))
        reply_google_error(reply, 403,
                           "Permission 'run.services.get' denied on resource 'projects/%s/locations/%s/services/%s' "
                           "(or resource may not exist).",
                           path.project, path.region, path.name ? path.name : "");
    else if (text_equal(path.collection, "services") && path.name && !path.child && policy)
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
