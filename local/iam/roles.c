/* The permissions of the predefined roles, as far as pl, gcloud and firebase-tools ask for them
 * (cloud.google.com/iam/docs/roles-permissions). */
#include "local/iam/policy.h"

#include <fnmatch.h>
#include <string.h>

enum { PATTERNS = 14 };

/* Patterns as of fnmatch(3); one that begins with '!' takes away what earlier ones gave. */
static const struct role {
    const char *name;
    const char *patterns[PATTERNS];
} roles[] = {
    {"roles/owner", {"*"}},
    {"roles/editor",
     {"*", "!*.setIamPolicy", "!iam.*", "!*.delete*IamPolicy", "iam.serviceAccounts.actAs", "iam.serviceAccounts.get",
      "iam.serviceAccounts.list", "!resourcemanager.projects.delete"}},
    {"roles/viewer", {"*.get", "*.list", "*.downloadArtifacts"}},
    {"roles/browser", {"resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"}},
    {"roles/run.admin", {"run.*", "resourcemanager.projects.get"}},
    {"roles/run.developer", {"run.*", "!run.*.setIamPolicy", "!run.routes.invoke", "resourcemanager.projects.get"}},
    {"roles/run.viewer", {"run.*.get", "run.*.list", "run.services.getIamPolicy", "resourcemanager.projects.get"}},
    {"roles/run.invoker", {"run.routes.invoke", "run.jobs.run"}},
    {"roles/run.servicesInvoker", {"run.routes.invoke"}},
    {"roles/run.jobsExecutor", {"run.jobs.run", "run.executions.cancel", "run.executions.get", "run.operations.get"}},
    {"roles/run.jobsExecutorWithOverrides",
     {"run.jobs.run", "run.jobs.runWithOverrides", "run.executions.cancel", "run.executions.get",
      "run.operations.get"}},
    {"roles/secretmanager.admin", {"secretmanager.*", "resourcemanager.projects.get"}},
    {"roles/secretmanager.secretAccessor", {"secretmanager.versions.access", "resourcemanager.projects.get"}},
    {"roles/secretmanager.secretVersionAdder", {"secretmanager.versions.add", "resourcemanager.projects.get"}},
    {"roles/secretmanager.viewer", {"secretmanager.*.get", "secretmanager.*.list", "resourcemanager.projects.get"}},
    {"roles/artifactregistry.reader",
     {"artifactregistry.repositories.downloadArtifacts", "artifactregistry.*.get", "artifactregistry.*.list"}},
    {"roles/artifactregistry.writer",
     {"artifactregistry.repositories.downloadArtifacts", "artifactregistry.repositories.uploadArtifacts",
      "artifactregistry.*.get", "artifactregistry.*.list", "artifactregistry.tags.create",
      "artifactregistry.tags.update"}},
    {"roles/artifactregistry.createOnPushWriter",
     {"artifactregistry.repositories.downloadArtifacts", "artifactregistry.repositories.uploadArtifacts",
      "artifactregistry.repositories.createOnPush", "artifactregistry.*.get", "artifactregistry.*.list",
      "artifactregistry.tags.create", "artifactregistry.tags.update"}},
    {"roles/artifactregistry.repoAdmin",
     {"artifactregistry.*", "!artifactregistry.repositories.create", "!artifactregistry.repositories.delete",
      "!artifactregistry.*.setIamPolicy"}},
    {"roles/artifactregistry.admin", {"artifactregistry.*"}},
    {"roles/firebasehosting.admin",
     {"firebasehosting.*", "firebase.projects.get", "firebase.clients.get", "firebase.clients.list",
      "resourcemanager.projects.get"}},
    {"roles/firebasehosting.viewer",
     {"firebasehosting.sites.get", "firebasehosting.sites.list", "firebase.projects.get",
      "resourcemanager.projects.get"}},
    {"roles/firebase.admin",
     {"firebase.*", "firebasehosting.*", "firebaseauth.*", "resourcemanager.projects.get", "run.services.get",
      "serviceusage.services.get", "serviceusage.services.list"}},
    {"roles/firebase.viewer",
     {"firebase.*.get", "firebase.*.list", "firebasehosting.*.get", "firebasehosting.*.list", "firebaseauth.*.get",
      "resourcemanager.projects.get"}},
    {"roles/firebaseauth.admin", {"firebaseauth.*", "firebase.projects.get", "resourcemanager.projects.get"}},
    {"roles/iam.workloadIdentityUser",
     {"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken", "iam.serviceAccounts.get",
      "iam.serviceAccounts.list"}},
    {"roles/iam.serviceAccountTokenCreator",
     {"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken",
      "iam.serviceAccounts.implicitDelegation", "iam.serviceAccounts.signBlob", "iam.serviceAccounts.signJwt",
      "iam.serviceAccounts.get", "iam.serviceAccounts.list"}},
    {"roles/iam.serviceAccountOpenIdTokenCreator", {"iam.serviceAccounts.getOpenIdToken"}},
    {"roles/iam.serviceAccountUser",
     {"iam.serviceAccounts.actAs", "iam.serviceAccounts.get", "iam.serviceAccounts.list",
      "resourcemanager.projects.get"}},
    {"roles/iam.serviceAccountViewer",
     {"iam.serviceAccounts.get", "iam.serviceAccounts.list", "iam.serviceAccounts.getIamPolicy",
      "iam.serviceAccountKeys.get", "iam.serviceAccountKeys.list"}},
    {"roles/iam.serviceAccountKeyAdmin",
     {"iam.serviceAccountKeys.*", "iam.serviceAccounts.get", "iam.serviceAccounts.list"}},
    {"roles/iam.serviceAccountAdmin",
     {"iam.serviceAccounts.create", "iam.serviceAccounts.delete", "iam.serviceAccounts.disable",
      "iam.serviceAccounts.enable", "iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy",
      "iam.serviceAccounts.list", "iam.serviceAccounts.setIamPolicy", "iam.serviceAccounts.undelete",
      "iam.serviceAccounts.update", "resourcemanager.projects.get"}},
    {"roles/iam.workloadIdentityPoolAdmin",
     {"iam.workloadIdentityPools.*", "iam.workloadIdentityPoolProviders.*", "resourcemanager.projects.get"}},
    {"roles/iam.workloadIdentityPoolViewer",
     {"iam.workloadIdentityPools.get", "iam.workloadIdentityPools.list", "iam.workloadIdentityPoolProviders.get",
      "iam.workloadIdentityPoolProviders.list", "resourcemanager.projects.get"}},
    {"roles/iam.securityReviewer", {"*.getIamPolicy", "*.list"}},
    {"roles/iam.securityAdmin", {"*.getIamPolicy", "*.setIamPolicy", "*.list"}},
    {"roles/resourcemanager.projectIamAdmin",
     {"resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy",
      "resourcemanager.projects.setIamPolicy"}},
    {"roles/serviceusage.serviceUsageConsumer",
     {"serviceusage.services.use", "serviceusage.services.get", "serviceusage.services.list"}},
    {"roles/serviceusage.serviceUsageViewer", {"serviceusage.services.get", "serviceusage.services.list"}},
    {"roles/serviceusage.serviceUsageAdmin", {"serviceusage.*"}},
    {"roles/logging.viewer", {"logging.logEntries.list", "logging.logs.list", "resourcemanager.projects.get"}},
    {"roles/secretmanager.secretAccessor", {"secretmanager.versions.access", "resourcemanager.projects.get"}},
};

static bool permits(const struct role *role, const char *permission) {
    bool permitted = false;
    for (size_t i = 0; i < PATTERNS && role->patterns[i]; i++) {
        const char *pattern = role->patterns[i];
        bool takes_away = *pattern == '!';
        if (fnmatch(pattern + takes_away, permission, 0) == 0)
            permitted = !takes_away;
    }
    return permitted;
}

bool role_permits(const char *role, const char *permission) {
    for (size_t i = 0; i < ARRAY_LENGTH(roles); i++)
        if (text_equal(roles[i].name, role))
            return permits(&roles[i], permission);
    return false;
}
