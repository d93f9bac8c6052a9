#include "gcp/run/deploy.h"

#include "common/base/version.h"
#include "gcp/logging.h"
#include "gcp/run/failure.h"

#include <string.h>
#include <time.h>

enum { CONFLICT_TRIES = 4, OPERATION_SECONDS = 900, LOG_LINES = 40, LOG_TRIES = 4 };

struct plan {
    struct json *current; /* NULL: there is no such service */
    struct json *before;
    struct json *after;
    char *mask;
};

static void plan_release(struct plan *plan) {
    json_release(&plan->current);
    json_release(&plan->before);
    json_release(&plan->after);
    free(plan->mask);
    *plan = (struct plan){0};
}

static int plan_make(struct cloud *cloud, const char *path, const struct run_settings *settings, struct plan *plan,
                     struct error *error) {
    plan_release(plan);
    if (run_service_get(cloud, path, &plan->current, error) < 0)
        return -1;
    plan->before = run_service_writable(plan->current);
    plan->after = run_service_plan(plan->current, settings);
    plan->mask = run_plan_mask(plan->before, plan->after);
    return 0;
}

/* What is sent: the plan, with the etag that it was made from. */
static struct json *plan_body(const struct plan *plan, const char *path) {
    struct json *body = json_copy_deep(plan->after);
    json_set_text(body, "name", path);
    json_set_text(body, "client", "pl");
    json_set_text(body, "clientVersion", PL_VERSION);
    json_set_text(body, "etag", json_get_text(plan->current, "etag", NULL));
    return body;
}

static int plan_send(struct cloud *cloud, const char *path, const struct plan *plan, unsigned patch,
                     struct json **operation, bool *conflict, struct error *error) {
    AUTO_JSON struct json *body = plan_body(plan, path);
    AUTO_FREE char *mask = text_format("%s,client,clientVersion", *plan->mask ? plan->mask : "template");
    if (plan->current && !*plan->mask)
        patch |= RUN_PATCH_NEW_REVISION;
    return run_service_patch(cloud, path, body, mask, patch, operation, conflict, error);
}

static char *conditions_text(const struct json *revision) {
    AUTO_BUFFER struct buffer text = BUFFER(65536);
    const struct json *conditions = json_get(revision, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "state", NULL), "CONDITION_FAILED"))
            buffer_append_format(&text, "%s %s\n", json_get_text(json_at(conditions, i), "reason", ""),
                                 json_get_text(json_at(conditions, i), "message", ""));
    return buffer_take(&text);
}

/* Log lines appear in Cloud Logging some seconds after they were printed. */
static void read_lines(struct cloud *cloud, const char *service, const char *revision, struct text_list *lines) {
    for (int i = 0; i < LOG_TRIES && !lines->count && !progress_cancelled(cloud->progress); i++) {
        struct timespec pause = {.tv_sec = i ? 2 : 0};
        if (!endpoints_are_local())
            nanosleep(&pause, NULL);
        if (logging_revision_lines(cloud, service, revision, LOG_LINES, lines, NULL) < 0 || endpoints_are_local())
            return;
    }
}

static int explain_failure(struct cloud *cloud, const struct run_deployment *deployment, const char *path,
                           const struct json *status, struct error *error) {
    AUTO_JSON struct json *service = NULL;
    AUTO_JSON struct json *revision = NULL;
    AUTO_LIST struct text_list lines = {0};
    const char *created = NULL;
    if (run_service_get(cloud, path, &service, NULL) == 0)
        created = json_get_text(service, "latestCreatedRevision", NULL);
    const char *name = run_short_name(created);
    if (created && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name)) {
        AUTO_FREE char *revision_path = text_format("%s/revisions/%s", path, name);
        if (run_revision_get(cloud, revision_path, &revision, NULL) < 0)
            revision = NULL;
        read_lines(cloud, deployment->service, name, &lines);
    }
    AUTO_FREE char *conditions = conditions_text(revision);
    struct run_diagnosis diagnosis = run_failure_diagnose(status, conditions, &lines);
    int step = progress_begin(cloud->progress, "the last lines of %s", name ? name : deployment->service);
    for (size_t i = 0; i < lines.count; i++) {
        progress_output(cloud->progress, step, lines.items[i], strlen(lines.items[i]));
        progress_output(cloud->progress, step, "\n", 1);
    }
    progress_end(cloud->progress, step, PROGRESS_FAILED);
    const char *serving = run_service_serving_revision(service);
    if (serving && !text_equal(serving, name))
        progress_note(cloud->progress, "revision %s serves as before", serving);
    return run_failure_set(error, &diagnosis, status, deployment->service, name);
}

