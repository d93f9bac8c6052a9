/* Deploying the image of a record as a job. */
#include "gcp/run/image.h"
#include "gcp/run/job.h"
#include "tools/pl-run-job/actions.h"
#include "tools/pl-run-job/policy.h"

struct preflight {
    struct cloud *cloud;
    const struct arguments *arguments;
    struct progress *progress;
};

static int preflight(void *context, struct error *error) {
    struct preflight *preflight = context;
    return cloud_open(preflight->cloud, &preflight->arguments->credentials, preflight->progress,
                      preflight->arguments->project, preflight->arguments->region, error);
}

/* Of the line, else of the job's file, else of the record. The caller frees. */
static char *job_name(const struct command_context *context, const struct arguments *arguments,
                      const struct record *record, struct error *error) {
    const char *given = action_job(context, arguments);
    given = given ? given : arguments->settings.job_name;
    given = given || !record ? given : record_text(record, "name");
    char *name = given ? text_copy(given) : record ? run_image_name(record_ref(record)) : NULL;
    if (!name) {
        error_set(error, ERROR_USAGE, "which job?");
        error_next(error, "name it: pl-run-job JOB --update …");
        return NULL;
    }
    if (run_job_name_check(name, error) == 0)
        return name;
    free(name);
    return NULL;
}

static int dry_run(struct command_context *context, struct cloud *cloud, const struct run_job_deployment *deployment,
                   struct error *error) {
    AUTO_BUFFER struct buffer difference = BUFFER(4 << 20);
    if (run_job_deploy_dry(cloud, deployment, &difference, error) < 0)
        return -1;
    if (difference.length == 0)
        buffer_append_text(&difference, "nothing would change\n");
    if (command_print_scrubbed(context, &difference, "the difference", error) < 0)
        return -1;
    command_summary(context, "job %s in %s: nothing was changed (--dry-run)", deployment->job, cloud->region);
    return 0;
}

static int deploy(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                  const struct run_job_deployment *deployment, struct error *error) {
    AUTO_JOB_OUTCOME struct run_job_outcome outcome = {0};
    int step = progress_begin(context->progress, "deploy job %s to %s", deployment->job, cloud->region);
    int result = run_job_deploy(cloud, deployment, &outcome, error);
    progress_end(context->progress, step,
                 result < 0          ? PROGRESS_FAILED
                 : outcome.unchanged ? PROGRESS_CACHED
                                     : PROGRESS_MADE);
    if (result < 0)
        return -1;
    struct told told = {.job = deployment->job, .image = outcome.image};
    if (arguments->execute) {
        progress_note(context->progress, "job %s is %s", deployment->job, outcome.unchanged ? "unchanged" : "deployed");
        return action_run(context, cloud, arguments, &told, error);
    }
    if (action_write_job(context, cloud, &told, error) < 0)
        return -1;
    command_summary(context, "job %s in %s: %s", deployment->job, cloud->region,
                    outcome.unchanged ? "unchanged" : "deployed");
    return 0;
}

/* record NULL: --update. */
static int deploy_record(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                         const struct record *record, struct error *error) {
    AUTO_POLICIES struct policies policies = {0};
    AUTO_POLICY_SCANS struct policy_scans scans = {0};
    AUTO_FREE char *job = job_name(context, arguments, record, error);
    if (!job || policies_read(&policies, context->progress, error) < 0 ||
        policy_scans_read(&scans, &arguments->scans, error) < 0)
        return -1;
    struct run_job_settings settings = arguments->settings;
    settings.workload.image = record ? record_ref(record) : NULL;
    struct permission permission = {
        .policies = &policies, .scans = &scans, .cloud = cloud, .arguments = arguments, .job = job};
    AUTO_LIST struct text_list labels = {0};
    permission_labels(&permission, &settings, &labels);
    settings.workload.labels = labels;
    const struct run_job_deployment deployment = {.job = job,
                                                  .settings = &settings,
                                                  .must_exist = !record && !settings.job,
                                                  .permit = permission_check,
                                                  .permit_context = &permission};
    cloud_renew(cloud);
    return arguments->dry_run ? dry_run(context, cloud, &deployment, error)
                              : deploy(context, arguments, cloud, &deployment, error);
}

static int deploy_records(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                          const struct record_list *list, struct error *error) {
    if (list->count != 1)
        return error_set(error, ERROR_DATA, "got %zu images; a job takes one", list->count);
    return run_image_check(&list->items[0], error) < 0
               ? -1
               : deploy_record(context, arguments, cloud, &list->items[0], error);
}

int action_deploy(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    struct preflight checks = {.cloud = &cloud, .arguments = arguments, .progress = context->progress};
    if (run_job_settings_read(&arguments->settings, error) < 0 ||
        run_job_settings_check(&arguments->settings, error) < 0)
        return -1;
    if (arguments->update) {
        AUTO_FREE char *job = job_name(context, arguments, NULL, error);
        return !job || preflight(&checks, error) < 0 ? -1 : deploy_record(context, arguments, &cloud, NULL, error);
    }
    struct record_list list = {0};
    int result = run_operands_read_images(context, preflight, &checks, &list, error);
    if (result == 0)
        result = deploy_records(context, arguments, &cloud, &list, error);
    record_list_release(&list);
    return result;
}
