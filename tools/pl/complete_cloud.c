/* What there is in Google's cloud, or in the local one, asked with the credentials that are at hand. */
#include "tools/pl/complete.h"

#include "common/command/command.h"
#include "firebase/config/file.h"
#include "firebase/hosting/hosting.h"
#include "gcp/credentials/gcloud.h"
#include "gcp/credentials/options.h"
#include "gcp/run/execution.h"
#include "gcp/run/job.h"
#include "gcp/run/resource.h"
#include "gcp/run/revision.h"
#include "gcp/run/service.h"

#include <string.h>

/* ---- who and where ---- */

struct asking {
    const char *project, *region, *name, *site;
    struct credential_options credentials;
};

#define ASKING(option_name, member_name)                                                                               \
    {                                                                                                                  \
        .name = option_name, .value_name = "X", .help = "x", .kind = OPTION_TEXT,                                      \
        .offset = offsetof(struct asking, member_name)                                                                 \
    }
static const struct option asking_options[] = {
    ASKING("project", project), ASKING("region", region), ASKING("name", name), ASKING("site", site), {0},
};
static const struct option_group asking_groups[] = {
    {"Credentials", credential_option_rows, offsetof(struct asking, credentials)}, {0}};

/* A source of a secret that may be read: what runs a command or waits for input is none. */
static bool is_at_hand(const char *source) {
    return !source || text_starts_with(source, "env:") || text_starts_with(source, "file:");
}

static bool is_known(const char *name) {
    const struct option *tables[] = {asking_options, credential_option_rows};
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        for (const struct option *row = tables[i]; row->name; row++)
            if (text_equal(row->name, name))
                return true;
    return false;
}

struct session {
    struct asking asking;
    struct text_list line; /* what the settings borrow from */
    struct command_options *options;
    struct cloud cloud;
};

static void session_release(struct session *session) {
    cloud_release(&session->cloud);
    command_options_release(&session->options);
    text_list_release(&session->line);
}
#define AUTO_SESSION AUTO(session_release)

/* The tool's own way to its settings: what the line says, the environment, pl.json. */
static int read_settings(struct session *session, const struct completion *completion, struct error *error) {
    struct command command = {
        .name = completion->tool, .synopsis = "", .options = asking_options, .groups = asking_groups};
    const struct credential_options *credentials = &session->asking.credentials;
    text_list_add(&session->line, completion->tool);
    for (void *at = json_first(completion->options); at; at = json_next(completion->options, at))
        if (is_known(json_key(at)))
            text_list_add_format(&session->line, "--%s=%s", json_key(at), json_text(json_value(at)));
    session->options =
        command_options_read(&command, (int)session->line.count, session->line.items, &session->asking, error);
    if (!session->options)
        return -1;
    if (!is_at_hand(credentials->document) || !is_at_hand(credentials->id_token))
        return error_set(error, ERROR_PERMISSION, "the credentials are not at hand");
    return 0;
}

static int session_open(struct session *session, const struct completion *completion, bool with_region,
                        struct error *error) {
    if (read_settings(session, completion, error) < 0)
        return -1;
    if (with_region && !session->asking.region)
        return error_set(error, ERROR_USAGE, "no region");
    return cloud_open(&session->cloud, &session->asking.credentials, NULL, session->asking.project,
                      with_region ? session->asking.region : NULL, error);
}

/* The service or job that the line is about. */
static const char *subject(const struct completion *completion, const struct session *session) {
    return session->asking.name         ? session->asking.name
           : completion->operands.count ? completion->operands.items[0]
                                        : NULL;
}

static void add_each(struct text_list *lines, const struct json *resources, const char *description) {
    for (size_t i = 0; i < json_count(resources); i++) {
        const struct json *resource = json_at(resources, i);
        const char *text = json_get_text(resource, description, json_get_text(resource, "createTime", NULL));
        complete_line(lines, run_short_name(json_get_text(resource, "name", "")), text);
    }
}

/* ---- Cloud Run ---- */

static int ask_services(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *services = NULL;
    if (session_open(&session, completion, true, error) < 0 || run_service_list(&session.cloud, &services, error) < 0)
        return -1;
    add_each(lines, services, "uri");
    return 0;
}

/* The second operand of pl-run-deploy and pl-run-job is an image: what no name of a service can be. */
static bool is_image(const struct completion *completion) {
    return strpbrk(completion->prefix, "/:.") != NULL;
}

