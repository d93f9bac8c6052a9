#include "gcp/run/change.h"

#include "common/base/version.h"
#include "gcp/run/operation.h"
#include "gcp/run/plan.h"

enum { CONFLICT_TRIES = 4, OPERATION_SECONDS = 900 };

void run_changed_release(struct run_changed *changed) {
    json_release(&changed->current);
    json_release(&changed->before);
    json_release(&changed->after);
    json_release(&changed->status);
    free(changed->mask);
    *changed = (struct run_changed){0};
}

static int make_plan(struct cloud *cloud, const char *path, const struct run_change *change,
                     struct run_changed *changed, bool *force, struct error *error) {
    run_changed_release(changed);
    *force = false;
    if (run_resource_get(cloud, change->kind, path, &changed->current, error) < 0)
        return -1;
    changed->before = change->kind->writable(changed->current);
    changed->after = change->kind->writable(changed->current);
    if (change->plan(change->context, changed->current, changed->after, force, error) < 0 ||
        (change->permit && change->permit(change->permit_context, changed->current, changed->after, error) < 0))
        return -1;
    changed->mask = run_plan_mask(changed->before, changed->after);
    return 0;
}

/* The plan, with the etag that it was made from. */
static struct json *make_body(const struct run_changed *changed, const char *path) {
    struct json *body = json_copy_deep(changed->after);
    json_set_text(body, "name", path);
    json_set_text(body, "client", "pl");
    json_set_text(body, "clientVersion", PL_VERSION);
    json_set_text(body, "etag", json_get_text(changed->current, "etag", NULL));
    return body;
}

static int send_plan(struct cloud *cloud, const char *path, const struct run_change *change,
                     const struct run_changed *changed, const struct run_patch *how, struct json **operation,
                     bool *conflict, struct error *error) {
    AUTO_JSON struct json *body = make_body(changed, path);
    AUTO_FREE char *mask = text_format("%s,client,clientVersion", *changed->mask ? changed->mask : "template");
    struct run_patch patch = {.body = body, .mask = mask, .validate = how->validate, .new_revision = how->new_revision};
    return run_resource_patch(cloud, change->kind, path, &patch, operation, conflict, error);
}

int run_change_apply(struct cloud *cloud, const char *path, const struct run_change *change,
                     struct run_changed *changed, struct error *error) {
    AUTO_JSON struct json *operation = NULL;
    bool conflict = true, force = false;
    for (int i = 0; conflict && i < CONFLICT_TRIES; i++) {
        if (make_plan(cloud, path, change, changed, &force, error) < 0)
            return -1;
        if (!force && !*changed->mask)
            return 0;
        const struct run_patch how = {.new_revision = force};
        if (send_plan(cloud, path, change, changed, &how, &operation, &conflict, error) < 0)
            return -1;
        if (conflict)
            progress_note(cloud->progress, "%s %s was changed by somebody else meanwhile: reading it again",
                          change->kind->noun, run_short_name(path));
    }
    if (conflict) {
        error_set(error, ERROR_TEMPORARY, "%s %s is being changed by somebody else", change->kind->noun,
                  run_short_name(path));
        return error_next(error, "run the same command again when they are done");
    }
    changed->sent = true;
    if (run_operation_wait(cloud, &operation, change->seconds ? change->seconds : OPERATION_SECONDS, error) < 0)
        return -1;
    const struct json *status = json_get(operation, "error");
    changed->status = json_is_null(status) ? NULL : json_copy_deep(status);
    return 0;
}

int run_change_validate(struct cloud *cloud, const char *path, const struct run_change *change,
                        struct run_changed *changed, struct error *error) {
    AUTO_JSON struct json *operation = NULL;
    bool conflict = false, force = false;
    if (make_plan(cloud, path, change, changed, &force, error) < 0)
        return -1;
    if (!*changed->mask)
        return 0;
    const struct run_patch how = {.validate = true};
    return send_plan(cloud, path, change, changed, &how, &operation, &conflict, error);
}
