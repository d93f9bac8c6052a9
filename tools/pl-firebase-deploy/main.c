#include "tools/pl-firebase-deploy/command.h"

#include "common/file/file.h"
#include "firebase/hosting/rollout.h"
#include "tools/pl-firebase-deploy/session.h"

#include <string.h>

enum { LONGEST_EXPIRY = 30 * 86400, SITES_LIMIT = 100 };

/* ---- what needs no files ---- */

static int open_named_site(struct session *session, struct error *error) {
    AUTO_FREE char *here = getcwd(NULL, 0);
    if (session_read_config(session, here ? here : "/", error) < 0)
        return -1;
    if (session_open_site(session, error) < 0)
        return -1;
    return session->site_is_new ? hosting_site_missing(&session->hosting, error) : 0;
}

static int finish_rollout(struct session *session, const char *channel, const struct hosting_outcome *outcome) {
    AUTO_FREE char *site = session_site_text(session, channel);
    session_add_result(session, channel, outcome);
    command_summary(session->context, "%s: %sshows version %s", site, outcome->unchanged ? "unchanged, " : "",
                    outcome->version);
    return 0;
}

static int promote(struct session *session, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    AUTO_FREE char *from = hosting_channel_id(session->arguments->promote, error);
    /* The source of what the other channel shows is not known here. */
    if (!from || open_named_site(session, error) < 0 || session_permit(session, POLICY_SITE, "live", error) < 0 ||
        hosting_promote(&session->hosting, from, session->arguments->message, &outcome, error) < 0)
        return -1;
    return finish_rollout(session, "live", &outcome);
}

static int rollback(struct session *session, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    const char *version = session->context->operand_count ? session->context->operands[0] : NULL;
    if (open_named_site(session, error) < 0 || session_permit(session, POLICY_RELEASE, session->channel, error) < 0 ||
        hosting_rollback(&session->hosting, session->channel, version, session->arguments->message, &outcome, error) <
            0)
        return -1;
    return finish_rollout(session, session->channel, &outcome);
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
    session_authorize_preview(session, NULL);
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
    if (arguments->all_sites && (arguments->site || arguments->target || modes))
        return error_set(error, ERROR_USAGE,
                         "--all-sites goes with neither --site, --target nor what changes one site");
    if (arguments->site && hosting_site_check(arguments->site, error) < 0)
        return -1;
    if (arguments->expires >= 0 && session_is_live(session->channel))
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

static int run_mode(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    if (arguments->promote)
        return promote(session, error);
    if (arguments->rollback)
        return rollback(session, error);
    if (arguments->delete_channel)
        return delete_channel(session, error);
    return session_prepare(session, error) < 0 ? -1 : session_deploy(session, error);
}

static void session_close(struct session *session) {
    services_release(&session->services);
    site_files_release(&session->files);
    session_drop_config(session);
    hosting_release(&session->hosting);
    cloud_release(&session->cloud);
    if (session->engine.store)
        store_close(&session->engine.store);
    free(session->channel);
    free(session->directory);
    free(session->source);
    free(session->from);
}

/* ---- all sites of a firebase.json ---- */

/* What is wrong with any of them is known before the first is deployed. */
static int deploy_all(const struct session *first, struct session *sites, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++) {
        sites[i] = (struct session){.context = first->context,
                                    .arguments = first->arguments,
                                    .policies = first->policies,
                                    .engine = first->engine,
                                    .results = first->results,
                                    .channel = text_copy(first->channel),
                                    .directory = text_copy(first->directory),
                                    .of_all = true,
                                    .entry = i};
        if (session_prepare(&sites[i], error) < 0)
            return error_wrap(error, "site %zu of %zu", i + 1, count);
    }
    for (size_t i = 0; i < count; i++)
        if (session_deploy(&sites[i], error) < 0)
            return error_wrap(error, "%zu of %zu sites are deployed; site %s", i, count, sites[i].hosting.site);
    return 0;
}

static int run_all(struct session *session, struct error *error) {
    size_t count;
    if (!session->directory) {
        error_set(error, ERROR_USAGE, "--all-sites deploys the directories that firebase.json names");
        return error_next(error, "give the directory that holds it: pl-firebase-deploy --all-sites .");
    }
    if (session_count_sites(session, &count, error) < 0)
        return -1;
    if (count > SITES_LIMIT)
        return error_set(error, ERROR_DATA, "%s has %zu sites; a project has fewer", session->file.shown, count);
    struct session *sites = memory_allocate(count, sizeof(*sites));
    int result = deploy_all(session, sites, count, error);
    for (size_t i = 0; i < count; i++)
        session_close(&sites[i]);
    free(sites);
    return result;
}

static int run_session(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    session->channel = hosting_channel_id(arguments->channel, error);
    if (!session->channel || check_arguments(session, error) < 0 || find_directory(session, error) < 0 ||
        (arguments->all_sites ? run_all : run_mode)(session, error) < 0)
        return -1;
    return session->results->count ? command_write_records(session->context, session->results, error) : 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct record_list results = {0};
    AUTO_POLICIES struct policies policies = {0};
    if (policies_read(&policies, context->progress, error) < 0)
        return -1;
    struct session session = {.policies = &policies,
                              .context = context,
                              .arguments = given,
                              .engine = {.progress = context->progress},
                              .results = &results};
    int result = run_session(&session, error);
    session_close(&session);
    record_list_release(&results);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_firebase_deploy_command, run, argc, argv);
}
