/* Moving traffic between the revisions that there are. */
#include "gcp/run/move.h"
#include "gcp/run/traffic.h"
#include "tools/pl-run-deploy/actions.h"
#include "tools/pl-run-deploy/policy.h"

static int check(const struct arguments *arguments, struct error *error) {
    bool tags = arguments->set_tags.count > 0 || arguments->removed_tags.count > 0;
    int kinds = (arguments->promote != NULL) + arguments->rollback + (arguments->traffic.count > 0) + tags;
    if (kinds > 1)
        return error_set(error, ERROR_USAGE,
                         "--promote, --rollback, --traffic and --set-tag or --remove-tag exclude each other");
    if (arguments->to && !arguments->rollback)
        return error_set(error, ERROR_USAGE, "--to goes with --rollback");
    if (arguments->dry_run)
        return error_set(error, ERROR_USAGE, "--dry-run is for deployments");
    return 0;
}

static void tell(struct command_context *context, const struct run_move *move, const struct run_moved *moved) {
    const char *unchanged = moved->unchanged ? "unchanged, " : "";
    if (move->kind == RUN_MOVE_TAGS) {
        command_summary(context, "service %s: %s", move->service,
                        moved->unchanged ? "unchanged" : "the tags are changed");
        return;
    }
    if (moved->revision) {
        command_summary(context, "service %s: %srevision %s gets 100%% of the traffic", move->service, unchanged,
                        moved->revision);
        return;
    }
    command_summary(context, "service %s: %sthe traffic is divided", move->service, unchanged);
}

static int write_record(struct command_context *context, const struct cloud *cloud, const struct run_move *move,
                        const struct run_moved *moved, struct error *error) {
    const char *url = json_get_text(moved->service, "uri", NULL);
    AUTO_FREE char *origin = url ? url_origin(url) : NULL;
    if (!origin)
        return error_set(error, ERROR_PROTOCOL, "service %s has no URL", move->service);
    struct record_list out = {0};
    struct record record = record_new(RECORD_SERVICE, url);
    json_set_text(record.json, "name", move->service);
    json_set_text(record.json, "revision", moved->revision);
    json_set_text(record.json, "region", cloud->region);
    json_set_text(record.json, "project", cloud->project);
    record_list_add(&out, record);
    int result = command_write_records(context, &out, error);
    record_list_release(&out);
    return result;
}

int action_move(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_MOVED struct run_moved moved = {0};
    AUTO_POLICY_SETUP struct policy_setup setup = {0};
    if (check(arguments, error) < 0 || policy_setup_read(&setup, arguments, context->progress, error) < 0)
        return -1;
    const char *service = action_open(context, arguments, &cloud, error);
    if (!service)
        return -1;
    struct permission permission = {
        .kind = POLICY_TRAFFIC, .setup = &setup, .cloud = &cloud, .service = service, .arguments = arguments};
    const struct run_move move = {.kind = arguments->promote             ? RUN_MOVE_PROMOTE
                                          : arguments->rollback          ? RUN_MOVE_ROLLBACK
                                          : arguments->traffic.count > 0 ? RUN_MOVE_SHARES
                                                                         : RUN_MOVE_TAGS,
                                  .service = service,
                                  .name = arguments->promote ? arguments->promote : arguments->to,
                                  .targets = &arguments->traffic,
                                  .tags = &arguments->set_tags,
                                  .removed_tags = &arguments->removed_tags,
                                  .permit = permission_check_move,
                                  .permit_context = &permission};
    int step = progress_begin(context->progress, "move the traffic of %s", service);
    int result = run_move(&cloud, &move, &moved, error);
    progress_end(context->progress, step,
                 result < 0        ? PROGRESS_FAILED
                 : moved.unchanged ? PROGRESS_CACHED
                                   : PROGRESS_MADE);
    if (result < 0 || write_record(context, &cloud, &move, &moved, error) < 0)
        return -1;
    tell(context, &move, &moved);
    return 0;
}
