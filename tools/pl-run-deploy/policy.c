#include "tools/pl-run-deploy/policy.h"

#include "gcp/run/image.h"
#include "gcp/run/revision.h"
#include "gcp/run/service.h"
#include "gcp/run/traffic.h"
#include "registry/registries.h"
#include "tools/pl-run-deploy/actions.h"

#include <string.h>

enum { PRINTED_LIMIT = 1 << 20 };

int policy_setup_read(struct policy_setup *setup, const struct arguments *arguments, struct progress *progress,
                      struct error *error) {
    return policies_read(&setup->policies, progress, error) < 0 ||
                   policy_scans_read(&setup->scans, &arguments->scans, error) < 0
               ? -1
               : 0;
}

void policy_setup_release(struct policy_setup *setup) {
    policies_release(&setup->policies);
    policy_scans_release(&setup->scans);
}

/* ---- what only servers know ---- */

static int is_public(void *context, bool *answer, struct error *error) {
    const struct permission *permission = context;
    /* Moving traffic changes nothing of it. */
    int allows = permission->kind == POLICY_SERVICE ? permission->arguments->allow_unauthenticated : -1;
    *answer = allows == 1;
    if (allows != -1 || !permission->current)
        return 0;
    /* Whether the invoker check is on is the plan's to say. */
    AUTO_JSON struct json *service = json_new_object();
    json_set_text(service, "name", json_get_text(permission->current, "name", ""));
    return run_service_is_public(permission->cloud, service, answer, error);
}

static int find_container(void *context, const char *image, struct store *store, struct digest *container, bool *found,
                          struct error *error) {
    const struct permission *permission = context;
    struct cloud *cloud = permission->cloud;
    AUTO_GOOGLE_LOGIN struct google_login login = {
        .options = &permission->arguments->credentials, .progress = cloud->progress, .credentials = cloud->credentials};
    AUTO_REGISTRIES struct registries registries = {
        .progress = cloud->progress, .open = google_login_open, .context = &login};
    struct image_source source = registries_source(&registries);
    if (image_source_config(&source, image, "linux/amd64", store, container, error) < 0)
        return error_wrap(error, "cannot look at the image");
    *found = true;
    return 0;
}

int permission_check(void *context, const struct json *current, const struct json *after, struct error *error) {
    struct permission *permission = context;
    struct cloud *cloud = permission->cloud;
    const struct hop_list *hops = credentials_hops(cloud->credentials);
    permission->current = current;
    const struct policy_subject subject = {.kind = permission->kind,
                                           .name = permission->service,
                                           .project = cloud->project,
                                           .region = cloud->region,
                                           .planned = after,
                                           .scans = &permission->setup->scans,
                                           .claims = hops ? hops->claims : NULL,
                                           .context = permission,
                                           .is_public = is_public,
                                           .find_container = find_container};
    return policy_enforce(&permission->setup->policies, &subject, cloud->progress, error);
}

static int check_revision(struct permission *permission, const struct json *current, const struct json *after,
                          const char *name, struct error *error) {
    AUTO_FREE char *path = text_format("%s/revisions/%s", json_get_text(current, "name", ""), name);
    AUTO_JSON struct json *revision = NULL, *planned = json_copy_deep(after);
    if (run_revision_get(permission->cloud, path, &revision, error) < 0)
        return -1;
    json_set(planned, "template", take_pointer(&revision));
    permission->kind = POLICY_REVISION;
    return permission_check(permission, current, planned, error) < 0 ? error_wrap(error, "revision %s", name) : 0;
}

int permission_check_move(void *context, const struct json *current, const struct json *after, struct error *error) {
    struct permission *permission = context;
    const struct json *traffic = json_get(after, "traffic");
    const char *latest = run_short_name(json_get_text(current, "latestReadyRevision", NULL));
    size_t rising = 0;
    for (size_t i = 0; permission->setup->policies.count && i < json_count(traffic); i++) {
        const struct json *target = json_at(traffic, i);
        const char *name = run_short_name(json_get_text(target, "revision", latest));
        bool rises = run_is_revision_name(name) &&
                     json_get_integer(target, "percent", 0) > (int64_t)run_traffic_percent(current, name);
        if (permission->arguments->rollback || !rises)
            continue;
        rising++;
        if (check_revision(permission, current, after, name, error) < 0)
            return -1;
    }
    permission->kind = POLICY_TRAFFIC;
    return rising ? 0 : permission_check(permission, current, after, error);
}

void permission_labels(const struct permission *permission, const struct run_settings *settings,
                       struct text_list *labels) {
    AUTO_JSON struct json *service = json_new_object();
    run_settings_apply(settings, service);
    const struct hop_list *hops =
        permission->cloud->credentials ? credentials_hops(permission->cloud->credentials) : NULL;
    const struct policy_subject subject = {.kind = POLICY_SERVICE,
                                           .name = permission->service,
                                           .project = permission->cloud->project,
                                           .region = permission->cloud->region,
                                           .planned = service,
                                           .claims = hops ? hops->claims : NULL};
    text_list_add_all(labels, &settings->workload.labels);
    policy_labels(&permission->setup->policies, &subject, labels);
}

