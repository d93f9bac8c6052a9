/* Which project is meant. */
#include "gcp/credentials/type.h"

#include "gcp/credentials/gcloud.h"

#include <string.h>

int project_check(const char *project, struct error *error) {
    size_t length = strlen(project);
    if (length >= 1 && length <= 100 && project[0] != '-' &&
        strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789-.:") == length)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "\"%.100s\" is no project id", project);
    return error_next(error, "give the id (not the name) of the project: --project my-project-123");
}

/* The pool's project, whose id Resource Manager tells to those who may see it. */
static char *project_of_pool(struct credentials *credentials, struct http *http) {
    const char *number = credentials_project_number(credentials);
    const char *token = number ? credentials_token(credentials, http, false, NULL) : NULL;
    if (!token)
        return NULL;
    AUTO_FREE char *url = text_format("%s/v1/projects/%s", endpoint_url(ENDPOINT_RESOURCE_MANAGER), number);
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.url = url, .authorization = HTTP_BEARER, .secret = token};
    if (http_perform(http, &request, &response, NULL) < 0 || response.status != 200)
        return NULL;
    AUTO_JSON struct json *reply = json_parse(buffer_text(&response.body), response.body.length, "the project", NULL);
    return text_copy(json_get_text(reply, "projectId", NULL));
}

char *credentials_project(struct credentials *credentials, struct http *http, const char *wanted, struct error *error) {
    const char *given[] = {wanted, getenv("GOOGLE_CLOUD_PROJECT"), getenv("GCLOUD_PROJECT"),
                           getenv("CLOUDSDK_CORE_PROJECT")};
    char *project = NULL;
    for (size_t i = 0; !project && i < ARRAY_LENGTH(given); i++)
        if (!text_is_empty(given[i]))
            project = text_copy(given[i]);
    if (!project && !credentials_are_metadata(credentials))
        project = credentials_own_project(credentials, http);
    if (!project && !endpoints_are_local())
        project = gcloud_project();
    if (!project && credentials_are_metadata(credentials))
        project = credentials_own_project(credentials, http);
    if (!project)
        project = project_of_pool(credentials, http);
    if (!project) {
        error_set(error, ERROR_CONFIGURATION,
                  "which project? Neither --project nor GOOGLE_CLOUD_PROJECT says it, nor "
                  "do the credentials");
        error_next(error, "give --project ID, or export GOOGLE_CLOUD_PROJECT=ID");
        return NULL;
    }
    if (project_check(project, error) < 0) {
        free(project);
        return NULL;
    }
    return project;
}
