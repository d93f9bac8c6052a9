/* One deployment, from the plan to the verified result: read, change, write with etag, wait, verify. */
#ifndef GCP_RUN_DEPLOY_H
#define GCP_RUN_DEPLOY_H

#include "gcp/run/plan.h"
#include "gcp/run/service.h"

struct run_deployment {
    const char *service; /* a valid name */
    const struct run_settings *settings;
    int allow_unauthenticated; /* -1: as it is */
    unsigned seconds;          /* for the operation; 0: 900 */
};

struct run_outcome {
    bool unchanged; /* it ran exactly this before: nothing was sent */
    char *url;
    char *revision; /* that has all the traffic, short name */
};
void run_outcome_release(struct run_outcome *outcome);
#define AUTO_OUTCOME AUTO(run_outcome_release)

/* After 0 all traffic goes to a revision that runs the digest of settings->image. A container that does not start is an
 * error as run_failure_set makes it, its last lines are told through cloud->progress, and the revision that served
 * before goes on serving. When traffic is held by another revision: ERROR_ANSWER_NO with the command that moves it. */
int run_deploy(struct cloud *cloud, const struct run_deployment *deployment, struct run_outcome *outcome,
               struct error *error) MUST_CHECK;

/* What run_deploy would change, as run_plan_difference prints it, empty when nothing; asks the server to validate it
 * (validateOnly) and changes nothing. */
int run_deploy_dry(struct cloud *cloud, const struct run_deployment *deployment, struct buffer *difference,
                   struct error *error) MUST_CHECK;

#endif
