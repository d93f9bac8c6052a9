/* What is deployed: the files, and the rules by which they are served. */
#include "tools/pl-firebase-deploy/session.h"

#include "common/file/file.h"
#include "firebase/config/defaults.h"
#include "tools/pl-firebase-deploy/source.h"

#include <string.h>

enum { RUNTIME_CONFIG_LIMIT = 1 << 20 };

/* ---- files ---- */

static int preflight(void *context, struct error *error) {
    struct session *session = context;
    AUTO_FREE char *here = getcwd(NULL, 0);
    /* The record may lead to another firebase.json: this one is only decisive when it was named. */
    if (session_read_config(session, here ? here : "/", error) == 0)
        return session_open_site(session, error);
    if (session->arguments->config)
        return -1;
    session_drop_config(session);
    return session_open_cloud(session, error);
}

/* The firebase.json nearest to where the record was built, if it says, counts more than the one here. */
static int read_nearest_config(struct session *session, const struct record *record, struct error *error) {
    AUTO_FREE char *here = getcwd(NULL, 0);
    const char *source = record_text(record, "source");
    bool is_place = source && *source == '/' && directory_exists(source);
    AUTO_FREE char *nearest = is_place ? firebase_file_find(source) : NULL;
    session->source = is_place ? path_resolve(source, NULL) : NULL;
    if (session_read_config(session, nearest ? source : here ? here : "/", error) < 0)
        return -1;
    return session_open_site(session, error);
}

static int read_records(struct session *session, struct tree *tree, struct error *error) {
    struct record_list list = {0};
    int result = command_read_records(session->context, RECORD_DIRECTORY, preflight, session, &list, error);
    if (result == 0 && list.count != 1)
        result = error_set(error, ERROR_DATA, "got %zu directories; a site takes one", list.count);
    if (result == 0)
        result = read_nearest_config(session, &list.items[0], error);
    if (result == 0) {
        session->from = text_copy(record_ref(&list.items[0]));
        result = source_load(&session->engine, session->from, tree, error);
    }
    if (result == 0 && session->arguments->hooks == 1)
        result = session_run_hook(session, "predeploy", &session->config.predeploy, error);
    else if (result == 0 && session->config.predeploy.count)
        progress_note(session->context->progress, "%s: predeploy is not run for what a pipe brings (--hooks runs it)",
                      session->file.shown);
    record_list_release(&list);
    return result;
}

/* The operand is the site itself, or the place of a firebase.json that names it. */
static int scan_directory(struct session *session, struct tree *tree, struct error *error) {
    AUTO_FREE char *own = path_join(session->directory, "firebase.json");
    if (session_read_config(session, session->directory, error) < 0 || session_open_site(session, error) < 0)
        return -1;
    if (session->file.path && session->arguments->hooks != 0 &&
        session_run_hook(session, "predeploy", &session->config.predeploy, error) < 0)
        return -1;
    AUTO_FREE char *public =
        session->of_all || file_exists(own) ? session_public(session) : text_copy(session->directory);
    if (!public)
        return 0;
    AUTO_FREE char *directory = path_resolve(public, error);
    session->files.directory = text_copy(directory);
    if (!directory || !directory_exists(directory)) {
        error_set(error, ERROR_DATA, "the directory %s does not exist", public);
        return error_next(error, "build the site first: pl-build DIR | pl-firebase-deploy");
    }
    return source_scan(&session->engine, directory, session->config.ignore, &session->arguments->allowed_files, tree,
                       &session->from, error);
}

/* Nothing is left: by what? */
static int nothing_left(const struct session *session, struct error *error) {
    size_t number, count;
    error_set(error, ERROR_DATA, "there is no file to deploy");
    if (!site_ignore_largest(session->config.ignore, &number, &count))
        return error_next(error, "build the site first: pl-build DIR | pl-firebase-deploy");
    error_set(error, ERROR_DATA, "%s leaves out %s", session->config.ignore_lines.items[number],
              "everything: there is no file to deploy");
    return error_next(error, "a pattern like \"**/.*\" or \"**/node_modules/**\" leaves out less");
}

static bool serves_without_files(const struct site_config *config) {
    return !config->public &&
           (json_count(json_get(config->serving, "rewrites")) || json_count(json_get(config->serving, "redirects")));
}

/* ---- the runtime configuration ---- */

/* As the user says; else the place where the application has one already, else where Angular's assets are. */
static const char *runtime_config_path(const struct session *session) {
    const char *given = session->arguments->runtime_config_file;
    if (given)
        return given;
    bool at_top =
        site_files_find(&session->files, "config.json") && !site_files_find(&session->files, "assets/config.json");
    return at_top ? "/config.json" : "/assets/config.json";
}

/* A file of that name in the site gives the settings that are not named. */
static int read_runtime_config(struct session *session, const char *path, struct json **config, struct error *error) {
    const struct site_file *file = site_files_find(&session->files, path);
    AUTO_BUFFER struct buffer text = BUFFER(RUNTIME_CONFIG_LIMIT);
    if (!file) {
        *config = json_new_object();
        return 0;
    }
    if (site_files_read(&session->files, file, &text, error) < 0)
        return error_wrap(error, "%s", path);
    *config = json_parse(buffer_text(&text), text.length, path, error);
    if (*config && !json_is_object(*config))
        error_set(error, ERROR_DATA, "%s is in the site and is no JSON object, so settings cannot be added", path);
    return json_is_object(*config) ? 0 : -1;
}

