/* One deployment, from the plan to the verified result: read, change, write with etag, wait, verify.
 *
 * A revision is named SERVICE-HASH by what it runs (its template), so that the same deployment twice is one revision,
 * and a deployment that was cut off is found again; where the name is taken, -2, -3 … follow. */
#ifndef GCP_RUN_DEPLOY_H
#define GCP_RUN_DEPLOY_H

#include "gcp/run/change.h"
#include "gcp/run/plan.h"
#include "gcp/run/service.h"
#include "gcp/run/settings.h"

/* Which traffic a deployment gives to its revision. */
enum run_traffic_mode {
    RUN_TRAFFIC_LATEST, /* all of it, also when it was pinned to another revision */
    RUN_TRAFFIC_KEEP,   /* what the service's traffic says: all when it names the latest revision, else none */
    RUN_TRAFFIC_NONE,   /* none, now and later: what serves now is pinned */
    RUN_TRAFFIC_LATER,  /* none yet, run_canary will give it; but the first revision of a service gets all, and one that
                         * has all keeps it */
};

struct run_deployment {
    const char *service; /* a valid name */
    const struct run_settings *settings;
    int allow_unauthenticated; /* -1: as it is */
    enum run_traffic_mode traffic;
    const char *tag;       /* for the new revision, or NULL */
    bool tag_is_temporary; /* not wanted for a revision that has all the traffic already */
    unsigned seconds;      /* for the operation; 0: 900 */
    run_permit *permit;    /* see change.h; may be NULL */
    void *permit_context;
};

struct run_outcome {
    bool unchanged; /* it ran exactly this before: nothing was sent */
    char *url;
    char *revision;   /* that runs the image, short name */
    unsigned percent; /* of the traffic that it gets */
    char *tag_url;    /* the URL of deployment->tag, or NULL */
    char *image;      /* that the revision runs, as it is deployed */
    char *difference; /* what was sent, as run_plan_difference tells it; "" when nothing was */
};
void run_outcome_release(struct run_outcome *outcome);
#define AUTO_OUTCOME AUTO(run_outcome_release)

/* After 0 a revision that runs the digest of settings->workload.image (NULL: what the service says) is ready, and has
 * the traffic that was asked for: all of it (RUN_TRAFFIC_LATEST), or outcome->percent. A container that does not start
 * is an error as run_failure_set makes it, its last lines are told through cloud->progress, and the revision that
 * served before goes on serving. When all traffic was wanted and another revision holds it: ERROR_ANSWER_NO with the
 * command that moves it. */
int run_deploy(struct cloud *cloud, const struct run_deployment *deployment, struct run_outcome *outcome,
               struct error *error) MUST_CHECK;

/* What run_deploy would change, as run_plan_difference prints it, empty when nothing; asks the server to validate it
 * (validateOnly) and changes nothing. */
int run_deploy_dry(struct cloud *cloud, const struct run_deployment *deployment, struct buffer *difference,
                   struct error *error) MUST_CHECK;

#endif
