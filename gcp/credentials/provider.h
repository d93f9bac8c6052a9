/* A provider of a workload identity pool (or a workforce pool): the name by which the Security Token Service is told
 * who vouches for an identity token. */
#ifndef GCP_CREDENTIALS_PROVIDER_H
#define GCP_CREDENTIALS_PROVIDER_H

#include "common/base/error.h"
#include "common/json/json.h"

struct provider {
    char *project; /* its number; NULL for a workforce pool */
    char *pool;
    char *name;
};

/* From "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/NAME" or
 * "locations/global/workforcePools/POOL/providers/NAME", with or without "//iam.googleapis.com/" or "https:" and that
 * in front. `what` names the place it was written at. ERROR_CONFIGURATION, which says what it is instead and how to
 * find the right one. */
int provider_parse(const char *text, const char *what, struct provider *provider, struct error *error) MUST_CHECK;
void provider_release(struct provider *provider);
#define AUTO_PROVIDER AUTO(provider_release)

/* "//iam.googleapis.com/projects/…", of the universe. The caller frees, as for all below. */
char *provider_audience(const struct provider *provider);
/* "principal://…/subject/SUBJECT" */
char *provider_principal(const struct provider *provider, const char *subject);
/* What people grant to: all tokens of one repository when the claims are GitHub's or GitLab's, else the subject. */
char *provider_member(const struct provider *provider, const struct json *claims);
/* "--location=global --workload-identity-pool=… --project=…", for gcloud iam workload-identity-pools providers. */
char *provider_flags(const struct provider *provider);

#endif
