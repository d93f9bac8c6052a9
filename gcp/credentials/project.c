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
