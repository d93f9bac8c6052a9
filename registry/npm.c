#include "registry/npm.h"

#include "common/crypto/integrity.h"
#include "common/file/file.h"
#include "common/json/json.h"

#include <string.h>

enum { METADATA_LIMIT = 4 << 20, SETTINGS_LIMIT = 1 << 16 };
#define TARBALL_LIMIT (1ULL << 30)

/* ---- settings ---- */

/* Where to ask, and the token to ask with. */
struct settings {
    char *url;   /* without a slash at the end */
    char *token; /* NULL: none */
};

static void settings_release(struct settings *settings) {
    if (settings->token)
        memory_wipe(settings->token, strlen(settings->token));
    free(settings->token);
    free(settings->url);
}

static void set_url(struct settings *settings, const char *text) {
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    free(settings->url);
    settings->url = text_copy_length(text, length);
}

/* A value with "${NAME}" replaced by the variable; the caller frees. */
static char *expand(const char *value) {
    struct buffer out = BUFFER(SETTINGS_LIMIT);
    while (*value) {
        const char *end = text_starts_with(value, "${") ? strchr(value, '}') : NULL;
        if (!end) {
            buffer_append_byte(&out, *value++);
            continue;
        }
        AUTO_FREE char *name = text_copy_length(value + 2, (size_t)(end - value - 2));
        const char *found = getenv(name);
        buffer_append_text(&out, found ? found : "");
        value = end + 1;
    }
    return buffer_take(&out);
}

/* "KEY = VALUE" split at the first sign; false for comments and sections. */
static bool split_line(char *line, const char **key, const char **value) {
    char *equals = strchr(line, '=');
    line += strspn(line, " \t");
    if (!equals || *line == ';' || *line == '#' || *line == '[' || equals < line)
        return false;
    char *end = equals;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    *key = line;
    *value = equals + 1 + strspn(equals + 1, " \t");
    size_t length = strlen(*value);
    char *text = equals + 1 + (*value - (equals + 1));
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return true;
}

/* "//HOST/PATH/:_authToken" belongs to the registry "https://HOST/PATH". */
static bool is_token_of(const char *key, const char *url) {
    const char *place = strstr(url, "//");
    size_t length = place ? strlen(place) : 0;
    return place && strncmp(key, place, length) == 0 &&
           (text_equal(key + length, ":_authToken") || text_equal(key + length, "/:_authToken"));
}

static void read_lines(struct settings *settings, const struct text_list *lines, bool want_token) {
    for (size_t i = 0; i < lines->count; i++) {
        AUTO_FREE char *line = text_copy(lines->items[i]);
        const char *key, *value;
        if (!split_line(line, &key, &value))
            continue;
        AUTO_FREE char *expanded = expand(value);
        if (!want_token && text_equal(key, "registry") && !settings->url && *expanded)
            set_url(settings, expanded);
        else if (want_token && is_token_of(key, settings->url) && *expanded) {
            free(settings->token);
            settings->token = take_pointer(&expanded);
        }
    }
}