void complete_services(struct completion *completion) {
    if (is_image(completion))
        complete_images(completion);
    else
        complete_remembered(completion, "services", ask_services);
}

static int ask_jobs(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *jobs = NULL;
    if (session_open(&session, completion, true, error) < 0 ||
        run_resource_list(&session.cloud, &run_job_kind, &jobs, error) < 0)
        return -1;
    add_each(lines, jobs, "updateTime");
    return 0;
}

void complete_jobs(struct completion *completion) {
    if (is_image(completion))
        complete_images(completion);
    else
        complete_remembered(completion, "jobs", ask_jobs);
}

static int ask_revisions(struct completion *completion, const char *what, struct text_list *lines,
                         struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *revisions = NULL;
    if (session_open(&session, completion, true, error) < 0)
        return -1;
    const char *service = subject(completion, &session);
    if (!service || run_service_name_check(service, error) < 0)
        return -1;
    AUTO_FREE char *path = run_service_path(&session.cloud, service);
    if (run_revision_list(&session.cloud, path, &revisions, error) < 0)
        return -1;
    add_each(lines, revisions, "createTime");
    return 0;
}

void complete_revisions(struct completion *completion) {
    complete_remembered(completion, "revisions", ask_revisions);
}

static int ask_tags(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *service = NULL;
    if (session_open(&session, completion, true, error) < 0)
        return -1;
    const char *name = subject(completion, &session);
    if (!name || run_service_name_check(name, error) < 0)
        return -1;
    AUTO_FREE char *path = run_service_path(&session.cloud, name);
    if (run_service_find(&session.cloud, path, &service, error) < 0)
        return -1;
    const struct json *statuses = json_get(service, "trafficStatuses");
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *status = json_at(statuses, i);
        complete_line(lines, json_get_text(status, "tag", ""), json_get_text(status, "revision", NULL));
    }
    return 0;
}

void complete_traffic_tags(struct completion *completion) {
    complete_remembered(completion, "tags", ask_tags);
}

void complete_traffic_targets(struct completion *completion) {
    complete_offer(completion, "latest", "the revision that was made last");
    complete_traffic_tags(completion);
    complete_revisions(completion);
}

