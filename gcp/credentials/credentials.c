#include "gcp/credentials/type.h"

#include "common/file/file.h"
#include "gcp/endpoints.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A token is replaced this long before its end, or after three quarters of a short life. */
enum { REFRESH_MARGIN = 225, DOCUMENT_LIMIT = 65536 };

struct credentials {
    const struct credential_type *type;
    void *self;
    struct buffer token;
    int64_t end; /* on CLOCK_BOOTTIME, which goes on while a laptop sleeps */
};

static const struct credential_type *const file_types[] = {&service_account_type};

static int64_t now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

static struct credentials *credentials_new(const struct credential_type *type, const struct json *document,
                                           const char *path, struct error *error) {
    void *self = type->open(document, path, error);
    if (!self)
        return NULL;
    struct credentials *credentials = memory_allocate(1, sizeof(*credentials));
    credentials->type = type;
    credentials->self = self;
    credentials->token = BUFFER(TOKEN_LIMIT);
    return credentials;
}

static void token_drop(struct credentials *credentials) {
    if (credentials->token.data)
        memory_wipe(credentials->token.data, credentials->token.capacity);
    buffer_clear(&credentials->token);
    credentials->end = 0;
}

void credentials_release(struct credentials **credentials) {
    if (*credentials) {
        token_drop(*credentials);
        buffer_release(&(*credentials)->token);
        (*credentials)->type->release((*credentials)->self);
        free(*credentials);
    }
    *credentials = NULL;
}

static void warn_when_readable(const char *path, struct progress *progress) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 077))
        progress_note(progress, "warning: the credentials in %s can be read by others: chmod 600 %s", path, path);
}

struct credentials *credentials_from_file(const char *path, struct progress *progress, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(DOCUMENT_LIMIT);
    if (file_read(path, &text, NULL, error) < 0) {
        error_wrap(error, "credentials");
        return NULL;
    }
    AUTO_JSON struct json *document = json_parse_secret(buffer_text(&text), text.length, path, error);
    if (text.data)
        memory_wipe(text.data, text.length);
    const char *name;
    if (!document || json_need_text(document, "type", path, &name, error) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(file_types); i++) {
        if (!text_equal(file_types[i]->name, name))
            continue;
        struct credentials *credentials = credentials_new(file_types[i], document, path, error);
        if (credentials)
            warn_when_readable(path, progress);
        return credentials;
    }
    error_set(error, ERROR_DATA, "%s: credentials of type \"%.60s\" are not supported", path, name);
    error_next(error, "use a key file of type service_account (GOOGLE_APPLICATION_CREDENTIALS=FILE), or a machine "
                      "with a metadata server");
    return NULL;
}

static char *gcloud_directory(void) {
    const char *configured = getenv("CLOUDSDK_CONFIG");
    if (!text_is_empty(configured))
        return text_copy(configured);
    const char *home = getenv("HOME");
    return text_is_empty(home) ? NULL : path_join(home, ".config/gcloud");
}

struct credentials *credentials_find(struct http *http, struct progress *progress, struct error *error) {
    const char *named = getenv("GOOGLE_APPLICATION_CREDENTIALS");
    if (!text_is_empty(named)) {
        struct credentials *credentials = credentials_from_file(named, progress, error);
        if (!credentials)
            error_wrap(error, "GOOGLE_APPLICATION_CREDENTIALS");
        return credentials;
    }
    AUTO_FREE char *directory = endpoints_are_local() ? NULL : gcloud_directory();
    AUTO_FREE char *path = directory ? path_join(directory, "application_default_credentials.json") : NULL;
    if (path && file_exists(path))
        return credentials_from_file(path, progress, error);
    if (metadata_is_there(http))
        return credentials_new(&metadata_type, NULL, "the metadata server", error);
    if (endpoints_are_local()) {
        error_set(error, ERROR_PERMISSION, "no credentials: the local cloud at %s does not answer",
                  endpoint_url(ENDPOINT_METADATA));
        error_next(error, "eval \"$(pl-local start)\"");
        return NULL;
    }
    error_set(error, ERROR_PERMISSION,
              "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, %s does not exist, and there is no "
              "metadata server",
              path ? path : "gcloud's directory");
    error_next(error, "for the local cloud: eval \"$(pl-local start)\"; for Google: set GOOGLE_APPLICATION_CREDENTIALS "
                      "to a service account's key file; in GitHub Actions: google-github-actions/auth with "
                      "credentials_json");
    return NULL;
}

