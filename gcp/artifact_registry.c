#include "gcp/artifact_registry.h"

#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum { POLL_MILLISECONDS = 500, POLLS_MOST = 240 };

/* "projects/P/locations/R/operations/ID" */
static bool is_operation(const char *name) {
    return name && text_starts_with(name, "projects/") && strstr(name, "/operations/") && !strstr(name, "..") &&
           !strpbrk(name, "?#%\\ ");
}

static int wait_for(struct cloud *cloud, const char *what, struct json **operation, struct error *error) {
    for (int i = 0; !json_get_bool(*operation, "done", false); i++) {
        const char *name = json_get_text(*operation, "name", NULL);
        if (!is_operation(name))
            return error_set(error, ERROR_PROTOCOL, "%s: the answer names no operation to wait for", what);
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while the repository is made");
        if (i == POLLS_MOST)
            return error_set(error, ERROR_TIMEOUT, "%s: it is not there after %d s", what,
                             POLLS_MOST * POLL_MILLISECONDS / 1000);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MILLISECONDS * 1000000}, NULL);
        AUTO_FREE char *url = text_format("%s/v1/%s", endpoint_url(ENDPOINT_ARTIFACT_REGISTRY), name);
        struct cloud_request request = {.url = url, .what = what};
        struct json *asked = NULL;
        if (cloud_call(cloud, &request, &asked, NULL, error) < 0)
            return -1;
        json_release(operation);
        *operation = asked;
    }
    const struct json *failure = json_get(*operation, "error");
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    return json_is_null(failure) ? 0 : google_status_set(error, what, failure, &subject);
}

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
    return status == 409 ? 0 : wait_for(cloud, what, &operation, error);
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
