/* What the policy of the organisation says of a service, before anything is sent that changes it. */
#ifndef TOOLS_PL_RUN_DEPLOY_POLICY_H
#define TOOLS_PL_RUN_DEPLOY_POLICY_H

#include "common/policy/policy.h"
#include "gcp/cloud.h"

struct permission {
    const struct policies *policies;
    struct cloud *cloud;
    const char *service;
    int allows_all; /* --allow-unauthenticated: -1 as it is, 0, 1 */
};
/* As run_deployment.permit takes it; the context is a struct permission. */
int permission_check(void *context, const struct json *current, const struct json *after,
                     struct error *error) MUST_CHECK;

#endif
