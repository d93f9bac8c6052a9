/* Jobs of Cloud Run: deploying one, from the plan to the result (read, change, write with etag, wait), and executing
 * it. */
#ifndef GCP_RUN_JOB_H
#define GCP_RUN_JOB_H

#include "gcp/run/job_settings.h"
#include "gcp/run/resource.h"

extern const struct run_kind run_job_kind;

/* A letter, then letters, digits and hyphens in lower case, no hyphen at the end, under 50 characters. ERROR_DATA. */
int run_job_name_check(const char *name, struct error *error) MUST_CHECK;
/* "projects/P/locations/R/jobs/J" of the cloud's project and region. The caller frees. */
char *run_job_path(const struct cloud *cloud, const char *job);

struct run_job_deployment {
    const char *job; /* a valid name */
    const struct run_job_settings *settings;
    bool must_exist;  /* ERROR_CONFIGURATION when there is no such job */
    unsigned seconds; /* for the operation; 0: 900 */
    /* Whether the job may become this: asked with each plan, before anything is sent that changes something. Its
     * failure ends the deployment. `after` in the form of run_job_writable. May be NULL. */
    int (*permit)(void *context, const struct json *current, const struct json *after, struct error *error);
    void *permit_context;
};

struct run_job_outcome {
    bool unchanged; /* it was exactly this before: nothing was sent */
    char *image;    /* that it runs, as it is deployed */
};
void run_job_outcome_release(struct run_job_outcome *outcome);
#define AUTO_JOB_OUTCOME AUTO(run_job_outcome_release)

/* After 0 the job is as the settings say (settings->workload.image NULL: with the image that it has) and ready to be
 * executed. */
int run_job_deploy(struct cloud *cloud, const struct run_job_deployment *deployment, struct run_job_outcome *outcome,
                   struct error *error) MUST_CHECK;
/* What run_job_deploy would change, as run_plan_difference prints it, empty when nothing; asks the server to validate
 * it (validateOnly) and changes nothing. */
int run_job_deploy_dry(struct cloud *cloud, const struct run_job_deployment *deployment, struct buffer *difference,
                       struct error *error) MUST_CHECK;

/* Begins an execution. *execution is its short name; the caller frees. It is asked for once: what the server did not
 * answer may have begun, and is ERROR_UNAVAILABLE with the command that shows it. */
int run_job_execute(struct cloud *cloud, const char *path, const struct run_overrides *overrides, char **execution,
                    struct error *error) MUST_CHECK;

#endif