/* ---- --policy-check ---- */

/* What the line says; what the credentials would say is not known. */
static const char *project_of_line(const struct arguments *arguments) {
    const char *const places[] = {arguments->project, getenv("GOOGLE_CLOUD_PROJECT"), getenv("GCLOUD_PROJECT"),
                                  getenv("CLOUDSDK_CORE_PROJECT")};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (!text_is_empty(places[i]))
            return places[i];
    return NULL;
}

static int is_public_by_line(void *context, bool *answer, struct error *error) {
    const struct arguments *arguments = context;
    (void)error;
    *answer = arguments->allow_unauthenticated == 1;
    return 0;
}

static int print_verdict(struct command_context *context, const struct policy_verdict *verdict, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(PRINTED_LIMIT);
    if (command_wants_json(context)) {
        AUTO_JSON struct json *json = policy_verdict_json(verdict);
        json_write(json, JSON_PRETTY, &text);
        return command_print(context, buffer_text(&text), error);
    }
    for (size_t i = 0; i < verdict->count; i++) {
        AUTO_FREE char *line = policy_finding_text(&verdict->findings[i]);
        AUTO_FREE char *clean = text_scrub(line, strlen(line), false);
        buffer_append_format(&text, "%s\n", clean);
    }
    return text.length ? command_print(context, buffer_text(&text), error) : 0;
}

static int tell_verdict(struct command_context *context, const struct policy_verdict *verdict, struct error *error) {
    size_t undecided = 0;
    for (size_t i = 0; i < verdict->count; i++) {
        const struct policy_finding *finding = &verdict->findings[i];
        undecided += finding->answer == POLICY_UNDECIDED;
        if (finding->answer == POLICY_BREACH)
            command_annotate(context,
                             &(struct command_annotation){.title = finding->rule, .message = finding->message});
    }
    if (print_verdict(context, verdict, error) < 0)
        return -1;
    if (verdict->breaches)
        return error_set(error, ERROR_ANSWER_NO, "%zu breach%s of the policy", verdict->breaches,
                         verdict->breaches == 1 ? "" : "es");
    command_summary(context, "no breach of the policy%s",
                    undecided ? "; what is not decided here is decided when it is deployed" : "");
    return 0;
}

/* Judged as a new service, with what the line says of it. */
static int check_line(struct command_context *context, const struct arguments *arguments,
                      const struct policy_setup *setup, struct error *error) {
    size_t first = run_operands_before_image(context);
    const char *image = first < context->operand_count ? context->operands[first] : NULL;
    const char *given = action_service(context, arguments);
    given = given ? given : arguments->settings.service_name;
    AUTO_FREE char *name = given ? text_copy(given) : image ? run_image_name(image) : NULL;
    AUTO_VERDICT struct policy_verdict verdict = {0};
    AUTO_LIST struct text_list labels = {0};
    AUTO_FREE char *project = text_copy(project_of_line(arguments)), *region = text_copy(arguments->region);
    struct cloud cloud = {.project = project, .region = region, .progress = context->progress};
    const struct permission permission = {
        .kind = POLICY_SERVICE, .setup = setup, .cloud = &cloud, .service = name, .arguments = arguments};
    struct run_settings settings = arguments->settings;
    settings.workload.image = image;
    permission_labels(&permission, &settings, &labels);
    settings.workload.labels = labels;
    AUTO_JSON struct json *service = json_new_object();
    run_settings_apply(&settings, service);
    const struct policy_subject subject = {.kind = POLICY_SERVICE,
                                           .name = name,
                                           .project = project,
                                           .region = region,
                                           .planned = service,
                                           .scans = &setup->scans,
                                           .is_offline = true,
                                           .context = (void *)arguments,
                                           .is_public =
                                               arguments->allow_unauthenticated == -1 ? NULL : is_public_by_line};
    if (policy_check(&setup->policies, &subject, &verdict, error) < 0)
        return -1;
    return tell_verdict(context, &verdict, error);
}

int action_policy(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_POLICY_SETUP struct policy_setup setup = {0};
    if (run_settings_read(&arguments->settings, error) < 0 || run_settings_check(&arguments->settings, error) < 0 ||
        policy_setup_read(&setup, arguments, context->progress, error) < 0)
        return -1;
    if (!setup.policies.count)
        progress_note(context->progress, "no policy binds here: neither PL_POLICY nor a \"policy\" in pl.json or "
                                         "config.json names one");
    return check_line(context, arguments, &setup, error);
}
