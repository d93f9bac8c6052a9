#include "tools/pl-run-job/policy.h"

int permission_check(void *context, const struct json *current, const struct json *after, struct error *error) {
    const struct permission *permission = context;
    (void)current;
    const struct policy_subject subject = {.kind = POLICY_JOB,
                                           .name = permission->job,
                                           .project = permission->cloud->project,
                                           .region = permission->cloud->region,
                                           .planned = after};
    return policy_enforce(permission->policies, &subject, permission->cloud->progress, error);
}
