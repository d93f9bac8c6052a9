/* What a shell evaluates, so that its programs find the local cloud. */
#include "local/control.h"

#include "common/file/file.h"

#include <string.h>

/* What `env` sets for pl. PL_CREATE_SITE: a site that is made here by mistake costs nothing, at Google it takes a name
 * from everybody. */
static const char *const own_variables[] = {"PL_CLOUD_URL", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
                                            "PL_CREATE_SITE"};
/* What `federation` sets beside it. */
static const char *const federation_variables[] = {
    "PL_WORKLOAD_IDENTITY_PROVIDER", "PL_IMPERSONATE_SERVICE_ACCOUNT", "PL_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",  "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITLAB_OIDC_TOKEN"};

/* What `env` sets for gcloud, as patterns with the port, the project or the path of the credentials. gcloud puts the
 * region before the host name of Cloud Run's endpoint ("us-central1-run.googleapis.localhost"). No resolver needs to
 * know that name, because gcloud takes the cloud itself for its HTTP proxy: what it sends to anybody else ends there,
 * too. */
enum value { VALUE_TEXT, VALUE_PORT, VALUE_PROJECT, VALUE_CREDENTIALS };
#define OVERRIDE(api)                                                                                                  \
    { "CLOUDSDK_API_ENDPOINT_OVERRIDES_" api, "http://127.0.0.1:%u/", VALUE_PORT }
static const struct variable {
    const char *name, *pattern;
    enum value value;
} gcloud_variables[] = {
    OVERRIDE("ARTIFACTREGISTRY"),
    OVERRIDE("CLOUDRESOURCEMANAGER"),
    OVERRIDE("IAM"),
    OVERRIDE("IAMCREDENTIALS"),
    OVERRIDE("LOGGING"),
    {"CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", "http://run.googleapis.localhost:%u/", VALUE_PORT},
    OVERRIDE("SECRETMANAGER"),
    OVERRIDE("SERVICEUSAGE"),
    OVERRIDE("STS"),
    {"CLOUDSDK_PROXY_TYPE", "http", VALUE_TEXT},
    {"CLOUDSDK_PROXY_ADDRESS", "127.0.0.1", VALUE_TEXT},
    {"CLOUDSDK_PROXY_PORT", "%u", VALUE_PORT},
    {"CLOUDSDK_AUTH_TOKEN_HOST", "http://127.0.0.1:%u/token", VALUE_PORT},
    {"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", NULL, VALUE_CREDENTIALS},
    {"CLOUDSDK_CORE_PROJECT", NULL, VALUE_PROJECT},
};

void environment_append(struct buffer *out, const char *name, const char *value) {
    buffer_append_format(out, "export %s='", name);
    for (const char *at = value; *at; at++)
        if (*at == '\'')
            buffer_append_text(out, "'\\''");
        else
            buffer_append_byte(out, *at);
    buffer_append_text(out, "'\n");
}

static void append_gcloud(struct buffer *out, unsigned port, const char *project, const char *credentials) {
    for (size_t i = 0; i < ARRAY_LENGTH(gcloud_variables); i++) {
        const struct variable *variable = &gcloud_variables[i];
        const char *percent = variable->value == VALUE_PORT ? strstr(variable->pattern, "%u") : NULL;
        AUTO_FREE char *value = percent ? text_format("%.*s%u%s", (int)(percent - variable->pattern), variable->pattern,
                                                      port, percent + strlen("%u"))
                                : variable->value == VALUE_TEXT    ? text_copy(variable->pattern)
                                : variable->value == VALUE_PROJECT ? text_copy(project)
                                                                   : text_copy(credentials);
        environment_append(out, variable->name, value);
    }
}

int local_environment(const char *state, struct buffer *out, struct error *error) {
    AUTO_STATUS struct local_status status = {0};
    if (local_status(state, &status, error) < 0)
        return -1;
    if (!status.running) {
        error_set(error, ERROR_UNAVAILABLE, "the local cloud does not run");
        return error_next(error, "start it: eval \"$(pl-local start)\"");
    }
    AUTO_FREE char *credentials = path_join(status.state, "credentials.json");
    AUTO_FREE char *url = text_format("http://127.0.0.1:%u", status.port);
    const char *project = status.project ? status.project : "";
    const char *const values[] = {url, credentials, project, "1"};
    for (size_t i = 0; i < ARRAY_LENGTH(own_variables); i++)
        environment_append(out, own_variables[i], values[i]);
    append_gcloud(out, status.port, project, credentials);
    return 0;
}

static void append_names(struct buffer *out, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        buffer_append_format(out, " %s", names[i]);
}

void local_environment_unset(struct buffer *out) {
    buffer_append_text(out, "unset");
    append_names(out, own_variables, ARRAY_LENGTH(own_variables));
    append_names(out, federation_variables, ARRAY_LENGTH(federation_variables));
    for (size_t i = 0; i < ARRAY_LENGTH(gcloud_variables); i++)
        append_names(out, &gcloud_variables[i].name, 1);
    buffer_append_byte(out, '\n');
}
