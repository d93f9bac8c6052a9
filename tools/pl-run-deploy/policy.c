#include "tools/pl-run-deploy/policy.h"

int permission_check(void *context, const struct json *current, const struct json *after, struct error *error) {
    const struct permission *permission = context;
    (void)current;
    const struct policy_subject subject = {.kind = POLICY_SERVICE,
                                           .name = permission->service,
                                           .project = permission->cloud->project,
                                           .region = permission->cloud->region,
                                           .planned = after};
    return policy_enforce(permission->policies, &subject, permission->cloud->progress, error);
}
