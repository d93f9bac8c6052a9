#include "gcp/run/deploy.h"

#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "gcp/run/change.h"
#include "gcp/run/explain.h"
#include "gcp/run/revision.h"
#include "gcp/run/traffic.h"

#include <string.h>

enum { DIFFERENCE_LIMIT = 4 << 20, SETTLE_SECONDS = 600, NAMES_MOST = 9, HASH_LENGTH = 10 };

/* ---- the plan ---- */

struct planning {
    struct cloud *cloud;
    const char *path;
    const struct run_deployment *deployment;
    char *revision; /* that runs it: a new one, or the one that does already */
};

/* One that is free in this service; a new service has none yet. */
static int choose_name(const struct planning *planning, const struct json *current, const struct json *template,
                       char **name, struct error *error) {
    AUTO_FREE char *text = json_format(template, JSON_CANONICAL);
    struct digest digest = digest_of(text, strlen(text));
    AUTO_FREE char *plain =
        text_format("%s-%.*s", planning->deployment->service, HASH_LENGTH, digest_format_hex(&digest).text);
    bool taken = current != NULL;
    *name = text_copy(plain);
    for (int i = 2; taken && i <= NAMES_MOST; i++) {
        if (run_revision_exists(planning->cloud, planning->path, *name, &taken, error) < 0)
            return -1;
        if (!taken)
            break;
        free(*name);
        *name = text_format("%s-%d", plain, i);
    }
    if (taken) {
        char random[9];
        random_hex(random, sizeof(random));
        free(*name);
        *name = text_format("%s-%s", planning->deployment->service, random);
    }
    return 0;
}

/* So that pl-run-deploy --rollback knows the way back. */
static void note_previous(struct json *after, const struct json *current, const char *next) {
    const char *serving = run_service_serving_revision(current);
    if (serving && !text_equal(serving, next))
        run_note_previous(after, serving);
}

static int plan_traffic(const struct planning *planning, const struct json *current, struct json *after,
                        struct error *error) {
    const struct run_deployment *deployment = planning->deployment;
    if (!current && deployment->traffic == RUN_TRAFFIC_NONE) {
        error_set(error, ERROR_USAGE, "service %s is new: its first revision gets all the traffic",
                  deployment->service);
        return error_next(error, "leave --no-traffic out this once");
    }
    if (current && deployment->traffic == RUN_TRAFFIC_LATEST) {
        /* A service that says nothing of it gives all to the latest. */
        if (json_count(json_get(current, "traffic")) > 0)
            json_set(after, "traffic", run_traffic_latest(current));
        note_previous(after, current, planning->revision);
    }
    bool has_all = current && run_traffic_percent(current, planning->revision) == 100;
    bool later = deployment->traffic == RUN_TRAFFIC_LATER && !has_all;
    if (current && (later || deployment->traffic == RUN_TRAFFIC_NONE))
        json_set(after, "traffic", run_traffic_pinned(current));
    if (!deployment->tag || (has_all && deployment->tag_is_temporary))
        return 0;
    if (json_count(json_get(after, "traffic")) == 0)
        json_set(after, "traffic", run_traffic_latest(after));
    if (!text_equal(run_traffic_tagged(current, deployment->tag), planning->revision))
        run_traffic_tag(json_get(after, "traffic"), deployment->tag, planning->revision);
    return 0;
}

/* What is under way already is waited for: it may be what a run that was cut off began. */
static int settle(struct planning *planning, const struct json *current, struct json **settled, struct error *error) {
    *settled = json_copy_deep(current);
    if (!json_get_bool(current, "reconciling", false))
        return 0;
    progress_note(planning->cloud->progress, "service %s is being deployed already: waiting for that",
                  planning->deployment->service);
    return run_service_settle(planning->cloud, planning->path, settled, SETTLE_SECONDS, error);
}

static int refuse_without_image(const struct planning *planning, const struct json *current, struct error *error) {
    const char *service = planning->deployment->service;
    if (current)
        return error_set(error, ERROR_DATA, "service %s would have no image", service);
    error_set(error, ERROR_DATA, "there is no service %s in %s, and nothing names an image for it", service,
              planning->cloud->region);
    return error_next(error, "the services that are there: pl-run-deploy --list --region %s", planning->cloud->region);
}

static int plan(void *context, const struct json *current, struct json *after, bool *force, struct error *error) {
    struct planning *planning = context;
    AUTO_JSON struct json *settled = NULL, *before = json_copy_deep(json_get(after, "template"));
    run_settings_apply(planning->deployment->settings, after);
    struct json *template = json_get(after, "template");
    if (!json_get_text(run_serving_container(template), "image", NULL))
        return refuse_without_image(planning, current, error);
    bool same = current && json_same(before, template);
    if (same && settle(planning, current, &settled, error) < 0)
        return -1;
    free(take_pointer(&planning->revision));
    *force = same && !run_template_is_ready(settled);
    if (same && !*force) {
        planning->revision = text_copy(run_short_name(json_get_text(settled, "latestReadyRevision", NULL)));
        return plan_traffic(planning, settled, after, error);
    }
    if (choose_name(planning, current, template, &planning->revision, error) < 0)
        return -1;
    json_set_text(template, "revision", planning->revision);
    return plan_traffic(planning, current, after, error);
}

/* ---- the result ---- */

static const char *digest_of_image(const char *image) {
    const char *at = image ? strstr(image, "@sha256:") : NULL;
    return at ? at + 1 : NULL;
}

static bool runs_digest(const struct json *containers, const char *digest) {
    for (size_t i = 0; digest && i < json_count(containers); i++)
        if (text_equal(digest_of_image(json_get_text(json_at(containers, i), "image", NULL)), digest))
            return true;
    return false;
}

