#include "local/registry/internal.h"

static void base_handle(void *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    (void)request;
    reply_json(reply, 200, json_new_object());
}

static void no_such_path(struct reply *reply) {
    reply_oci_error(reply, 404, "NAME_UNKNOWN", "no path of the registry");
}

static unsigned actions_of(const struct request *request) {
    if (request_is(request, "GET") || request_is(request, "HEAD"))
        return ACTION_PULL;
    return request_is(request, "DELETE") ? ACTION_DELETE : ACTION_PULL | ACTION_PUSH;
}

/* An upload's status and its end belong to who pushes. */
static unsigned actions_on(const struct target *target, const struct request *request) {
    bool uploads = target->kind == TARGET_UPLOAD || target->kind == TARGET_UPLOADS;
    return uploads ? ACTION_PULL | ACTION_PUSH : actions_of(request);
}

static void route(struct local_cloud *cloud, struct request *request, const struct target *target,
                  struct reply *reply) {
    switch (target->kind) {
    case TARGET_BLOB:
        request->handle = blob_handle;
        break;
    case TARGET_UPLOADS:
        uploads_begin(cloud, request, target, reply);
        break;
    case TARGET_UPLOAD:
        upload_begin(cloud, request, target, reply);
        break;
    case TARGET_MANIFEST:
        request->body.limit = MANIFEST_LIMIT;
        request->handle = manifest_handle;
        break;
    case TARGET_TAGS:
        request->handle = tags_handle;
        break;
    case TARGET_REFERRERS:
        request->handle = referrers_handle;
        break;
    case TARGET_NONE:
    case TARGET_BASE:
    case TARGET_TOKEN:
    case TARGET_CATALOG:
        no_such_path(reply);
        break;
    }
}

void registry_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    AUTO_TARGET struct target target = {0};
    target_parse(request->path, &target);
    request->speaks_oci = true;
    reply_header(reply, "Docker-Distribution-Api-Version", "registry/2.0");
    reply_header(reply, "X-Content-Type-Options", "nosniff");
    if (target.kind == TARGET_TOKEN) {
        token_begin(cloud, request, reply);
        return;
    }
    if (target.kind == TARGET_BASE) {
        request->handle = base_handle;
        registry_authorize(cloud, request, NULL, 0, reply);
        return;
    }
    if (target.kind == TARGET_CATALOG) {
        request->handle = catalog_handle;
        registry_authorize(cloud, request, REGISTRY_CATALOG, 0, reply);
        return;
    }
    bool valid = target.repository && repository_is_valid(target.repository);
    /* Who may not see a repository is not told whether its name is one. */
    if (!registry_authorize(cloud, request, valid ? target.repository : NULL, actions_on(&target, request), reply))
        return;
    if (target.kind == TARGET_NONE)
        no_such_path(reply);
    else if (!valid)
        reply_oci_error(reply, 400, "NAME_INVALID", "the repository's name is not valid");
    else
        route(cloud, request, &target, reply);
}
