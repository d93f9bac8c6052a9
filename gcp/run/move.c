#include "gcp/run/move.h"

#include "gcp/google_error.h"
#include "gcp/run/change.h"
#include "gcp/run/revision.h"
#include "gcp/run/service.h"
#include "gcp/run/traffic.h"

#include <string.h>

struct planning {
    struct cloud *cloud;
    const char *path;
    const struct run_move *move;
};

void run_moved_release(struct run_moved *moved) {
    json_release(&moved->service);
    free(moved->revision);
    *moved = (struct run_moved){0};
}

static int no_such_revision(const struct planning *planning, const char *name, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "service %s has no tag and no revision %.63s", planning->move->service, name);
    return error_next(error, "what there is: pl-run-deploy %s --revisions --region %s", planning->move->service,
                      planning->cloud->region);
}

/* A tag, "latest" or a revision → the short name of a revision. The caller frees. */
static int find_revision(const struct planning *planning, const struct json *current, const char *name, char **revision,
                         struct error *error) {
    const char *found = run_traffic_tagged(current, name);
    bool exists = found != NULL;
    if (!found && text_equal(name, "latest"))
        found = run_short_name(json_get_text(current, "latestReadyRevision", NULL));
    if (!found && run_is_revision_name(name) &&
        run_revision_exists(planning->cloud, planning->path, name, &exists, error) < 0)
        return -1;
    if (!found && !exists)
        return no_such_revision(planning, name, error);
    *revision = text_copy(found ? found : name);
    return 0;
}

