/* What the policy of the organisation says of a job, before anything is sent that changes it. */
#ifndef TOOLS_PL_RUN_JOB_POLICY_H
#define TOOLS_PL_RUN_JOB_POLICY_H

#include "common/policy/policy.h"
#include "gcp/cloud.h"
#include "tools/pl-run-job/command.h"

struct permission {
    const struct policies *policies;
    const struct policy_scans *scans;
    struct cloud *cloud;
    const struct arguments *arguments;
    const char *job;
};
/* As run_job_deployment.permit takes it; the context is a struct permission. */
int permission_check(void *context, const struct json *current, const struct json *after,
                     struct error *error) MUST_CHECK;
/* The labels of the line, and those that the policy sets beside them, for what the settings say. */
void permission_labels(const struct permission *permission, const struct run_job_settings *settings,
                       struct text_list *labels);

#endif
