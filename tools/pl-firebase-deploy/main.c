#include "tools/pl-firebase-deploy/command.h"

#include "common/file/file.h"
#include "firebase/config/defaults.h"
#include "firebase/hosting/deploy.h"
#include "tools/pl-firebase-deploy/source.h"

#include <string.h>
#include <time.h>

enum { DEFAULT_EXPIRY = 7 * 86400, LONGEST_EXPIRY = 30 * 86400 };

struct session {
    struct command_context *context;
    const struct arguments *arguments;
    struct engine engine;
    struct cloud cloud;
    struct hosting hosting;
    char *channel;
    struct site_ignore *ignore;
    struct site_files files;
    struct json *config;
    char *from; /* the ref of what is deployed */
};

static void session_close(struct session *session) {
    site_files_release(&session->files);
    site_ignore_release(&session->ignore);
    json_release(&session->config);
    hosting_release(&session->hosting);
    cloud_release(&session->cloud);
    if (session->engine.store)
        store_close(&session->engine.store);
    free(session->channel);
    free(session->from);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int preflight(void *context, struct error *error) {
    struct session *session = context;
    AUTO_JSON struct json *site = NULL;
    if (cloud_open(&session->cloud, session->context->progress, session->arguments->project, NULL, error) < 0)
        return -1;
    session->hosting.cloud = &session->cloud;
    if (session->arguments->site)
        session->hosting.site = text_copy(session->arguments->site);
    else if (hosting_site_default(&session->cloud, &session->hosting.site, error) < 0)
        return -1;
    return hosting_site_get(&session->hosting, &site, error);
}

static int read_records(struct session *session, struct tree *tree, struct error *error) {
    struct record_list list = {0};
    int result = command_read_records(session->context, RECORD_DIRECTORY, preflight, session, &list, error);
    if (result == 0 && list.count != 1)
        result = error_set(error, ERROR_DATA, "got %zu directories; a site takes one", list.count);
    if (result == 0) {
        session->from = text_copy(record_ref(&list.items[0]));
        result = source_load(&session->engine, session->from, tree, error);
    }
    record_list_release(&list);
    return result;
}

/* An operand that is no record and no ref is a directory. */
static bool is_path(const char *operand) {
    return *operand != '{' && !text_starts_with(operand, "directory:");
}

static int read_files(struct session *session, struct error *error) {
    const struct command_context *context = session->context;
    AUTO_TREE struct tree tree = {0};
    if (context->operand_count == 1 && is_path(context->operands[0])) {
        AUTO_FREE char *directory = path_resolve(context->operands[0], error);
        if (!directory || preflight(session, error) < 0)
            return -1;
        if (source_scan(&session->engine, directory, session->ignore, &session->arguments->allowed_files, &tree,
                        &session->from, error) < 0)
            return -1;
    } else if (read_records(session, &tree, error) < 0) {
        return -1;
    }
    return source_files(&tree, session->ignore, &session->files, error);
}

static int deploy(struct session *session, struct error *error) {
    AUTO_HOSTING_OUTCOME struct hosting_outcome outcome = {0};
    struct hosting_deployment deployment = {.files = &session->files,
                                            .config = session->config,
                                            .channel = session->channel,
                                            .ttl = session->arguments->expires,
                                            .evict_expired = session->arguments->evict_expired,
                                            .message = session->arguments->message};
    double begin = seconds_now();
    if (hosting_deploy(&session->hosting, &deployment, &outcome, error) < 0)
        return -1;
    struct record_list out = {0};
    struct record record = record_new(RECORD_SITE, outcome.url);
    json_set_text(record.json, "name", session->hosting.site);
    json_set_text(record.json, "site", session->hosting.site);
    json_set_text(record.json, "version", outcome.version);
    json_set_text(record.json, "channel", session->channel);
    json_set_text(record.json, "expires", outcome.expire_time);
    json_set_text(record.json, "project", session->cloud.project);
    struct json *from = json_new_array();
    json_append_text(from, session->from);
    json_set(record.json, "from", from);
    record_list_add(&out, record);
    int result = command_write_records(session->context, &out, error);
    record_list_release(&out);
    if (result < 0)
        return -1;
    command_summary(session->context, "site %s%s%s: %s%zu files, %zu uploaded (%.1f MB) (%.1f s)",
                    session->hosting.site, text_equal(session->channel, "live") ? "" : ", channel ",
                    text_equal(session->channel, "live") ? "" : session->channel,
                    outcome.unchanged ? "unchanged, " : "", session->files.count, outcome.content.uploaded,
                    (double)outcome.content.uploaded_bytes / 1e6, seconds_now() - begin);
    return 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct session session = {.context = context, .arguments = given};
    struct arguments *arguments = given;
    if (arguments->expires < 0)
        arguments->expires = DEFAULT_EXPIRY;
    session.channel = hosting_channel_id(arguments->channel, error);
    session.engine = (struct engine){.progress = context->progress};
    session.ignore = site_ignore_new();
    int result = session.channel ? 0 : -1;
    if (result == 0) {
        session.engine.store = store_open(NULL, error);
        result = session.engine.store ? 0 : -1;
    }
    site_files_init(&session.files, session.engine.store);
    if (result == 0)
        result = read_files(&session, error);
    if (result == 0) {
        cloud_renew(&session.cloud);
        session.config = defaults_config(&session.files, NULL);
        result = deploy(&session, error);
    }
    session_close(&session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_firebase_deploy_command, run, argc, argv);
}
