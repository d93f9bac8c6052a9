#include "tools/pl-firebase-deploy/command.h"

#include "common/file/file.h"
#include "firebase/hosting/domains.h"
#include "firebase/hosting/rollout.h"
#include "firebase/hosting/services.h"
#include "tools/pl-firebase-deploy/session.h"

#include <string.h>
#include <time.h>

enum { DEFAULT_EXPIRY = 7 * 86400, LONGEST_EXPIRY = 30 * 86400, DEADLINE = 6 * 3600 };

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_live(const char *channel) {
    return text_equal(channel, "live");
}

/* ---- results ---- */

static int write_site(struct session *session, const char *channel, const struct hosting_outcome *outcome,
                      struct error *error) {
    struct record_list out = {0};
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
    record_list_add(&out, record);
    int result = command_write_records(session->context, &out, error);
    record_list_release(&out);
    return result;
}

static char *site_text(const struct session *session, const char *channel) {
    return is_live(channel) ? text_format("site %s", session->hosting.site)
                            : text_format("site %s, channel %s", session->hosting.site, channel);
}

/* ---- deploying ---- */

static int complete(void *context, const char *version, struct json *config, struct error *error) {
    return services_pin(context, version, config, error);
}

static int dry_run(struct session *session, const struct hosting_deployment *deployment, struct error *error) {
    struct hosting_difference difference = {0};
    AUTO_FREE char *site = site_text(session, session->channel);
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
static void authorize_preview(struct session *session, const char *url) {
    struct error failure = {0};
    if (session->arguments->authorized_domains && hosting_domains_update(&session->hosting, url, &failure) < 0)
        progress_note(session->context->progress,
                      "warning: people may not be able to sign in at the preview: %s; --no-authorized-domains leaves "
                      "this out",
                      failure.text);
}

static int deploy(struct session *session, const struct hosting_deployment *deployment, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    AUTO_FREE char *site = site_text(session, session->channel);
    double begin = seconds_now();
    if (make_site(session, error) < 0 || hosting_deploy(&session->hosting, deployment, &outcome, error) < 0 ||
        postdeploy(session, error) < 0)
        return -1;
    if (!is_live(session->channel))
        authorize_preview(session, outcome.url);
    if (write_site(session, session->channel, &outcome, error) < 0)
        return -1;
    command_summary(session->context, "%s: %s%zu file%s, %zu sent (%.1f MB), version %s (%.1f s)", site,
                    outcome.unchanged ? "unchanged, " : "", session->files.count, session->files.count == 1 ? "" : "s",
                    outcome.content.uploaded, (double)outcome.content.uploaded_bytes / 1e6, outcome.version,
                    seconds_now() - begin);
    return 0;
}

static int run_deploy_command(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    if (session_read_files(session, error) < 0 || session_complete_config(session, error) < 0)
        return -1;
    /* A large site over a slow line takes its time; a transfer that stalls is ended all the same. */
    http_release(&session->cloud.http);
    session->cloud.http = cloud_http_new(session->context->progress, DEADLINE);
    AUTO_SERVICES struct services services = {0};
    if (services_resolve(&services, &session->hosting, session->file.shown, &session->config, session->channel, error) <
        0)
        return -1;
    struct hosting_deployment deployment = {.files = &session->files,
                                            .config = session->config.serving,
                                            .channel = session->channel,
                                            .ttl = arguments->expires < 0 ? DEFAULT_EXPIRY : arguments->expires,
                                            .evict_expired = arguments->evict_expired,
                                            .message = arguments->message,
                                            .pins = buffer_text(&services.pins),
                                            .complete = complete,
                                            .context = &services};
    return (arguments->dry_run ? dry_run : deploy)(session, &deployment, error);
}

/* ---- what needs no files ---- */

static int open_named_site(struct session *session, struct error *error) {
    AUTO_FREE char *here = getcwd(NULL, 0);
    if (session_read_config(session, here ? here : "/", error) < 0)
        return -1;
    if (session_open_site(session, error) < 0)
        return -1;
    return session->site_is_new ? hosting_site_missing(&session->hosting, error) : 0;
}

static int finish_rollout(struct session *session, const char *channel, const struct hosting_outcome *outcome,
                          struct error *error) {
    AUTO_FREE char *site = site_text(session, channel);
    if (write_site(session, channel, outcome, error) < 0)
        return -1;
    command_summary(session->context, "%s: %sshows version %s", site, outcome->unchanged ? "unchanged, " : "",
                    outcome->version);
    return 0;
}

static int promote(struct session *session, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    AUTO_FREE char *from = hosting_channel_id(session->arguments->promote, error);
    if (!from || open_named_site(session, error) < 0 ||
        hosting_promote(&session->hosting, from, session->arguments->message, &outcome, error) < 0)
        return -1;
    return finish_rollout(session, "live", &outcome, error);
}

static int rollback(struct session *session, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    const char *version = session->context->operand_count ? session->context->operands[0] : NULL;
    if (open_named_site(session, error) < 0 || hosting_rollback(&session->hosting, session->channel, version,
                                                                session->arguments->message, &outcome, error) < 0)
        return -1;
    return finish_rollout(session, session->channel, &outcome, error);
}

static int delete_channel(struct session *session, struct error *error) {
    AUTO_FREE char *id = hosting_channel_id(session->arguments->delete_channel, error);
    bool missing = false;
    if (!id)
        return -1;
    if (text_equal(id, "live"))
        return error_set(error, ERROR_USAGE, "the channel live cannot be deleted");
    if (open_named_site(session, error) < 0 || hosting_channel_delete(&session->hosting, id, &missing, error) < 0)
        return -1;
    authorize_preview(session, NULL);
    command_summary(session->context, "site %s: channel %s %s", session->hosting.site, id,
                    missing ? "was not there" : "is deleted");
    return 0;
}

/* ---- all ---- */

static int check_runtime_config(const struct arguments *arguments, struct error *error) {
    const char *path = arguments->runtime_config_file;
    if (path && (*path != '/' || !path_is_below(path + 1) || path[strlen(path) - 1] == '/'))
        return error_set(error, ERROR_USAGE, "--runtime-config-file: \"%.100s\" is no path such as /assets/config.json",
                         path);
    for (size_t i = 0; i < arguments->runtime_config.count; i++) {
        const char *setting = arguments->runtime_config.items[i];
        if (*setting == '=' || !strchr(setting, '='))
            return error_set(error, ERROR_USAGE, "--runtime-config: \"%.100s\" is not KEY=VALUE", setting);
    }
    return 0;
}

static int check_arguments(const struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    unsigned modes = (arguments->promote != NULL) + arguments->rollback + (arguments->delete_channel != NULL);
    if (modes > 1 || (modes && (arguments->dry_run || arguments->runtime_config.count)))
        return error_set(error, ERROR_USAGE, "--promote, --rollback and --delete-channel each stand alone");
    if (session->context->operand_count && modes && !arguments->rollback)
        return error_set(error, ERROR_USAGE, "no directory is deployed with --promote or --delete-channel");
    if (arguments->site && arguments->target)
        return error_set(error, ERROR_USAGE, "give --site or --target, not both");
    if (arguments->site && hosting_site_check(arguments->site, error) < 0)
        return -1;
    if (arguments->expires >= 0 && is_live(session->channel))
        return error_set(error, ERROR_USAGE, "--expires is for a preview: the channel live does not end");
    if (arguments->expires == 0 || arguments->expires > LONGEST_EXPIRY)
        return error_set(error, ERROR_USAGE, "--expires: a preview ends after 1 second to 30 days");
    if (arguments->message && strlen(arguments->message) > HOSTING_MESSAGE_LIMIT)
        return error_set(error, ERROR_USAGE, "--message has more than %d characters", HOSTING_MESSAGE_LIMIT);
    return check_runtime_config(arguments, error);
}

/* An operand that is no record and no ref is a directory. */
static int find_directory(struct session *session, struct error *error) {
    const struct command_context *context = session->context;
    const char *operand = context->operand_count ? context->operands[0] : NULL;
    if (!operand || session->arguments->rollback || *operand == '{' || text_starts_with(operand, "directory:"))
        return 0;
    session->directory = path_resolve(operand, error);
    if (!session->directory)
        return -1;
    return directory_exists(session->directory) ? 0 : error_set(error, ERROR_DATA, "%s is not a directory", operand);
}

static int run_session(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    session->channel = hosting_channel_id(arguments->channel, error);
    if (!session->channel || check_arguments(session, error) < 0 || find_directory(session, error) < 0)
        return -1;
    if (arguments->promote)
        return promote(session, error);
    if (arguments->rollback)
        return rollback(session, error);
    if (arguments->delete_channel)
        return delete_channel(session, error);
    session->engine.store = store_open(NULL, error);
    if (!session->engine.store)
        return -1;
    site_files_init(&session->files, session->engine.store);
    return run_deploy_command(session, error);
}

static void session_close(struct session *session) {
    site_files_release(&session->files);
    session_drop_config(session);
    hosting_release(&session->hosting);
    cloud_release(&session->cloud);
    if (session->engine.store)
        store_close(&session->engine.store);
    free(session->channel);
    free(session->directory);
    free(session->from);
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct session session = {.context = context, .arguments = given, .engine = {.progress = context->progress}};
    int result = run_session(&session, error);
    session_close(&session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_firebase_deploy_command, run, argc, argv);
}