static int ask_executions(struct completion *completion, const char *what, struct text_list *lines,
                          struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *executions = NULL;
    if (session_open(&session, completion, true, error) < 0)
        return -1;
    const char *job = subject(completion, &session);
    if (!job || run_job_name_check(job, error) < 0)
        return -1;
    AUTO_FREE char *path = run_job_path(&session.cloud, job);
    if (run_execution_list(&session.cloud, path, &executions, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(executions); i++) {
        const struct json *execution = json_at(executions, i);
        AUTO_FREE char *text = text_format("%s, %s", run_execution_state_name(run_execution_state(execution)),
                                           json_get_text(execution, "createTime", ""));
        complete_line(lines, run_short_name(json_get_text(execution, "name", "")), text);
    }
    return 0;
}

void complete_executions(struct completion *completion) {
    complete_remembered(completion, "executions", ask_executions);
}

/* ---- lists of other APIs ---- */

static int ask_list(struct cloud *cloud, enum endpoint endpoint, const char *path, const char *member,
                    const char *description, struct text_list *lines, struct error *error) {
    AUTO_JSON struct json *all = json_new_array();
    AUTO_FREE char *url = text_format("%s/%s", endpoint_url(endpoint), path);
    if (cloud_list(cloud, url, member, "list", all, error) < 0)
        return -1;
    add_each(lines, all, description);
    return 0;
}

static int ask_secrets(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    if (session_open(&session, completion, false, error) < 0)
        return -1;
    AUTO_FREE char *path = text_format("v1/projects/%s/secrets", session.cloud.project);
    return ask_list(&session.cloud, ENDPOINT_SECRET_MANAGER, path, "secrets", "createTime", lines, error);
}

void complete_secrets(struct completion *completion) {
    complete_remembered(completion, "secrets", ask_secrets);
}

static int ask_repositories(struct completion *completion, const char *what, struct text_list *lines,
                            struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    if (session_open(&session, completion, false, error) < 0)
        return -1;
    const char *region = session.asking.region ? session.asking.region : "us-central1";
    if (region_check(region, error) < 0)
        return -1;
    AUTO_FREE char *path = text_format("v1/projects/%s/locations/%s/repositories", session.cloud.project, region);
    return ask_list(&session.cloud, ENDPOINT_ARTIFACT_REGISTRY, path, "repositories", "description", lines, error);
}

void complete_repositories(struct completion *completion) {
    if (is_image(completion))
        complete_images(completion);
    else
        complete_remembered(completion, "repositories", ask_repositories);
}

/* ---- Hosting ---- */

/* The default of .firebaserc, and its aliases, count for pl-firebase-deploy. */
static void resolve_alias(struct session *session, struct json **rc) {
    if (firebaserc_read(".", rc, NULL) < 0 || !*rc)
        return;
    const char *alias = session->asking.project ? session->asking.project : "default";
    const char *project = firebaserc_project(*rc, alias);
    session->asking.project = project ? project : session->asking.project;
}

static int hosting_session(struct session *session, const struct completion *completion, struct error *error) {
    AUTO_JSON struct json *rc = NULL;
    if (read_settings(session, completion, error) < 0)
        return -1;
    resolve_alias(session, &rc);
    return cloud_open(&session->cloud, &session->asking.credentials, NULL, session->asking.project, NULL, error);
}

static int ask_sites(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    if (hosting_session(&session, completion, error) < 0)
        return -1;
    AUTO_FREE char *path = text_format("v1beta1/projects/%s/sites", session.cloud.project);
    return ask_list(&session.cloud, ENDPOINT_FIREBASE_HOSTING, path, "sites", "defaultUrl", lines, error);
}

void complete_sites(struct completion *completion) {
    complete_remembered(completion, "sites", ask_sites);
}

static int ask_channels(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_HOSTING struct hosting hosting = {.cloud = &session.cloud};
    AUTO_JSON struct json *channels = NULL;
    if (hosting_session(&session, completion, error) < 0)
        return -1;
    hosting.site = text_copy(session.asking.site);
    if ((!hosting.site && hosting_site_default(&session.cloud, &hosting.site, error) < 0) ||
        hosting_site_check(hosting.site, error) < 0 || hosting_channel_list(&hosting, &channels, error) < 0)
        return -1;
    add_each(lines, channels, "url");
    return 0;
}

void complete_channels(struct completion *completion) {
    complete_remembered(completion, "channels", ask_channels);
}

/* {"targets": {"PROJECT": {"hosting": {"TARGET": ["SITE"]}}}} */
void complete_deploy_targets(struct completion *completion) {
    AUTO_JSON struct json *rc = NULL;
    if (firebaserc_read(".", &rc, NULL) < 0)
        return;
    const struct json *targets = json_get(rc, "targets");
    for (void *project = json_first(targets); project; project = json_next(targets, project)) {
        const struct json *hosting = json_get(json_value(project), "hosting");
        for (void *at = json_first(hosting); at; at = json_next(hosting, at))
            complete_offer(completion, json_key(at), json_text(json_at(json_value(at), 0)));
    }
}

/* ---- projects ---- */

static int ask_projects(struct completion *completion, const char *what, struct text_list *lines, struct error *error) {
    (void)what;
    AUTO_SESSION struct session session = {0};
    AUTO_JSON struct json *all = json_new_array();
    if (session_open(&session, completion, false, error) < 0)
        return -1;
    complete_line(lines, session.cloud.project, "of the credentials");
    AUTO_FREE char *url = text_format("%s/v1/projects", endpoint_url(ENDPOINT_RESOURCE_MANAGER));
    if (cloud_list(&session.cloud, url, "projects", "list the projects", all, NULL) < 0)
        return 0;
    for (size_t i = 0; i < json_count(all); i++) {
        const struct json *project = json_at(all, i);
        complete_line(lines, json_get_text(project, "projectId", ""), json_get_text(project, "name", NULL));
    }
    return 0;
}

void complete_projects(struct completion *completion) {
    static const char *const variables[] = {"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"};
    AUTO_JSON struct json *rc = NULL;
    if (text_equal(completion->tool, "pl-firebase-deploy") && firebaserc_read(".", &rc, NULL) == 0) {
        const struct json *aliases = json_get(rc, "projects");
        for (void *at = json_first(aliases); at; at = json_next(aliases, at))
            complete_offer(completion, json_key(at), json_text(json_value(at)));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        complete_offer(completion, getenv(variables[i]), variables[i]);
    AUTO_FREE char *gcloud = gcloud_project();
    complete_offer(completion, gcloud, "gcloud");
    complete_remembered(completion, "projects", ask_projects);
}
