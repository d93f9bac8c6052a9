/* Deploying the image of a record. */
#include "gcp/run/deploy.h"
#include "gcp/run/canary.h"
#include "gcp/run/image.h"
#include "gcp/run/traffic.h"
#include "tools/pl-run-deploy/actions.h"
#include "tools/pl-run-deploy/policy.h"

#include <string.h>
#include <time.h>

enum { CANARY_STEP = 20, CANARY_SECONDS = 120, GATE_ERRORS = 5, EVERY_MOST = 24 * 3600 };
/* Of a revision that is watched before it gets all the traffic, when the line names none. */
#define CANARY_TAG "canary"

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

/* Of the line, else of the service's file, else of the record. The caller frees. */
static char *service_name(const struct command_context *context, const struct arguments *arguments,
                          const struct record *record, struct error *error) {
    const char *given = action_service(context, arguments);
    given = given ? given : arguments->settings.service_name;
    given = given || !record ? given : record_text(record, "name");
    char *name = given ? text_copy(given) : record ? run_image_name(record_ref(record)) : NULL;
    if (!name) {
        error_set(error, ERROR_USAGE, "which service?");
        error_next(error, "name it: pl-run-deploy SERVICE --update …");
        return NULL;
    }
    if (run_service_name_check(name, error) == 0)
        return name;
    free(name);
    return NULL;
}

static void write_service(struct record_list *out, const struct cloud *cloud, const struct run_deployment *deployment,
                          const struct run_outcome *outcome) {
    const char *at = outcome->image ? strchr(outcome->image, '@') : NULL;
    struct record record = record_new(RECORD_SERVICE, outcome->url);
    json_set_text(record.json, "name", deployment->service);
    json_set_text(record.json, "revision", outcome->revision);
    json_set_text(record.json, "digest", at ? at + 1 : NULL);
    json_set_text(record.json, "tag", deployment->tag);
    json_set_text(record.json, "tag_url", outcome->tag_url);
    json_set_integer(record.json, "percent", outcome->percent);
    json_set_text(record.json, "region", cloud->region);
    json_set_text(record.json, "project", cloud->project);
    struct json *from = json_new_array();
    json_append_text(from, outcome->image);
    json_set(record.json, "from", from);
    record_list_add(out, record);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int dry_run(struct command_context *context, struct cloud *cloud, const struct run_deployment *deployment,
                   struct error *error) {
    AUTO_BUFFER struct buffer difference = BUFFER(4 << 20);
    if (run_deploy_dry(cloud, deployment, &difference, error) < 0)
        return -1;
    if (difference.length == 0)
        buffer_append_text(&difference, "nothing would change\n");
    if (command_print_scrubbed(context, &difference, "the difference", error) < 0)
        return -1;
    command_summary(context, "service %s in %s: nothing was changed (--dry-run)", deployment->service, cloud->region);
    return 0;
}

static void tell_outcome(struct command_context *context, const struct cloud *cloud,
                         const struct run_deployment *deployment, const struct run_outcome *outcome, double seconds) {
    command_summary(context, "service %s: %srevision %s gets %u%% of the traffic (%.1f s)", deployment->service,
                    outcome->unchanged ? "unchanged, " : "", outcome->revision, outcome->percent, seconds);
    if (outcome->tag_url)
        progress_note(context->progress, "its own address: %s", outcome->tag_url);
    if (outcome->percent < 100)
        progress_note(context->progress, "to give it all traffic: pl-run-deploy %s --promote %s --region %s",
                      deployment->service, deployment->tag ? deployment->tag : outcome->revision, cloud->region);
}

static void tell_difference(struct command_context *context, const struct run_outcome *outcome) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, outcome->difference, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (*lines.items[i])
            progress_note(context->progress, "%s", lines.items[i]);
}

static struct run_canary canary_of(const struct arguments *arguments) {
    return (struct run_canary){
        .first = arguments->canary > 0 ? (unsigned)arguments->canary : 0,
        .step = arguments->step > 0 ? (unsigned)arguments->step : CANARY_STEP,
        .seconds = arguments->every > 0 ? (unsigned)arguments->every : CANARY_SECONDS,
        .drop_tag = !arguments->tag,
        .gate = {.path = arguments->smoke ? arguments->smoke : "/",
                 .latency = arguments->gate_latency > 0 ? (unsigned)arguments->gate_latency : 0,
                 .errors = arguments->gate_errors >= 0 ? (unsigned)arguments->gate_errors : GATE_ERRORS,
                 .command = arguments->gate}};
}

static bool has_gate(const struct arguments *arguments) {
    return arguments->smoke || arguments->canary >= 0;
}

static int check_gate(const struct arguments *arguments, struct error *error) {
    struct run_canary canary = canary_of(arguments);
    if (!has_gate(arguments) && (arguments->step >= 0 || arguments->every >= 0 || arguments->gate ||
                                 arguments->gate_latency >= 0 || arguments->gate_errors >= 0))
        return error_set(error, ERROR_USAGE, "--step, --every and --gate… go with --canary or --smoke");
    if (has_gate(arguments) && (arguments->no_traffic || arguments->keep_traffic || arguments->dry_run))
        return error_set(error, ERROR_USAGE,
                         "--canary and --smoke go without --no-traffic, --keep-traffic and --dry-run");
    if (arguments->canary == 0 || arguments->canary > 99 || arguments->step == 0 || arguments->step > 100)
        return error_set(error, ERROR_USAGE, "--canary is 1 to 99 percent, --step 1 to 100");
    if (arguments->every > EVERY_MOST)
        return error_set(error, ERROR_USAGE, "--every is at most %dh", EVERY_MOST / 3600);
    return run_gate_check(&canary.gate, error);
}

