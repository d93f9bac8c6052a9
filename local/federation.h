/* Keyless deploys on a laptop in one line: what a repository's jobs need is set up in a running local cloud through the
 * same APIs as at Google, and the environment of such a job is printed.
 *
 *   pool "github" or "gitlab", a provider for the repository's owner, whose condition admits that owner's tokens only,
 *   the service account "deployer" with the roles that pl's tools need on the project, and
 *   roles/iam.workloadIdentityUser on it for the one repository.
 *
 * What is there already stays, so that several repositories can be set up. */
#ifndef LOCAL_FEDERATION_H
#define LOCAL_FEDERATION_H

#include "common/base/buffer.h"
#include "common/base/text.h"

struct federation_request {
    const char *state; /* as in struct local_settings */
    bool is_gitlab;
    bool is_direct;         /* the jobs themselves get the roles: no service account in between */
    const char *repository; /* "OWNER/NAME" */
    /* Claims as NAME=VALUE, such as "environment=production"; the others follow from the repository. */
    const struct text_list *claims;
};

/* Lines for a shell to evaluate. ERROR_UNAVAILABLE when the cloud does not run. */
int federation_set_up(const struct federation_request *request, struct buffer *out, struct error *error) MUST_CHECK;

#endif
