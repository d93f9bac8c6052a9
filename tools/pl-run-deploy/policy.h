/* What the policy of the organisation says of a service, before anything is sent that changes it. */
#ifndef TOOLS_PL_RUN_DEPLOY_POLICY_H
#define TOOLS_PL_RUN_DEPLOY_POLICY_H

#include "common/policy/policy.h"
#include "gcp/cloud.h"
#include "tools/pl-run-deploy/command.h"

/* What is judged by: the policies that bind, and the files of --scan. */
struct policy_setup {
    struct policies policies;
    struct policy_scans scans;
};
int policy_setup_read(struct policy_setup *setup, const struct arguments *arguments, struct progress *progress,
                      struct error *error) MUST_CHECK;
void policy_setup_release(struct policy_setup *setup);
#define AUTO_POLICY_SETUP AUTO(policy_setup_release)

struct permission {
    const struct policy_setup *setup;
    struct cloud *cloud;
    const struct arguments *arguments;
    const char *service;
    enum policy_kind kind;
    const struct json *current; /* while it is asked */
};
/* As run_deployment.permit takes it; the context is a struct permission. */
int permission_check(void *context, const struct json *current, const struct json *after,
                     struct error *error) MUST_CHECK;
/* As run_move.permit takes it: what gets more traffic than it has is judged as if it were deployed now, but for where
 * it comes from. --rollback only by what the service itself is. */
int permission_check_move(void *context, const struct json *current, const struct json *after,
                          struct error *error) MUST_CHECK;
/* The labels of the line, and those that the policy sets beside them, for what the settings say. */
void permission_labels(const struct permission *permission, const struct run_settings *settings,
                       struct text_list *labels);

#endif