/* Sends the plan; when somebody changed the service in between, plans again on top of that. */
static int deploy_plan(struct cloud *cloud, const struct run_deployment *deployment, const char *path,
                       struct plan *plan, struct error *error) {
    AUTO_JSON struct json *operation = NULL;
    bool conflict = true;
    for (int i = 0; conflict && i < CONFLICT_TRIES; i++) {
        if (i && plan_make(cloud, path, deployment->settings, plan, error) < 0)
            return -1;
        if (plan_send(cloud, path, plan, 0, &operation, &conflict, error) < 0)
            return -1;
        if (conflict)
            progress_note(cloud->progress, "service %s was changed by somebody else meanwhile: reading it again",
                          deployment->service);
    }
    if (conflict) {
        error_set(error, ERROR_TEMPORARY, "service %s is being changed by somebody else", deployment->service);
        return error_next(error, "run the same command again when they are done");
    }
    if (run_operation_wait(cloud, &operation, deployment->seconds ? deployment->seconds : OPERATION_SECONDS, error) < 0)
        return -1;
    const struct json *status = json_get(operation, "error");
    return json_is_null(status) ? 0 : explain_failure(cloud, deployment, path, status, error);
}

static const char *digest_of_image(const char *image) {
    const char *at = image ? strstr(image, "@sha256:") : NULL;
    return at ? at + 1 : NULL;
}

static int not_serving(const struct cloud *cloud, const char *service, const char *serving, struct error *error) {
    error_set(error, ERROR_ANSWER_NO, "service %s is deployed but does not serve it: %s%s", service,
              serving ? "all traffic is held by revision " : "traffic is divided between revisions",
              serving ? serving : "");
    return error_next(error, "gcloud run services update-traffic %s --to-latest --region=%s --project=%s", service,
                      cloud->region, cloud->project);
}

static bool runs_digest(const struct json *containers, const char *digest) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (text_equal(digest_of_image(json_get_text(json_at(containers, i), "image", NULL)), digest))
            return true;
    return false;
}

/* The revision that serves must run the digest: an exit code 0 means that the new content answers. */
static int verify(struct cloud *cloud, const struct run_deployment *deployment, const char *path,
                  const struct json *service, struct run_outcome *outcome, struct error *error) {
    const char *serving = run_service_serving_revision(service);
    if (!serving || strspn(serving, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(serving))
        return not_serving(cloud, deployment->service, NULL, error);
    AUTO_FREE char *revision_path = text_format("%s/revisions/%s", path, serving);
    AUTO_JSON struct json *revision = NULL;
    if (run_revision_get(cloud, revision_path, &revision, error) < 0)
        return -1;
    if (!runs_digest(json_get(revision, "containers"), digest_of_image(deployment->settings->image)))
        return not_serving(cloud, deployment->service, serving, error);
    const char *url = json_get_text(service, "uri", NULL);
    AUTO_FREE char *origin = url ? url_origin(url) : NULL;
    if (!origin)
        return error_set(error, ERROR_PROTOCOL, "service %s has no URL", deployment->service);
    outcome->url = text_copy(url);
    outcome->revision = text_copy(serving);
    return 0;
}

int run_deploy(struct cloud *cloud, const struct run_deployment *deployment, struct run_outcome *outcome,
               struct error *error) {
    *outcome = (struct run_outcome){0};
    AUTO_FREE char *path = run_service_path(cloud, deployment->service);
    AUTO(plan_release) struct plan plan = {0};
    AUTO_JSON struct json *service = NULL;
    bool opened = false;
    if (plan_make(cloud, path, deployment->settings, &plan, error) < 0)
        return -1;
    outcome->unchanged = plan.current && !*plan.mask && run_service_is_ready(plan.current);
    if (!outcome->unchanged && deploy_plan(cloud, deployment, path, &plan, error) < 0)
        return -1;
    if (deployment->allow_unauthenticated != -1 &&
        run_service_set_public(cloud, path, deployment->allow_unauthenticated == 1, &opened, error) < 0)
        return -1;
    if (outcome->unchanged) {
        outcome->unchanged = !opened;
        return verify(cloud, deployment, path, plan.current, outcome, error);
    }
    if (run_service_get(cloud, path, &service, error) < 0)
        return -1;
    if (!plan.current && deployment->allow_unauthenticated != 1)
        progress_note(cloud->progress, "only callers with roles/run.invoker may call it; --allow-unauthenticated opens "
                                       "it to everybody");
    if (!service)
        return error_set(error, ERROR_UNAVAILABLE, "service %s was deleted while it was deployed", deployment->service);
    return verify(cloud, deployment, path, service, outcome, error);
}

int run_deploy_dry(struct cloud *cloud, const struct run_deployment *deployment, struct buffer *difference,
                   struct error *error) {
    AUTO_FREE char *path = run_service_path(cloud, deployment->service);
    AUTO(plan_release) struct plan plan = {0};
    AUTO_JSON struct json *operation = NULL;
    bool conflict = false;
    if (plan_make(cloud, path, deployment->settings, &plan, error) < 0)
        return -1;
    run_plan_difference(plan.before, plan.after, difference);
    if (!*plan.mask)
        return 0;
    return plan_send(cloud, path, &plan, RUN_PATCH_VALIDATE, &operation, &conflict, error);
}

void run_outcome_release(struct run_outcome *outcome) {
    free(outcome->url);
    free(outcome->revision);
    *outcome = (struct run_outcome){0};
}
