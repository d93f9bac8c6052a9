#include "gcp/run/resource.h"

#include "gcp/google_error.h"
#include "gcp/run/operation.h"

#include <string.h>

enum { RESOURCE_LIMIT = 4 << 20, DELETE_SECONDS = 300 };

const char *run_short_name(const char *resource) {
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    return slash ? slash + 1 : resource;
}

char *run_url(const char *path) {
    return text_format("%s/v2/%s", endpoint_url(ENDPOINT_RUN), path);
}

int run_resource_get(struct cloud *cloud, const struct run_kind *kind, const char *path, struct json **resource,
                     struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *url = run_url(path);
    AUTO_FREE char *what = text_format("cannot read %s %s", kind->noun, run_short_name(path));
    struct cloud_request request = {.url = url, .what = what, .accept = missing, .response_limit = RESOURCE_LIMIT};
    return cloud_call(cloud, &request, resource, NULL, error);
}

int run_resource_find(struct cloud *cloud, const struct run_kind *kind, const char *path, struct json **resource,
                      struct error *error) {
    if (run_resource_get(cloud, kind, path, resource, error) < 0)
        return -1;
    if (*resource)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "there is no %s %s in %s", kind->noun, run_short_name(path), cloud->region);
    return error_next(error, "what there is: %s --list --region %s", kind->tool, cloud->region);
}

int run_resource_list(struct cloud *cloud, const struct run_kind *kind, struct json **resources, struct error *error) {
    AUTO_FREE char *path = text_format("projects/%s/locations/%s/%s", cloud->project, cloud->region, kind->collection);
    AUTO_FREE char *url = run_url(path),
                   *what = text_format("cannot list the %s of %s", kind->collection, cloud->region);
    AUTO_JSON struct json *all = json_new_array();
    if (cloud_list(cloud, url, kind->collection, what, all, error) < 0)
        return -1;
    *resources = take_pointer(&all);
    return 0;
}

int run_resource_delete(struct cloud *cloud, const struct run_kind *kind, const char *path, bool *existed,
                        struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *url = run_url(path), *what = text_format("cannot delete %s %s", kind->noun, run_short_name(path));
    AUTO_JSON struct json *operation = NULL;
    struct cloud_request request = {.method = "DELETE", .url = url, .what = what, .accept = missing};
    long status = 0;
    if (cloud_call(cloud, &request, &operation, &status, error) < 0)
        return -1;
    *existed = status != 404;
    if (!*existed)
        return 0;
    if (run_operation_wait(cloud, &operation, DELETE_SECONDS, error) < 0)
        return -1;
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    const struct json *failure = json_get(operation, "error");
    return json_is_null(failure) ? 0 : google_status_set(error, what, failure, &subject);
}

int run_resource_patch(struct cloud *cloud, const struct run_kind *kind, const char *path,
                       const struct run_patch *patch, struct json **operation, bool *conflict, struct error *error) {
    static const long conflicts[] = {409, 412, 0};
    AUTO_FREE char *fields = kind->masked ? url_encode(patch->mask) : NULL;
    AUTO_FREE char *mask = fields ? text_format("&updateMask=%s", fields) : text_copy("");
    AUTO_FREE char *url = text_format("%s/v2/%s?allowMissing=true%s%s%s", endpoint_url(ENDPOINT_RUN), path, mask,
                                      patch->validate ? "&validateOnly=true" : "",
                                      patch->new_revision && kind->masked ? "&forceNewRevision=true" : "");
    AUTO_FREE char *what =
        text_format("cannot %s %s %s", patch->validate ? "validate" : "deploy", kind->noun, run_short_name(path));
    struct cloud_request request = {.method = "PATCH",
                                    .url = url,
                                    .body = patch->body,
                                    .what = what,
                                    .idempotent = true,
                                    .accept = conflicts,
                                    .response_limit = RESOURCE_LIMIT};
    long status = 0;
    if (cloud_call(cloud, &request, operation, &status, error) < 0)
        return -1;
    *conflict = status == 409 || status == 412;
    if (!*conflict && !json_is_object(*operation))
        return error_set(error, ERROR_PROTOCOL, "%s: the answer is no operation", what);
    return 0;
}
