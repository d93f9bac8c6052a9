#include "gcp/permissions.h"

static const char *const push_image[] = {"artifactregistry.repositories.uploadArtifacts",
                                         "artifactregistry.repositories.downloadArtifacts", NULL};
static const char *const run_deploy[] = {"run.services.get",
                                         "run.services.create",
                                         "run.services.update",
                                         "run.operations.get",
                                         "run.revisions.get",
                                         "iam.serviceAccounts.actAs",
                                         NULL};
static const char *const run_job[] = {"run.jobs.get",
                                      "run.jobs.create",
                                      "run.jobs.update",
                                      "run.jobs.run",
                                      "run.jobs.runWithOverrides",
                                      "run.executions.get",
                                      "run.tasks.list",
                                      "logging.logEntries.list",
                                      "iam.serviceAccounts.actAs",
                                      NULL};
static const char *const firebase_deploy[] = {"firebasehosting.sites.get", "firebasehosting.sites.update", NULL};

const struct permission_need permission_needs[] = {
    {.tool = "push-image", .permissions = push_image},
    {.tool = "run-deploy", .permissions = run_deploy},
    {.tool = "run-job", .permissions = run_job, .on_request = true},
    {.tool = "firebase-deploy", .permissions = firebase_deploy},
    {0},
};

static bool is_granted(const struct json *granted, const char *permission) {
    for (size_t i = 0; i < json_count(granted); i++)
        if (text_equal(json_text(json_at(granted, i)), permission))
            return true;
    return false;
}

static int test(struct cloud *cloud, const char *url, const char *what, const char *const *permissions,
                struct text_list *lacking, struct error *error) {
    AUTO_JSON struct json *body = json_new_object(), *reply = NULL;
    struct json *array = json_new_array();
    for (size_t i = 0; permissions[i]; i++)
        json_append_text(array, permissions[i]);
    json_set(body, "permissions", array);
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = what, .idempotent = true};
    if (cloud_call(cloud, &request, &reply, NULL, error) < 0)
        return -1;
    for (size_t i = 0; permissions[i]; i++)
        if (!is_granted(json_get(reply, "permissions"), permissions[i]))
            text_list_add(lacking, permissions[i]);
    return 0;
}

int permissions_test_project(struct cloud *cloud, const char *const *permissions, struct text_list *lacking,
                             struct error *error) {
    AUTO_FREE char *url =
        text_format("%s/v1/projects/%s:testIamPermissions", endpoint_url(ENDPOINT_RESOURCE_MANAGER), cloud->project);
    AUTO_FREE char *what = text_format("cannot see what is permitted in project %s", cloud->project);
    return test(cloud, url, what, permissions, lacking, error);
}

int permissions_test_repository(struct cloud *cloud, const char *repository, const char *const *permissions,
                                struct text_list *lacking, struct error *error) {
    AUTO_FREE char *name = url_encode(repository);
    AUTO_FREE char *url = text_format("%s/v1/projects/%s/locations/%s/repositories/%s:testIamPermissions",
                                      endpoint_url(ENDPOINT_ARTIFACT_REGISTRY), cloud->project, cloud->region, name);
    AUTO_FREE char *what = text_format("cannot see what is permitted in the repository %s", repository);
    return test(cloud, url, what, permissions, lacking, error);
}
