/* What the credentials may do: testIamPermissions, before it is tried. */
#ifndef GCP_PERMISSIONS_H
#define GCP_PERMISSIONS_H

#include "gcp/cloud.h"

/* What one tool of pl asks of Google, for people and for --for. */
struct permission_need {
    const char *tool;               /* "push-image" */
    const char *const *permissions; /* ends with NULL */
    bool on_request;                /* not everybody who deploys needs it */
};
/* push-image, run-deploy, run-job, firebase-deploy; ends with one whose tool is NULL. */
extern const struct permission_need permission_needs[];

/* Which of `permissions` (at most 100) the credentials lack on the project, appended to `lacking`. */
int permissions_test_project(struct cloud *cloud, const char *const *permissions, struct text_list *lacking,
                             struct error *error) MUST_CHECK;
/* The same on one repository of Artifact Registry: what was granted there alone counts as well. */
int permissions_test_repository(struct cloud *cloud, const char *repository, const char *const *permissions,
                                struct text_list *lacking, struct error *error) MUST_CHECK;

#endif
