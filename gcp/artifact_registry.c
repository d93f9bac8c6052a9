#include "gcp/artifact_registry.h"

#include "gcp/operation.h"

static int make(struct cloud *cloud, const char *parent, const char *repository, struct error *error) {
    static const long taken[] = {409, 0};
    AUTO_FREE char *what = text_format("cannot make the repository %s", repository);
    AUTO_FREE char *url =
        text_format("%s/v1/%s?repositoryId=%s", endpoint_url(ENDPOINT_ARTIFACT_REGISTRY), parent, repository);
    AUTO_JSON struct json *body = json_new_object(), *operation = NULL;
    long status = 0;
    json_set_text(body, "format", "DOCKER");
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = what, .accept = taken};
    if (cloud_call(cloud, &request, &operation, &status, error) < 0)
        return -1;
    /* Somebody else made it in between. */
    return status == 409 ? 0 : operation_wait(cloud, ENDPOINT_ARTIFACT_REGISTRY, what, &operation, error);
}

int artifact_repository_ensure(struct cloud *cloud, const char *region, const char *repository, bool *made,
                               struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *parent = text_format("projects/%s/locations/%s/repositories", cloud->project, region);
    AUTO_FREE char *url = text_format("%s/v1/%s/%s", endpoint_url(ENDPOINT_ARTIFACT_REGISTRY), parent, repository);
    AUTO_FREE char *what = text_format("cannot read the repository %s", repository);
    AUTO_JSON struct json *found = NULL;
    struct cloud_request request = {.url = url, .what = what, .accept = missing};
    if (cloud_call(cloud, &request, &found, NULL, error) < 0)
        return -1;
    *made = !found;
    if (!found)
        return make(cloud, parent, repository, error);
    const char *format = json_get_text(found, "format", "DOCKER");
    if (text_equal(format, "DOCKER"))
        return 0;
    error_set(error, ERROR_DATA, "the repository %s in %s holds %.40s packages, no images", repository, region, format);
    return error_next(error, "name another: --repo NAME");
}