static int not_serving(const struct cloud *cloud, const struct json *service, const char *name, const char *revision,
                       struct error *error) {
    const char *serving = run_service_serving_revision(service);
    error_set(error, ERROR_ANSWER_NO, "service %s is deployed but does not serve it: %s%s", name,
              serving ? "all traffic is held by revision " : "traffic is divided between revisions",
              serving ? serving : "");
    return error_next(error, "pl-run-deploy %s --promote %s --region %s --project %s", name, revision, cloud->region,
                      cloud->project);
}

/* The revision must run the digest: an exit code 0 means that the new content answers where it was asked to. */
static int verify(struct cloud *cloud, const struct run_deployment *deployment, const char *path,
                  const struct json *service, const char *revision, struct run_outcome *outcome, struct error *error) {
    if (!run_is_revision_name(revision))
        return error_set(error, ERROR_PROTOCOL, "service %s names no revision that is ready", deployment->service);
    AUTO_FREE char *revision_path = text_format("%s/revisions/%s", path, revision);
    AUTO_JSON struct json *found = NULL;
    if (run_revision_get(cloud, revision_path, &found, error) < 0)
        return -1;
    outcome->percent = run_traffic_percent(service, revision);
    const char *image = deployment->settings->workload.image;
    if ((image && !runs_digest(json_get(found, "containers"), digest_of_image(image))) ||
        (outcome->percent < 100 && deployment->traffic == RUN_TRAFFIC_LATEST))
        return not_serving(cloud, service, deployment->service, revision, error);
    const char *url = json_get_text(service, "uri", NULL);
    AUTO_FREE char *origin = url ? url_origin(url) : NULL;
    if (!origin)
        return error_set(error, ERROR_PROTOCOL, "service %s has no URL", deployment->service);
    outcome->url = text_copy(url);
    outcome->revision = text_copy(revision);
    outcome->image = text_copy(image ? image : json_get_text(run_serving_container(found), "image", NULL));
    const char *tag_url = deployment->tag ? run_traffic_tag_url(service, deployment->tag) : NULL;
    outcome->tag_url = tag_url ? text_copy(tag_url) : NULL;
    return 0;
}

static int open_to_all(struct cloud *cloud, const struct run_deployment *deployment, const char *path, bool *opened,
                       struct error *error) {
    *opened = false;
    if (deployment->allow_unauthenticated == -1)
        return 0;
    return run_service_set_public(cloud, path, deployment->allow_unauthenticated == 1, opened, error);
}

static char *tell_difference(const struct run_changed *changed) {
    AUTO_BUFFER struct buffer difference = BUFFER(DIFFERENCE_LIMIT);
    if (changed->sent)
        run_plan_difference(changed->before, changed->after, &difference);
    return buffer_take(&difference);
}

int run_deploy(struct cloud *cloud, const struct run_deployment *deployment, struct run_outcome *outcome,
               struct error *error) {
    *outcome = (struct run_outcome){0};
    AUTO_FREE char *path = run_service_path(cloud, deployment->service);
    struct planning planning = {.cloud = cloud, .path = path, .deployment = deployment};
    const struct run_change change = {.kind = &run_service_kind,
                                      .plan = plan,
                                      .context = &planning,
                                      .seconds = deployment->seconds,
                                      .permit = deployment->permit,
                                      .permit_context = deployment->permit_context};
    AUTO_CHANGED struct run_changed changed = {0};
    AUTO_JSON struct json *service = NULL;
    bool opened = false;
    int result = run_change_apply(cloud, path, &change, &changed, error);
    AUTO_FREE char *revision = take_pointer(&planning.revision);
    if (result < 0)
        return -1;
    if (changed.status)
        return run_explain_failure(cloud, path, changed.status, error);
    if (open_to_all(cloud, deployment, path, &opened, error) < 0)
        return -1;
    outcome->unchanged = !changed.sent && !opened;
    outcome->difference = tell_difference(&changed);
    if (!changed.sent && !json_get_bool(changed.current, "reconciling", false))
        return verify(cloud, deployment, path, changed.current, revision, outcome, error);
    if (run_service_get(cloud, path, &service, error) < 0)
        return -1;
    if (!changed.current && deployment->allow_unauthenticated != 1)
        progress_note(cloud->progress, "only callers with roles/run.invoker may call it; --allow-unauthenticated opens "
                                       "it to everybody");
    if (!service)
        return error_set(error, ERROR_UNAVAILABLE, "service %s was deleted while it was deployed", deployment->service);
    return verify(cloud, deployment, path, service, revision, outcome, error);
}

int run_deploy_dry(struct cloud *cloud, const struct run_deployment *deployment, struct buffer *difference,
                   struct error *error) {
    AUTO_FREE char *path = run_service_path(cloud, deployment->service);
    struct planning planning = {.cloud = cloud, .path = path, .deployment = deployment};
    const struct run_change change = {.kind = &run_service_kind,
                                      .plan = plan,
                                      .context = &planning,
                                      .permit = deployment->permit,
                                      .permit_context = deployment->permit_context};
    AUTO_CHANGED struct run_changed changed = {0};
    int result = run_change_validate(cloud, path, &change, &changed, error);
    free(planning.revision);
    if (result == 0)
        run_plan_difference(changed.before, changed.after, difference);
    return result;
}

void run_outcome_release(struct run_outcome *outcome) {
    free(outcome->url);
    free(outcome->revision);
    free(outcome->tag_url);
    free(outcome->image);
    free(outcome->difference);
    *outcome = (struct run_outcome){0};
}
