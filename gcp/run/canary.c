#include "gcp/run/canary.h"

#include "gcp/run/explain.h"
#include "gcp/run/move.h"
#include "gcp/run/service.h"
#include "gcp/run/traffic.h"

static int share(struct cloud *cloud, const struct run_canary *canary, unsigned percent, struct error *error) {
    AUTO_MOVED struct run_moved moved = {0};
    const struct run_move move = {.kind = percent < 100 ? RUN_MOVE_SHARE : RUN_MOVE_PROMOTE,
                                  .service = canary->service,
                                  .name = canary->revision,
                                  .percent = percent,
                                  .drop_tag = percent == 100 && canary->drop_tag ? canary->tag : NULL};
    return run_move(cloud, &move, &moved, error);
}

/* Back to where it was; what was wrong stays the error. */
static int take_back(struct cloud *cloud, const struct run_canary *canary, const struct run_gate_target *target,
                     struct error *error) {
    struct error second = {0};
    run_show_last_lines(cloud, canary->service, canary->revision, NULL);
    progress_note(cloud->progress, "to look at it: %s", target->url);
    if (target->percent == 100) {
        progress_note(cloud->progress, "it is the first revision of the service: it serves all the same");
    } else if (target->percent == 0 || share(cloud, canary, 0, &second) == 0) {
        progress_note(cloud->progress, "revision %s gets no traffic%s", canary->revision,
                      target->percent ? " any more" : "");
    } else {
        progress_note(cloud->progress, "its traffic could not be taken back: %s", second.text);
        error_next(error, "pl-run-deploy %s --rollback --region %s", canary->service, cloud->region);
    }
    error_clear(&second);
    return -1;
}

static int watch(struct cloud *cloud, const struct run_canary *canary, const struct run_gate_target *target,
                 struct error *error) {
    int step = progress_begin(cloud->progress, "%u %% of the traffic for %u s", target->percent, canary->seconds);
    int result = run_gate_watch(cloud, &canary->gate, target, canary->seconds, error);
    bool cancelled = result < 0 && error && error->kind == ERROR_CANCELLED;
    progress_end(cloud->progress, step, result == 0 ? PROGRESS_MADE : cancelled ? PROGRESS_CANCELLED : PROGRESS_FAILED);
    if (cancelled)
        progress_note(cloud->progress,
                      "revision %s keeps %u %% of the traffic; to go on: pl-run-deploy %s --promote %s --region %s; "
                      "or back: --rollback",
                      canary->revision, target->percent, canary->service, canary->revision, cloud->region);
    return result;
}

static int smoke(struct cloud *cloud, const struct run_canary *canary, const struct run_gate_target *target,
                 struct error *error) {
    int step = progress_begin(cloud->progress, "ask %s for %s", canary->revision, canary->gate.path);
    int result = run_gate_smoke(cloud, &canary->gate, target, error);
    progress_end(cloud->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    return result;
}

static int climb(struct cloud *cloud, const struct run_canary *canary, struct run_gate_target *target,
                 struct error *error) {
    if (smoke(cloud, canary, target, error) < 0)
        return -1;
    for (unsigned percent = canary->first; percent > 0 && percent < 100; percent += canary->step) {
        if (percent <= target->percent)
            continue; /* a run that was cut off came so far */
        if (share(cloud, canary, percent, error) < 0)
            return -1;
        target->percent = percent;
        if (watch(cloud, canary, target, error) < 0)
            return -1;
    }
    return share(cloud, canary, 100, error);
}

int run_canary(struct cloud *cloud, const struct run_canary *canary, struct error *error) {
    AUTO_FREE char *path = run_service_path(cloud, canary->service);
    AUTO_JSON struct json *service = NULL;
    if (run_service_find(cloud, path, &service, error) < 0)
        return -1;
    struct run_gate_target target = {.url = run_traffic_tag_url(service, canary->tag),
                                     .audience = json_get_text(service, "uri", ""),
                                     .revision = canary->revision,
                                     .percent = run_traffic_percent(service, canary->revision)};
    if (!target.url)
        return error_set(error, ERROR_PROTOCOL, "service %s has no address for the tag %s", canary->service,
                         canary->tag);
    int result = climb(cloud, canary, &target, error);
    return result < 0 && error && error->kind == ERROR_STEP ? take_back(cloud, canary, &target, error) : result;
}
