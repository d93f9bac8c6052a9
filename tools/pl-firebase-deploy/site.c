/* Which firebase.json, which project, which site. */
#include "tools/pl-firebase-deploy/session.h"

#include "common/file/file.h"

#include <string.h>

/* What firebase-tools writes into a new firebase.json as "ignore". */
static int ignore_the_usual(struct session *session, struct error *error) {
    static const char *const usual[] = {"firebase.json", "**/.*", "**/node_modules/**"};
    session->config = (struct site_config){.ignore = site_ignore_new(), .serving = json_new_object()};
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++) {
        if (site_ignore_add(session->config.ignore, usual[i], i, error) < 0)
            return -1;
        text_list_add_format(&session->config.ignore_lines, "the pattern \"%s\"", usual[i]);
    }
    return 0;
}

void session_drop_config(struct session *session) {
    firebase_file_release(&session->file);
    site_config_release(&session->config);
    json_release(&session->rc);
}

int session_read_config(struct session *session, const char *start, struct error *error) {
    const struct arguments *arguments = session->arguments;
    AUTO_FREE char *path = arguments->config ? text_copy(arguments->config) : firebase_file_find(start);
    session_drop_config(session);
    if (firebaserc_read(start, &session->rc, error) < 0)
        return -1;
    if (!path) {
        if (arguments->target)
            return error_set(error, ERROR_CONFIGURATION, "there is no firebase.json that has the target %s",
                             arguments->target);
        return ignore_the_usual(session, error);
    }
    if (firebase_file_read(path, &session->file, error) < 0)
        return -1;
    json_release(&session->rc);
    struct config_wish wish = {arguments->site, arguments->target, session->directory, session->source};
    size_t index;
    if (firebaserc_read(session->file.directory, &session->rc, error) < 0 ||
        (session->of_all ? config_entry(&session->file, session->entry, &index, error)
                         : config_choose(&session->file, session->rc, &wish, &index, error)) < 0)
        return -1;
    return config_read(&session->file, index, &session->config, error);
}

int session_count_sites(struct session *session, size_t *count, struct error *error) {
    const char *given = session->arguments->config;
    AUTO_FREE char *path = given ? text_copy(given) : firebase_file_find(session->directory);
    if (!path)
        return error_set(error, ERROR_CONFIGURATION, "there is no firebase.json at or above %s", session->directory);
    return firebase_file_read(path, &session->file, error) < 0 ? -1 : config_count(&session->file, count, error);
}

char *session_public(const struct session *session) {
    const char *public = session->config.public;
    if (!public)
        return NULL;
    return *public == '/' ? text_copy(public) : path_join(session->file.directory, public);
}

/* The id for --project, which may be an alias; without it the default of .firebaserc, unless the environment says. */
static const char *wanted_project(const struct session *session) {
    static const char *const variables[] = {"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"};
    const char *given = session->arguments->project;
    if (given) {
        const char *project = firebaserc_project(session->rc, given);
        return project ? project : given;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        if (!text_is_empty(getenv(variables[i])))
            return NULL;
    return firebaserc_project(session->rc, "default");
}

/* *is_known: Google named it. */
static int find_site(struct session *session, char **site, bool *is_known, struct error *error) {
    const struct site_config *config = &session->config;
    const char *given = session->arguments->site, *found = NULL;
    if (given && config->site && !text_equal(given, config->site))
        progress_note(session->context->progress, "%s is for site %s; --site %s is taken", session->file.shown,
                      config->site, given);
    if (given || config->site) {
        *site = text_copy(given ? given : config->site);
        return 0;
    }
    *is_known = !config->target;
    if (*is_known)
        return hosting_site_default(&session->cloud, site, error);
    if (firebaserc_site(session->rc, session->cloud.project, config->target, &found, error) < 0)
        return -1;
    *site = text_copy(found);
    return 0;
}

int session_open_cloud(struct session *session, struct error *error) {
    const char *project = wanted_project(session);
    if (session->cloud.project && (!project || text_equal(project, session->cloud.project)))
        return 0;
    hosting_release(&session->hosting);
    cloud_release(&session->cloud);
    return cloud_open(&session->cloud, &session->arguments->credentials, session->context->progress, project, NULL,
                      error);
}

/* Makes nothing yet: that has time until everything else is known to be right. */
static int check_site(struct session *session, struct error *error) {
    AUTO_JSON struct json *found = NULL;
    if (hosting_site_get(&session->hosting, &found, error) < 0)
        return -1;
    if (found)
        return 0;
    session->site_is_new = session->arguments->create_site;
    return session->site_is_new ? hosting_site_create(&session->hosting, true, error)
                                : hosting_site_missing(&session->hosting, error);
}

int session_open_site(struct session *session, struct error *error) {
    AUTO_FREE char *site = NULL;
    bool is_known = false;
    if (session_open_cloud(session, error) < 0 || find_site(session, &site, &is_known, error) < 0 ||
        hosting_site_check(site, error) < 0)
        return -1;
    if (text_equal(site, session->hosting.site))
        return 0;
    hosting_release(&session->hosting);
    session->hosting = (struct hosting){.cloud = &session->cloud, .site = take_pointer(&site)};
    session->site_is_new = false;
    return is_known ? 0 : check_site(session, error);
}