/* Traffic by and by, or after a look, for a revision that was made without any. */
static int pass_gate(struct command_context *context, struct cloud *cloud, const struct arguments *arguments,
                     const struct run_deployment *deployment, struct run_outcome *outcome, struct error *error) {
    struct run_canary canary = canary_of(arguments);
    canary.service = deployment->service;
    canary.revision = outcome->revision;
    canary.tag = deployment->tag;
    if ((outcome->unchanged && outcome->percent == 100) || !outcome->tag_url)
        return 0;
    progress_note(context->progress, "revision %s is ready at %s", outcome->revision, outcome->tag_url);
    if (run_canary(cloud, &canary, error) < 0)
        return -1;
    outcome->percent = 100;
    if (canary.drop_tag)
        free(take_pointer(&outcome->tag_url));
    return 0;
}

static int deploy(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                  const struct run_deployment *deployment, struct error *error) {
    AUTO_OUTCOME struct run_outcome outcome = {0};
    double begin = seconds_now();
    int step = progress_begin(context->progress, "deploy %s to %s", deployment->service, cloud->region);
    int result = run_deploy(cloud, deployment, &outcome, error);
    progress_end(context->progress, step,
                 result < 0          ? PROGRESS_FAILED
                 : outcome.unchanged ? PROGRESS_CACHED
                                     : PROGRESS_MADE);
    if (result == 0 && has_gate(arguments))
        result = pass_gate(context, cloud, arguments, deployment, &outcome, error);
    if (result < 0)
        return -1;
    struct record_list out = {0};
    write_service(&out, cloud, deployment, &outcome);
    result = command_write_records(context, &out, error);
    record_list_release(&out);
    if (result < 0)
        return -1;
    if (arguments->diff)
        tell_difference(context, &outcome);
    tell_outcome(context, cloud, deployment, &outcome, seconds_now() - begin);
    return 0;
}

/* record NULL: the image that the service has, or its file names. */
static int deploy_image(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        const struct policy_setup *setup, const struct record *record, struct error *error) {
    AUTO_FREE char *service = service_name(context, arguments, record, error);
    if (!service)
        return -1;
    struct run_settings settings = arguments->settings;
    settings.workload.image = record ? record_ref(record) : NULL;
    bool gate = has_gate(arguments);
    struct permission permission = {
        .kind = POLICY_SERVICE, .setup = setup, .cloud = cloud, .service = service, .arguments = arguments};
    AUTO_LIST struct text_list labels = {0};
    permission_labels(&permission, &settings, &labels);
    settings.workload.labels = labels;
    struct run_deployment deployment = {.service = service,
                                        .settings = &settings,
                                        .allow_unauthenticated = arguments->allow_unauthenticated,
                                        .traffic = gate                      ? RUN_TRAFFIC_LATER
                                                   : arguments->no_traffic   ? RUN_TRAFFIC_NONE
                                                   : arguments->keep_traffic ? RUN_TRAFFIC_KEEP
                                                                             : RUN_TRAFFIC_LATEST,
                                        .tag = gate && !arguments->tag ? CANARY_TAG : arguments->tag,
                                        .tag_is_temporary = !arguments->tag,
                                        .permit = permission_check,
                                        .permit_context = &permission};
    if (arguments->tag && run_tag_check(arguments->tag, service, error) < 0)
        return -1;
    cloud_renew(cloud);
    if (arguments->enable_apis && !arguments->dry_run && apis_enable(cloud, &deployment, error) < 0)
        return -1;
    return arguments->dry_run ? dry_run(context, cloud, &deployment, error)
                              : deploy(context, arguments, cloud, &deployment, error);
}

static int deploy_records(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                          const struct policy_setup *setup, const struct record_list *list, struct error *error) {
    if (list->count != 1)
        return error_set(error, ERROR_DATA, "got %zu images; a service takes one", list->count);
    return run_image_check(&list->items[0], error) < 0
               ? -1
               : deploy_image(context, arguments, cloud, setup, &list->items[0], error);
}

static int read_and_deploy(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                           const struct policy_setup *setup, struct error *error) {
    struct preflight checks = {.cloud = cloud, .arguments = arguments, .progress = context->progress};
    struct record_list list = {0};
    int result = run_operands_read_images(context, preflight, &checks, &list, error);
    if (result == 0)
        result = deploy_records(context, arguments, cloud, setup, &list, error);
    record_list_release(&list);
    return result;
}

int action_deploy(struct command_context *context, struct arguments *arguments, struct error *error) {
    if (run_settings_read(&arguments->settings, error) < 0 || run_settings_check(&arguments->settings, error) < 0 ||
        check_gate(arguments, error) < 0)
        return -1;
    if (arguments->no_traffic && arguments->keep_traffic)
        return error_set(error, ERROR_USAGE, "--no-traffic and --keep-traffic exclude each other");
    if (arguments->update && run_operands_before_image(context) < context->operand_count)
        return error_set(error, ERROR_USAGE, "--update takes no image: the service keeps its own");
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_POLICY_SETUP struct policy_setup setup = {0};
    if (policy_setup_read(&setup, arguments, context->progress, error) < 0)
        return -1;
    if (!arguments->update)
        return read_and_deploy(context, arguments, &cloud, &setup, error);
    return cloud_open(&cloud, &arguments->credentials, context->progress, arguments->project, arguments->region,
                      error) < 0
               ? -1
               : deploy_image(context, arguments, &cloud, &setup, NULL, error);
}