static int read_settings(struct settings *settings, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(SETTINGS_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    static const char *const variables[] = {"npm_config_registry", "NPM_CONFIG_REGISTRY"};
    for (size_t i = 0; i < ARRAY_LENGTH(variables) && !settings->url; i++)
        if (!text_is_empty(getenv(variables[i])))
            set_url(settings, getenv(variables[i]));
    bool found = false;
    const char *home = getenv("HOME");
    AUTO_FREE char *path = text_is_empty(home) ? NULL : path_join(home, ".npmrc");
    if (path && file_read(path, &text, &found, error) < 0)
        return -1;
    text_list_split(&lines, buffer_text(&text), '\n');
    read_lines(settings, &lines, false);
    if (!settings->url)
        set_url(settings, "https://registry.npmjs.org");
    read_lines(settings, &lines, true);
    for (size_t i = 0; i < lines.count; i++)
        memory_wipe(lines.items[i], strlen(lines.items[i]));
    memory_wipe(text.data, text.length);
    return 0;
}

/* ---- requests ---- */

struct download {
    struct store_writer *writer;
    struct integrity *integrity;
    struct error failure; /* of a restart */
};

static int receive(void *context, const char *data, size_t length, struct error *error) {
    struct download *download = context;
    if (download->failure.kind != ERROR_NONE) {
        *error = download->failure;
        return -1;
    }
    integrity_add(download->integrity, data, length);
    return store_put_write(download->writer, data, length, error);
}

static void start_over(void *context) {
    struct download *download = context;
    integrity_restart(download->integrity);
    if (store_put_restart(download->writer, &download->failure) < 0 && download->failure.kind == ERROR_NONE)
        download->failure.kind = ERROR_CANNOT_WRITE;
}

static int refused(const struct settings *settings, const char *package, long status, struct error *error) {
    if (status == 404)
        return error_set(error, ERROR_DATA, "%s has no %s", settings->url, package);
    error_set(error,
              status == 401 || status == 403 ? ERROR_PERMISSION
              : status >= 500                ? ERROR_UNAVAILABLE
                                             : ERROR_PROTOCOL,
              "%s: cannot get %s (%ld)", settings->url, package, status);
    if (status == 401 || status == 403)
        error_next(error, "put a token for this registry into ~/.npmrc");
    return -1;
}

/* Only the host that the token is for gets it; the client drops it at a redirect elsewhere. */
static void sign(const struct settings *settings, struct http_request *request) {
    AUTO_FREE char *own = url_origin(settings->url), *other = url_origin(request->url);
    if (!text_equal(own, other))
        request->named_by = settings->url;
    else if (settings->token) {
        request->authorization = HTTP_BEARER;
        request->secret = settings->token;
    }
}

/* Asks the registry where the tarball is and what it must be; the caller frees both. */
static int ask_metadata(const struct npm_registry *npm, const struct settings *settings, const char *name,
                        const char *version, char **url, char **integrity, struct error *error) {
    AUTO_FREE char *package = text_format("%s@%s", name, version);
    AUTO_FREE char *address = text_format("%s/%s/%s", settings->url, name, version);
    struct http_request request = {.url = address, .follow_redirects = true, .response_limit = METADATA_LIMIT};
    AUTO_RESPONSE struct http_response response;
    sign(settings, &request);
    if (http_perform(npm->http, &request, &response, error) < 0)
        return -1;
    if (response.status != 200)
        return refused(settings, package, response.status, error);
    AUTO_JSON struct json *json =
        json_parse(buffer_text(&response.body), response.body.length, "the registry's answer", error);
    const struct json *dist = json_get(json, "dist");
    const char *tarball, *found;
    if (!json || json_need_text(dist, "tarball", package, &tarball, error) < 0 ||
        json_need_text(dist, "integrity", package, &found, error) < 0)
        return -1;
    *url = url_resolve(address, tarball);
    *integrity = text_copy(found);
    return *url ? 0 : error_set(error, ERROR_PROTOCOL, "%s: the tarball has no address", package);
}

static int fetch(const struct npm_registry *npm, const struct settings *settings, const char *package, const char *url,
                 const char *integrity, struct store *store, struct digest *digest, struct error *error) {
    AUTO_WRITER struct store_writer *writer = NULL;
    AUTO_INTEGRITY struct integrity *check = integrity_new(integrity, error);
    if (!check || !(writer = store_put_begin(store, NULL, TARBALL_LIMIT, error)))
        return -1;
    struct download download = {.writer = writer, .integrity = check};
    struct http_request request = {.url = url,
                                   .follow_redirects = true,
                                   .sink = receive,
                                   .sink_restart = start_over,
                                   .sink_context = &download,
                                   .sink_limit = TARBALL_LIMIT};
    AUTO_RESPONSE struct http_response response;
    sign(settings, &request);
    if (http_perform(npm->http, &request, &response, error) < 0)
        return -1;
    if (response.status != 200)
        return refused(settings, package, response.status, error);
    if (integrity_finish(check, error) < 0)
        return error_wrap(error, "%s", package);
    return store_put_commit(&writer, digest, NULL, error);
}

int npm_tarball(const struct npm_registry *npm, const char *name, const char *version, const char *integrity,
                struct store *store, struct digest *digest, struct error *error) {
    AUTO(settings_release) struct settings settings = {0};
    AUTO_FREE char *url = NULL, *told = NULL, *package = text_format("%s@%s", name, version);
    if (read_settings(&settings, error) < 0)
        return error_wrap(error, "~/.npmrc");
    if (integrity)
        url = text_format("%s/%s/-/%s-%s.tgz", settings.url, name, path_base(name), version);
    else if (ask_metadata(npm, &settings, name, version, &url, &told, error) < 0)
        return -1;
    int step = progress_begin(npm->progress, "fetch %s", package);
    int result = fetch(npm, &settings, package, url, integrity ? integrity : told, store, digest, error);
    progress_end(npm->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    return result;
}
