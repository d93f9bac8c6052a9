/* The small parts of other Google APIs that deploying clients ask: Service Usage, Resource Manager, Firebase projects,
 * Cloud Functions (there are none). Artifact Registry's API is
 * local/registry/artifact.c. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/cloud.h"
#include "local/registry/internal.h"

#include <string.h>

/* The parts of "/v1/projects/P/…", the verb after the last ':' cut off. */
struct path {
    struct text_list parts;
    char *verb;
};

static void path_split(const char *text, struct path *path) {
    *path = (struct path){0};
    const char *slash = strrchr(text, '/'), *colon = slash ? strchr(slash, ':') : NULL;
    AUTO_FREE char *plain = colon ? text_copy_length(text, (size_t)(colon - text)) : text_copy(text);
    path->verb = colon ? text_copy(colon + 1) : NULL;
    text_list_split(&path->parts, plain + strspn(plain, "/"), '/');
}

static void path_release(struct path *path) {
    text_list_release(&path->parts);
    free(path->verb);
}

static bool part_is(const struct path *path, size_t index, const char *word) {
    return index < path->parts.count && text_equal(path->parts.items[index], word);
}

static void reply_done(struct reply *reply, const char *name, struct json *response) {
    struct json *operation = json_new_object();
    json_set_text(operation, "name", name);
    json_set_bool(operation, "done", true);
    json_set(operation, "response", response);
    reply_json(reply, 200, operation);
}

/* All APIs of the local cloud are on. */
static struct json *service_json(const struct local_cloud *cloud, const char *id) {
    struct json *service = json_new_object(), *config = json_new_object();
    AUTO_FREE char *name = text_format("projects/%s/services/%s", cloud->number, id);
    AUTO_FREE char *parent = text_format("projects/%s", cloud->number);
    json_set_text(config, "name", id);
    json_set_text(service, "name", name);
    json_set(service, "config", config);
    json_set_text(service, "state", "ENABLED");
    json_set_text(service, "parent", parent);
    return service;
}

/* services:batchGet?names=projects/P/services/ID&…, services:batchEnable {"serviceIds": [ID, …]} */
static void handle_services(const struct local_cloud *cloud, const struct request *request, const struct path *path,
                            struct reply *reply) {
    AUTO_LIST struct text_list names = {0};
    struct json *services = json_new_array(), *answer = json_new_object();
    bool enable = request_is(request, "POST") && text_equal(path->verb, "batchEnable");
    AUTO_JSON struct json *body =
        enable ? json_parse(buffer_text(&request->body), request->body.length, "the request", NULL) : NULL;
    const struct json *ids = json_get(body, "serviceIds");
    for (size_t i = 0; i < json_count(ids); i++)
        text_list_add(&names, json_text(json_at(ids, i)) ? json_text(json_at(ids, i)) : "");
    if (request_is(request, "GET") && text_equal(path->verb, "batchGet"))
        request_query_all(request, "names", &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *slash = strrchr(names.items[i], '/');
        json_append(services, service_json(cloud, slash ? slash + 1 : names.items[i]));
    }
    json_set(answer, "services", services);
    if (names.count == 0 || names.count > 20) {
        json_release(&answer);
        reply_google_error(reply, 400, "Request must have between 1 and 20 services.");
    } else if (enable) {
        reply_done(reply, "operations/noop.DONE_OPERATION", answer);
    } else {
        reply_json(reply, 200, answer);
    }
}

static void handle_service(const struct local_cloud *cloud, const struct request *request, const struct path *path,
                           struct reply *reply) {
    struct json *service = service_json(cloud, path->parts.items[4]);
    if (request_is(request, "POST") && text_equal(path->verb, "enable"))
        reply_done(reply, "operations/noop.DONE_OPERATION", service);
    else
        reply_json(reply, 200, service);
}

static void handle_project(const struct local_cloud *cloud, const struct path *path, struct reply *reply) {
    const char *project = path->parts.items[2];
    struct json *document = json_new_object();
    if (part_is(path, 0, "v3")) {
        AUTO_FREE char *name = text_format("projects/%s", cloud->number);
        json_set_text(document, "name", name);
        json_set_text(document, "projectId", project);
        json_set_text(document, "state", "ACTIVE");
    } else {
        json_set_text(document, "projectNumber", cloud->number);
        json_set_text(document, "projectId", project);
        json_set_text(document, "name", project);
        json_set_text(document, "lifecycleState", "ACTIVE");
    }
    reply_json(reply, 200, document);
}

/* firebase.googleapis.com: the project with its default site. */
static void handle_firebase_project(const struct local_cloud *cloud, const struct path *path, struct reply *reply) {
    const char *asked = path->parts.items[2];
    if (!text_equal(asked, cloud->project) && !text_equal(asked, cloud->number) && !text_equal(asked, "-")) {
        reply_google_error(reply, 403, "The caller does not have permission");
        return;
    }
    struct json *document = json_new_object(), *resources = json_new_object();
    AUTO_FREE char *name = text_format("projects/%s", cloud->project);
    json_set_text(resources, "hostingSite", cloud->project);
    json_set_text(document, "name", name);
    json_set_text(document, "projectId", cloud->project);
    json_set_text(document, "projectNumber", cloud->number);
    json_set_text(document, "displayName", cloud->project);
    json_set(document, "resources", resources);
    json_set_text(document, "state", "ACTIVE");
    reply_json(reply, 200, document);
}

/* What a request needs, by what its path is about. */
static const char *permission_for(const struct request *request, const struct path *path) {
    if (part_is(path, 0, "v1beta1"))
        return "firebase.projects.get";
    if (part_is(path, 3, "services"))
        return request_is(request, "GET") ? "serviceusage.services.get" : "serviceusage.services.enable";
    if (part_is(path, 5, "repositories"))
        return artifact_permission(request);
    return part_is(path, 5, "functions") ? "cloudfunctions.functions.list" : "resourcemanager.projects.get";
}

static void google_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    AUTO(path_release) struct path path;
    path_split(request->path, &path);
    bool in_project = part_is(&path, 1, "projects") && path.parts.count > 2 && repository_is_valid(path.parts.items[2]);
    bool functions = in_project && path.parts.count == 6 && part_is(&path, 5, "functions");
    const char *permission = permission_for(request, &path);
    if (in_project && !request_may(cloud, request, permission))
        reply_google_error(reply, 403, "Permission '%s' denied on resource '%.200s' (or it may not exist).", permission,
                           request->path + strcspn(request->path + 1, "/") + 2);
    else if (in_project && path.parts.count == 3 && part_is(&path, 0, "v1beta1") && !path.verb)
        handle_firebase_project(cloud, &path, reply);
    else if (functions && request_is(request, "GET"))
        reply_json(reply, 200, json_new_object());
    else if (in_project && path.parts.count == 3 && !path.verb)
        handle_project(cloud, &path, reply);
    else if (in_project && path.parts.count == 5 && part_is(&path, 3, "services"))
        handle_service(cloud, request, &path, reply);
    else if (in_project && path.parts.count == 4 && part_is(&path, 3, "services"))
        handle_services(cloud, request, &path, reply);
    else if (in_project && path.parts.count >= 6 && part_is(&path, 3, "locations") &&
             repository_is_valid(path.parts.items[4]) && part_is(&path, 5, "repositories"))
        artifact_handle(cloud, request, reply);
    if (!reply->status)
        reply_google_error(reply, 404, "the local cloud has no %s %.200s", request->method, request->path);
}

void google_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = google_handle;
    require_access(cloud, request, reply);
}