static bool is_ready(const struct json *revision) {
    const struct json *conditions = json_get(revision, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Ready"))
            return text_equal(json_get_text(json_at(conditions, i), "state", NULL), "CONDITION_SUCCEEDED");
    return false;
}

/* What served before the last change that pl made; else the newest ready one that is older than what serves. */
static int find_previous(const struct planning *planning, const struct json *current, char **revision,
                         struct error *error) {
    AUTO_JSON struct json *all = NULL;
    const char *noted = run_previous(current), *serving = run_service_serving_revision(current);
    bool passed = false, exists = false;
    if (noted && run_is_revision_name(noted) && run_traffic_percent(current, noted) < 100 &&
        run_revision_exists(planning->cloud, planning->path, noted, &exists, error) < 0)
        return -1;
    if (exists) {
        *revision = text_copy(noted);
        return 0;
    }
    if (run_revision_list(planning->cloud, planning->path, &all, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(all); i++) {
        const char *name = run_short_name(json_get_text(json_at(all, i), "name", NULL));
        if (passed && is_ready(json_at(all, i)) && run_is_revision_name(name)) {
            *revision = text_copy(name);
            return 0;
        }
        /* Divided traffic: older than the newest that gets some. */
        passed = passed || text_equal(name, serving) || (!serving && run_traffic_percent(current, name) > 0);
    }
    error_set(error, ERROR_CONFIGURATION, "service %s has no older revision to go back to", planning->move->service);
    return error_next(error, "what there is: pl-run-deploy %s --revisions --region %s", planning->move->service,
                      planning->cloud->region);
}

static int plan_all(const struct planning *planning, const struct json *current, struct json *after,
                    struct error *error) {
    const struct run_move *move = planning->move;
    AUTO_FREE char *revision = NULL;
    bool back = move->kind == RUN_MOVE_ROLLBACK;
    if ((back && !move->name ? find_previous(planning, current, &revision, error)
                             : find_revision(planning, current, move->name, &revision, error)) < 0)
        return -1;
    const char *serving = run_service_serving_revision(current);
    json_set(after, "traffic", run_traffic_all(current, revision));
    if (back)
        run_note_previous(after, NULL);
    else if (serving && !text_equal(serving, revision))
        run_note_previous(after, serving);
    return 0;
}

/* "TAG=NAME" */
static int give_tag(const struct planning *planning, const struct json *current, const char *text, struct json *traffic,
                    struct error *error) {
    const char *equals = strchr(text, '=');
    AUTO_FREE char *tag = text_copy_length(text, equals ? (size_t)(equals - text) : 0), *revision = NULL;
    if (!equals || !equals[1])
        return error_set(error, ERROR_USAGE, "--set-tag %.100s is no TAG=NAME", text);
    if (run_tag_check(tag, planning->move->service, error) < 0 ||
        find_revision(planning, current, equals + 1, &revision, error) < 0)
        return -1;
    run_traffic_tag(traffic, tag, revision);
    return 0;
}

static int plan_tags(const struct planning *planning, const struct json *current, struct json *after,
                     struct error *error) {
    const struct run_move *move = planning->move;
    if (!json_get(after, "traffic"))
        json_set(after, "traffic", run_traffic_latest(current));
    struct json *traffic = json_get(after, "traffic");
    for (size_t i = 0; i < move->removed_tags->count; i++) {
        if (!run_traffic_tagged(current, move->removed_tags->items[i]))
            return no_such_revision(planning, move->removed_tags->items[i], error);
        run_traffic_untag(traffic, move->removed_tags->items[i]);
    }
    for (size_t i = 0; i < move->tags->count; i++)
        if (give_tag(planning, current, move->tags->items[i], traffic, error) < 0)
            return -1;
    return 0;
}

static int plan(void *context, const struct json *current, struct json *after, bool *force, struct error *error) {
    const struct planning *planning = context;
    const struct run_move *move = planning->move;
    *force = false;
    if (!current) {
        error_set(error, ERROR_CONFIGURATION, "there is no service %s in %s", move->service, planning->cloud->region);
        return error_next(error, "what there is: pl-run-deploy --list --region %s", planning->cloud->region);
    }
    struct json *traffic = NULL;
    if (move->kind == RUN_MOVE_SHARES)
        traffic = run_traffic_parse(current, move->targets, error);
    else if (move->kind == RUN_MOVE_SHARE)
        traffic = run_traffic_share(current, move->name, move->percent);
    else if (move->kind == RUN_MOVE_TAGS)
        return plan_tags(planning, current, after, error);
    else if (plan_all(planning, current, after, error) < 0)
        return -1;
    if (!traffic && move->kind == RUN_MOVE_SHARES)
        return -1;
    if (traffic)
        json_set(after, "traffic", traffic);
    if (move->drop_tag)
        run_traffic_untag(json_get(after, "traffic"), move->drop_tag);
    return 0;
}

int run_move(struct cloud *cloud, const struct run_move *move, struct run_moved *moved, struct error *error) {
    *moved = (struct run_moved){0};
    AUTO_FREE char *path = run_service_path(cloud, move->service);
    struct planning planning = {cloud, path, move};
    const struct run_change change = {.kind = &run_service_kind,
                                      .plan = plan,
                                      .context = &planning,
                                      .permit = move->permit,
                                      .permit_context = move->permit_context};
    AUTO_CHANGED struct run_changed changed = {0};
    if (run_change_apply(cloud, path, &change, &changed, error) < 0)
        return -1;
    AUTO_FREE char *what = text_format("cannot move the traffic of service %s", move->service);
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    if (changed.status)
        return google_status_set(error, what, changed.status, &subject);
    if (run_service_get(cloud, path, &moved->service, error) < 0)
        return -1;
    if (!run_traffic_holds(moved->service, json_get(changed.after, "traffic"))) {
        error_set(error, ERROR_ANSWER_NO, "the traffic of service %s is not as it was asked for", move->service);
        return error_next(error, "look at it: pl-run-deploy %s --describe --region %s", move->service, cloud->region);
    }
    const char *serving = run_service_serving_revision(moved->service);
    moved->revision = serving ? text_copy(serving) : NULL;
    moved->unchanged = !changed.sent;
    return 0;
}