const char *credentials_type(const struct credentials *credentials) {
    return credentials->type->name;
}

const char *credentials_principal(const struct credentials *credentials) {
    return credentials->type->principal(credentials->self);
}

const char *credentials_token(struct credentials *credentials, struct http *http, bool again, struct error *error) {
    if (!again && credentials->token.length && now_seconds() < credentials->end)
        return buffer_text(&credentials->token);
    token_drop(credentials);
    int64_t seconds = 0;
    if (credentials->type->mint(credentials->self, http, &credentials->token, &seconds, error) < 0) {
        token_drop(credentials);
        return NULL;
    }
    int64_t margin = seconds / 4 < REFRESH_MARGIN ? seconds / 4 : REFRESH_MARGIN;
    credentials->end = now_seconds() + seconds - margin;
    return buffer_text(&credentials->token);
}

int token_read(const struct http_response *response, const char *what, struct buffer *token, int64_t *seconds,
               struct error *error) {
    AUTO_JSON struct json *document =
        json_parse_secret(buffer_text(&response->body), response->body.length, what, error);
    const char *text;
    if (!document || json_need_text(document, "access_token", what, &text, error) < 0) {
        if (error)
            error->kind = ERROR_PROTOCOL;
        return -1;
    }
    *seconds = json_get_integer(document, "expires_in", 0);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return error_set(error, ERROR_PROTOCOL, "%s: the token has characters that no token has", what);
    if (!*text || *seconds <= 0 || *seconds > 365 * 86400)
        return error_set(error, ERROR_PROTOCOL, "%s: the answer has no token, or no time that it ends", what);
    buffer_append_text(token, text);
    return buffer_check(token, what, error);
}

/* `project = ID` in the section [core] of gcloud's active configuration. */
static char *gcloud_project(void) {
    AUTO_FREE char *directory = gcloud_directory();
    AUTO_FREE char *active_path = directory ? path_join(directory, "active_config") : NULL;
    AUTO_BUFFER struct buffer active = BUFFER(256), text = BUFFER(DOCUMENT_LIMIT);
    bool found = false;
    if (!directory || file_read(active_path, &active, &found, NULL) < 0)
        return NULL;
    AUTO_FREE char *name = text_copy_length(buffer_text(&active), strcspn(buffer_text(&active), "\r\n/"));
    AUTO_FREE char *path = text_format("%s/configurations/config_%s", directory, *name ? name : "default");
    if (file_read(path, &text, &found, NULL) < 0)
        return NULL;
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, buffer_text(&text), '\n');
    bool core = false;
    for (size_t i = 0; i < lines.count; i++) {
        char value[128];
        if (lines.items[i][0] == '[')
            core = text_starts_with(lines.items[i], "[core]");
        else if (core && sscanf(lines.items[i], " project = %127s", value) == 1)
            return text_copy(value);
    }
    return NULL;
}

static int project_check(const char *project, struct error *error) {
    size_t length = strlen(project);
    if (length >= 1 && length <= 100 && project[0] != '-' &&
        strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789-.:") == length)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "\"%.100s\" is no project id", project);
    return error_next(error, "give the id (not the name) of the project: --project my-project-123");
}

char *credentials_project(struct credentials *credentials, struct http *http, const char *wanted, struct error *error) {
    const char *given[] = {wanted, getenv("GOOGLE_CLOUD_PROJECT"), getenv("GCLOUD_PROJECT"),
                           getenv("CLOUDSDK_CORE_PROJECT")};
    char *project = NULL;
    for (size_t i = 0; !project && i < ARRAY_LENGTH(given); i++)
        if (!text_is_empty(given[i]))
            project = text_copy(given[i]);
    if (!project && credentials->type != &metadata_type)
        project = credentials->type->project(credentials->self, http);
    if (!project && !endpoints_are_local())
        project = gcloud_project();
    if (!project && credentials->type == &metadata_type)
        project = credentials->type->project(credentials->self, http);
    if (!project) {
        error_set(error, ERROR_CONFIGURATION,
                  "which project? Neither --project nor GOOGLE_CLOUD_PROJECT says it, nor "
                  "do the credentials");
        error_next(error, "give --project ID, or export GOOGLE_CLOUD_PROJECT=ID");
        return NULL;
    }
    if (project_check(project, error) < 0) {
        free(project);
        return NULL;
    }
    return project;
}
