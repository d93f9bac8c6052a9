#include "gcp/run/job.h"

#include "gcp/google_error.h"
#include "gcp/run/change.h"
#include "gcp/run/plan.h"

#include <string.h>

enum { NAME_MAXIMUM = 49, JOB_LIMIT = 4 << 20, EXECUTION_NAME_MOST = 63 };

const struct run_kind run_job_kind = {
    .noun = "job", .collection = "jobs", .tool = "pl-run-job", .masked = false, .writable = run_job_writable};

int run_job_name_check(const char *name, struct error *error) {
    size_t length = strlen(name);
    if (length >= 1 && length <= NAME_MAXIMUM && name[0] >= 'a' && name[0] <= 'z' && name[length - 1] != '-' &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
        return 0;
    error_set(error, ERROR_DATA, "\"%.80s\" is no name of a Cloud Run job", name);
    return error_next(error,
                      "give one with --name: lower-case letters, digits and hyphens, beginning with a letter, "
                      "at most %d characters",
                      NAME_MAXIMUM);
}

char *run_job_path(const struct cloud *cloud, const char *job) {
    return text_format("projects/%s/locations/%s/jobs/%s", cloud->project, cloud->region, job);
}

static int no_such_job(const struct cloud *cloud, const char *job, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "there is no job %s in %s", job, cloud->region);
    return error_next(error, "what there is: pl-run-job --list --region %s", cloud->region);
}

/* ---- deploying ---- */

struct planning {
    const struct cloud *cloud;
    const struct run_job_deployment *deployment;
};

static const char *image_of(const struct json *job) {
    return json_get_text(json_at(json_get_path(job, "template.template.containers"), 0), "image", NULL);
}

static int plan(void *context, const struct json *current, struct json *after, bool *force, struct error *error) {
    const struct planning *planning = context;
    const struct run_job_deployment *deployment = planning->deployment;
    if (!current && deployment->must_exist)
        return no_such_job(planning->cloud, deployment->job, error);
    run_job_settings_apply(deployment->settings, after);
    if (text_is_empty(image_of(after)))
        return error_set(error, ERROR_USAGE, "job %s has no image; give one", deployment->job);
    /* One that is not ready is sent once more: what it lacked may be there now. */
    *force =
        current && text_equal(json_get_text(json_get(current, "terminalCondition"), "state", NULL), "CONDITION_FAILED");
    return deployment->permit ? deployment->permit(deployment->permit_context, current, after, error) : 0;
}

static int explain(const struct cloud *cloud, const struct run_job_deployment *deployment, const char *image,
                   const struct json *status, struct error *error) {
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    AUTO_FREE char *head = text_format("job %s is deployed, but not ready", deployment->job);
    const char *message = json_get_text(status, "message", "");
    google_status_set(error, head, status, &subject);
    if (!strcasestr(message, "image") || !strcasestr(message, "not found"))
        return -1;
    error_set(error, ERROR_CONFIGURATION, "%s: the image was not found, or may not be read: %s", head,
              image ? image : "");
    return error_next(error, "push it again with pl-push-image, and see that Cloud Run's service agent has "
                             "roles/artifactregistry.reader on the repository");
}

int run_job_deploy(struct cloud *cloud, const struct run_job_deployment *deployment, struct run_job_outcome *outcome,
                   struct error *error) {
    *outcome = (struct run_job_outcome){0};
    AUTO_FREE char *path = run_job_path(cloud, deployment->job);
    struct planning planning = {.cloud = cloud, .deployment = deployment};
    const struct run_change change = {
        .kind = &run_job_kind, .plan = plan, .context = &planning, .seconds = deployment->seconds};
    AUTO_CHANGED struct run_changed changed = {0};
    if (run_change_apply(cloud, path, &change, &changed, error) < 0)
        return -1;
    const char *image = image_of(changed.after);
    if (changed.status)
        return explain(cloud, deployment, image, changed.status, error);
    outcome->unchanged = !changed.sent;
    outcome->image = text_copy(image);
    return 0;
}

int run_job_deploy_dry(struct cloud *cloud, const struct run_job_deployment *deployment, struct buffer *difference,
                       struct error *error) {
    AUTO_FREE char *path = run_job_path(cloud, deployment->job);
    struct planning planning = {.cloud = cloud, .deployment = deployment};
    const struct run_change change = {.kind = &run_job_kind, .plan = plan, .context = &planning};
    AUTO_CHANGED struct run_changed changed = {0};
    int result = run_change_validate(cloud, path, &change, &changed, error);
    if (result == 0)
        run_plan_difference(changed.before, changed.after, difference);
    return result;
}

void run_job_outcome_release(struct run_job_outcome *outcome) {
    free(outcome->image);
    *outcome = (struct run_job_outcome){0};
}

/* ---- executing ---- */

static bool is_name(const char *name) {
    return name && strlen(name) <= EXECUTION_NAME_MOST && *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

int run_job_execute(struct cloud *cloud, const char *path, const struct run_overrides *overrides, char **execution,
                    struct error *error) {
    const char *job = run_short_name(path);
    AUTO_FREE char *resource = run_url(path);
    AUTO_FREE char *url = text_format("%s:run", resource), *what = text_format("cannot execute job %s", job);
    AUTO_JSON struct json *body = json_new_object(), *operation = NULL, *asked = run_overrides_json(overrides);
    if (asked)
        json_set(body, "overrides", take_pointer(&asked));
    static const long missing[] = {404, 0};
    const struct cloud_request request = {
        .method = "POST", .url = url, .body = body, .what = what, .accept = missing, .response_limit = JOB_LIMIT};
    long status = 0;
    if (cloud_call(cloud, &request, &operation, &status, error) < 0) {
        if (error && error->kind == ERROR_UNAVAILABLE)
            error_next(error, "it may have begun; see: pl-run-job %s --executions --region %s", job, cloud->region);
        return -1;
    }
    if (status == 404)
        return no_such_job(cloud, job, error);
    const struct json *failure = json_get(operation, "error");
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    const char *name = run_short_name(json_get_text(json_get(operation, "metadata"), "name", NULL));
    if (!is_name(name) && !json_is_null(failure))
        return google_status_set(error, what, failure, &subject);
    if (!is_name(name))
        return error_set(error, ERROR_PROTOCOL, "%s: the answer names no execution", what);
    *execution = text_copy(name);
    return 0;
}