static int add_runtime_config(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    const char *path = runtime_config_path(session) + 1;
    AUTO_JSON struct json *config = NULL;
    struct digest digest;
    if (!arguments->runtime_config.count)
        return 0;
    if (read_runtime_config(session, path, &config, error) < 0)
        return -1;
    for (size_t i = 0; i < arguments->runtime_config.count; i++) {
        const char *setting = arguments->runtime_config.items[i];
        size_t length = strcspn(setting, "=");
        AUTO_FREE char *key = text_copy_length(setting, length);
        json_set_text(config, key, setting + length + 1);
    }
    AUTO_FREE char *text = json_format(config, JSON_PRETTY);
    if (store_put(session->engine.store, text, strlen(text), &digest, error) < 0 ||
        site_files_add(&session->files, text_copy(path), NULL, &digest, strlen(text), error) < 0)
        return -1;
    site_files_sort(&session->files);
    return 0;
}

int session_read_files(struct session *session, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if ((session->directory ? scan_directory : read_records)(session, &tree, error) < 0 ||
        source_files(&tree, session->config.ignore, &session->files, error) < 0)
        return -1;
    if (!session->files.count && !serves_without_files(&session->config))
        return nothing_left(session, error);
    return add_runtime_config(session, error);
}

/* ---- rules ---- */

static void append_rule(struct json *serving, const char *glob, const char *value) {
    struct json *rule = json_new_object(), *headers = json_new_object();
    if (!json_get(serving, "headers"))
        json_set(serving, "headers", json_new_array());
    json_set_text(rule, "glob", glob);
    json_set_text(headers, "Cache-Control", value);
    json_set(rule, "headers", headers);
    json_append(json_get(serving, "headers"), rule);
}

static bool sets_cache_control(const struct json *serving) {
    const struct json *rules = json_get(serving, "headers");
    for (size_t i = 0; i < json_count(rules); i++) {
        const struct json *headers = json_get(json_at(rules, i), "headers");
        for (void *at = json_first(headers); at; at = json_next(headers, at))
            if (!strcasecmp(json_key(at), "cache-control"))
                return true;
    }
    return false;
}

/* In front of firebase.json's own, which therefore win. */
static void prepend_default_headers(struct session *session) {
    struct json *serving = session->config.serving, *all = defaults_headers(&session->files, serving);
    const struct json *own = json_get(serving, "headers");
    for (size_t i = 0; i < json_count(own); i++)
        json_append(all, json_share(json_at(own, i)));
    json_set(serving, "headers", all);
}

/* A rewrite to a file that is not there gives 404 for everything. */
static void warn_of_missing_destinations(const struct session *session) {
    const struct text_list *destinations = &session->config.destinations;
    for (size_t i = 0; i < destinations->count; i++) {
        const char *path = strchr(destinations->items[i], '\n') + 1;
        AUTO_FREE char *html = text_format("%s.html", path), *index = text_format("%s/index.html", path);
        const char *candidates[] = {path, html, index};
        bool found = false;
        for (size_t j = 0; j < ARRAY_LENGTH(candidates); j++)
            found = found || site_files_find(&session->files, candidates[j] + (*candidates[j] == '/'));
        if (!found)
            progress_note(session->context->progress, "warning: %.*s: the destination %s is not in the site",
                          (int)(path - 1 - destinations->items[i]), destinations->items[i], path);
    }
}

static int use_defaults(struct session *session, struct error *error) {
    bool pages;
    if (!site_files_find(&session->files, "index.html")) {
        error_set(error, ERROR_DATA, "the site has no index.html");
        return error_next(error, "deploy the directory that holds it, or describe the site in a firebase.json");
    }
    json_release(&session->config.serving);
    session->config.serving = defaults_config(&session->files, &pages);
    progress_note(session->context->progress,
                  pages
                      ? "no firebase.json: a site of pages (clean URLs, its own 404.html); files with a hash in their "
                        "name are kept for a year, nothing else is kept"
                      : "no firebase.json: a single-page application (every path that is no file gets /index.html); "
                        "files with a hash in their name are kept for a year, nothing else is kept");
    return 0;
}

int session_complete_config(struct session *session, struct error *error) {
    struct site_config *config = &session->config;
    if (!session->file.path) {
        if (use_defaults(session, error) < 0)
            return -1;
    } else if (session->arguments->default_headers) {
        prepend_default_headers(session);
    } else if (session->files.count && !sets_cache_control(config->serving)) {
        progress_note(
            session->context->progress,
            "%s sets no Cache-Control: browsers may show an old index.html for an hour; --default-headers adds "
            "it",
            session->file.shown);
    }
    warn_of_missing_destinations(session);
    if (session->arguments->runtime_config.count)
        append_rule(config->serving, runtime_config_path(session), CACHE_NOT);
    return 0;
}
