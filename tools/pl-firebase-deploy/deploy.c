/* Deploying one site: everything that can be known before, then the deployment. */
#include "tools/pl-firebase-deploy/session.h"

#include "chain/wait.h"
#include "firebase/hosting/domains.h"
#include "firebase/hosting/services.h"

#include <time.h>

enum { DEFAULT_EXPIRY = 7 * 86400, DEADLINE = 6 * 3600 };

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool session_is_live(const char *channel) {
    return text_equal(channel, "live");
}

/* ---- results ---- */

void session_add_result(struct session *session, const char *channel, const struct hosting_outcome *outcome) {
    struct record record = record_new(RECORD_SITE, outcome->url);
    json_set_text(record.json, "name", session->hosting.site);
    json_set_text(record.json, "site", session->hosting.site);
    json_set_text(record.json, "version", outcome->version);
    json_set_text(record.json, "channel", channel);
    json_set_text(record.json, "expires", outcome->expire_time);
    json_set_text(record.json, "project", session->cloud.project);
    if (session->from) {
        struct json *from = json_new_array();
        json_append_text(from, session->from);
        json_set(record.json, "from", from);
    }
    record_list_add(session->results, record);
}

char *session_site_text(const struct session *session, const char *channel) {
    return session_is_live(channel) ? text_format("site %s", session->hosting.site)
                                    : text_format("site %s, channel %s", session->hosting.site, channel);
}

/* ---- deploying ---- */

static int complete(void *context, const char *version, struct json *config, struct error *error) {
    return services_pin(context, version, config, error);
}

static int dry_run(struct session *session, const struct hosting_deployment *deployment, struct error *error) {
    struct hosting_difference difference = {0};
    AUTO_FREE char *site = session_site_text(session, session->channel);
    int result = hosting_deploy_dry(&session->hosting, deployment, &difference, error);
    if (result == 0) {
        AUTO_FREE char *text = text_scrub(buffer_text(&difference.text), difference.text.length, true);
        result = command_print(session->context, *text ? text : "nothing would change\n", error);
    }
    if (result == 0 && session->site_is_new)
        progress_note(session->context->progress, "site %s would be made", session->hosting.site);
    if (result == 0 && difference.foreign && difference.changed)
        progress_note(session->context->progress, "what is shown was deployed by another tool, which packs files "
                                                  "differently: the same file counts as changed (~)");
    if (result == 0)
        command_summary(session->context, "%s: %zu would be added, %zu changed, %zu removed%s (--dry-run)", site,
                        difference.added, difference.changed, difference.removed,
                        difference.config ? ", and the configuration changed" : "");
    buffer_release(&difference.text);
    return result;
}

static int postdeploy(struct session *session, struct error *error) {
    if (session->arguments->hooks == 0 || !session->file.path ||
        session_run_hook(session, "postdeploy", &session->config.postdeploy, error) == 0)
        return 0;
    return error_wrap(error, "the site is deployed, but");
}

static int make_site(struct session *session, struct error *error) {
    if (!session->site_is_new)
        return 0;
    if (hosting_site_create(&session->hosting, false, error) < 0)
        return -1;
    progress_note(session->context->progress, "made site %s of project %s (--create-site)", session->hosting.site,
                  session->cloud.project);
    return 0;
}

/* A preview is there all the same when this cannot be done. */
void session_authorize_preview(struct session *session, const char *url) {
    struct error failure = {0};
    if (session->arguments->authorized_domains && hosting_domains_update(&session->hosting, url, &failure) < 0)
        progress_note(session->context->progress,
                      "warning: people may not be able to sign in at the preview: %s; --no-authorized-domains leaves "
                      "this out",
                      failure.text);
}

static int deploy(struct session *session, const struct hosting_deployment *deployment, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    AUTO_FREE char *site = session_site_text(session, session->channel);
    double begin = seconds_now();
    if (make_site(session, error) < 0 || hosting_deploy(&session->hosting, deployment, &outcome, error) < 0 ||
        postdeploy(session, error) < 0)
        return -1;
    if (!session_is_live(session->channel))
        session_authorize_preview(session, outcome.url);
    session_add_result(session, session->channel, &outcome);
    command_summary(session->context, "%s: %s%zu file%s, %zu sent (%.1f MB), version %s (%.1f s)", site,
                    outcome.unchanged ? "unchanged, " : "", session->files.count, session->files.count == 1 ? "" : "s",
                    outcome.content.uploaded, (double)outcome.content.uploaded_bytes / 1e6, outcome.version,
                    seconds_now() - begin);
    return 0;
}

int session_permit(const struct session *session, enum policy_kind kind, const char *channel, struct error *error) {
    const struct hop_list *hops = credentials_hops(session->cloud.credentials);
    const struct policy_subject subject = {.kind = kind,
                                           .name = session->hosting.site,
                                           .project = session->cloud.project,
                                           .channel = channel,
                                           .content = session->from,
                                           .directory = session->source ? session->source : session->directory,
                                           .claims = hops ? hops->claims : NULL};
    return policy_enforce(session->policies, &subject, session->context->progress, error);
}

int session_prepare(struct session *session, struct error *error) {
    session->engine.store = store_open(NULL, error);
    if (!session->engine.store)
        return -1;
    chain_rest_while_waiting(session->context, session->engine.store);
    site_files_init(&session->files, session->engine.store);
    if (session_read_files(session, error) < 0 || session_complete_config(session, error) < 0)
        return -1;
    /* A large site over a slow line takes its time; a transfer that stalls is ended all the same. */
    http_release(&session->cloud.http);
    session->cloud.http = cloud_http_new(session->context->progress, DEADLINE);
    if (session_permit(session, POLICY_SITE, session->channel, error) < 0)
        return -1;
    return services_resolve(&session->services, &session->hosting, session->file.shown, &session->config,
                            session->channel, error);
}

int session_deploy(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    struct hosting_deployment deployment = {.files = &session->files,
                                            .config = session->config.serving,
                                            .channel = session->channel,
                                            .ttl = arguments->expires < 0 ? DEFAULT_EXPIRY : arguments->expires,
                                            .evict_expired = arguments->evict_expired,
                                            .message = arguments->message,
                                            .pins = buffer_text(&session->services.pins),
                                            .complete = complete,
                                            .context = &session->services};
    return (arguments->dry_run ? dry_run : deploy)(session, &deployment, error);
}
