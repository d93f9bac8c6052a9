#include "gcp/endpoints.h"

#include "common/base/text.h"
#include "common/http/http.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *variable;
    const char *service;
    const char *url;
} endpoints[ENDPOINT_COUNT] = {
    [ENDPOINT_RUN] = {"run", "PL_ENDPOINT_RUN", "run.googleapis.com", "https://run.googleapis.com"},
    [ENDPOINT_ARTIFACT_REGISTRY] = {"artifactregistry", "PL_ENDPOINT_ARTIFACTREGISTRY",
                                    "artifactregistry.googleapis.com", "https://artifactregistry.googleapis.com"},
    [ENDPOINT_IAM] = {"iam", "PL_ENDPOINT_IAM", "iam.googleapis.com", "https://iam.googleapis.com"},
    [ENDPOINT_IAM_CREDENTIALS] = {"iamcredentials", "PL_ENDPOINT_IAMCREDENTIALS", "iamcredentials.googleapis.com",
                                  "https://iamcredentials.googleapis.com"},
    [ENDPOINT_STS] = {"sts", "PL_ENDPOINT_STS", "sts.googleapis.com", "https://sts.googleapis.com"},
    [ENDPOINT_OAUTH2] = {"oauth2", "PL_ENDPOINT_OAUTH2", "oauth2.googleapis.com", "https://oauth2.googleapis.com"},
    [ENDPOINT_SERVICE_USAGE] = {"serviceusage", "PL_ENDPOINT_SERVICEUSAGE", "serviceusage.googleapis.com",
                                "https://serviceusage.googleapis.com"},
    [ENDPOINT_RESOURCE_MANAGER] = {"cloudresourcemanager", "PL_ENDPOINT_CLOUDRESOURCEMANAGER",
                                   "cloudresourcemanager.googleapis.com",
                                   "https://cloudresourcemanager.googleapis.com"},
    [ENDPOINT_LOGGING] = {"logging", "PL_ENDPOINT_LOGGING", "logging.googleapis.com", "https://logging.googleapis.com"},
    [ENDPOINT_SECRET_MANAGER] = {"secretmanager", "PL_ENDPOINT_SECRETMANAGER", "secretmanager.googleapis.com",
                                 "https://secretmanager.googleapis.com"},
    [ENDPOINT_FIREBASE] = {"firebase", "PL_ENDPOINT_FIREBASE", "firebase.googleapis.com",
                           "https://firebase.googleapis.com"},
    [ENDPOINT_FIREBASE_HOSTING] = {"firebasehosting", "PL_ENDPOINT_FIREBASEHOSTING", "firebasehosting.googleapis.com",
                                   "https://firebasehosting.googleapis.com"},
    [ENDPOINT_FIREBASE_UPLOAD] = {"firebaseupload", "PL_ENDPOINT_FIREBASEUPLOAD", "firebasehosting.googleapis.com",
                                  "https://upload-firebasehosting.googleapis.com"},
    [ENDPOINT_IDENTITY_TOOLKIT] = {"identitytoolkit", "PL_ENDPOINT_IDENTITYTOOLKIT", "identitytoolkit.googleapis.com",
                                   "https://identitytoolkit.googleapis.com"},
    [ENDPOINT_METADATA] = {"metadata", "PL_ENDPOINT_METADATA", NULL, "http://metadata.google.internal"},
};

enum { URL_LIMIT = 2048 };

/* What endpoint_url gave out, kept for the life of the process; made anew when the environment changed (tests). */
static char *resolved[ENDPOINT_COUNT];

static const char *setting(const char *variable) {
    const char *value = getenv(variable);
    return text_is_empty(value) ? NULL : value;
}

static const char *configured(enum endpoint endpoint) {
    const char *value = setting(endpoints[endpoint].variable);
    return value ? value : setting("PL_CLOUD_URL");
}

/* GCE_METADATA_HOST is HOST[:PORT], what Google's own libraries look at. */
static const char *metadata_host_url(void) {
    static char url[300];
    const char *host = setting("GCE_METADATA_HOST");
    if (!host || strlen(host) > 255 || strpbrk(host, "/@?# "))
        return NULL;
    snprintf(url, sizeof(url), "http://%s", host);
    return url;
}

/* Keeps `url` in a slot until it changes. */
static const char *keep(char **slot, const char *url, size_t length) {
    if (*slot && strlen(*slot) == length && !strncmp(*slot, url, length))
        return *slot;
    free(*slot);
    return *slot = text_copy_length(url, length);
}

const char *endpoint_url(enum endpoint endpoint) {
    const char *url = configured(endpoint);
    if (!url && endpoint == ENDPOINT_METADATA)
        url = metadata_host_url();
    if (!url || strlen(url) > URL_LIMIT)
        return endpoint_default(endpoint);
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    return keep(&resolved[endpoint], url, length);
}

const char *endpoint_universe(void) {
    const char *universe = setting("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    return universe ? universe : UNIVERSE_DEFAULT;
}

const char *endpoint_default(enum endpoint endpoint) {
    static char *of_universe[ENDPOINT_COUNT];
    const char *url = endpoints[endpoint].url, *universe = endpoint_universe();
    if (text_equal(universe, UNIVERSE_DEFAULT) || !text_ends_with(url, "." UNIVERSE_DEFAULT))
        return url;
    AUTO_FREE char *made = text_format("%.*s%s", (int)(strlen(url) - strlen(UNIVERSE_DEFAULT)), url, universe);
    return keep(&of_universe[endpoint], made, strlen(made));
}

const char *endpoint_name(enum endpoint endpoint) {
    return endpoints[endpoint].name;
}

const char *endpoint_variable(enum endpoint endpoint) {
    return endpoints[endpoint].variable;
}

const char *endpoint_service(enum endpoint endpoint) {
    return endpoints[endpoint].service;
}

static int check_variable(const char *variable, struct error *error) {
    const char *value = setting(variable);
    if (!value)
        return 0;
    AUTO_FREE char *origin = strlen(value) <= URL_LIMIT ? url_origin(value) : NULL;
    if (!origin || strpbrk(value, "?#")) {
        error_set(error, ERROR_CONFIGURATION, "%s is \"%.200s\", which is no http or https URL", variable, value);
        return error_next(error, "unset %s, or for the local cloud: eval \"$(pl-local env)\"", variable);
    }
    if (text_starts_with(origin, "http:") && !url_is_loopback(value))
        return error_set(error, ERROR_CONFIGURATION,
                         "%s is %.200s: credentials are not sent without TLS to a host that is not this one", variable,
                         value);
    return 0;
}

/* PL_ENDPOINT_RUNN would otherwise send the request to Google while its user believes it goes elsewhere. */
static int check_name(const char *setting, struct error *error) {
    const char *candidates[ENDPOINT_COUNT + 2] = {"PL_ENDPOINT_REGISTRY"};
    AUTO_FREE char *name = text_copy_length(setting, strcspn(setting, "="));
    for (int i = 0; i < ENDPOINT_COUNT; i++)
        candidates[i + 1] = endpoints[i].variable;
    for (size_t i = 0; candidates[i]; i++)
        if (text_equal(name, candidates[i]))
            return 0;
    const char *nearest = text_nearest(name, candidates);
    error_set(error, ERROR_CONFIGURATION, "%.100s names no service that pl talks to", name);
    return nearest ? error_next(error, "did you mean %s? Else: unset %.100s", nearest, name)
                   : error_next(error, "unset %.100s", name);
}

static int check_universe(struct error *error) {
    const char *universe = endpoint_universe();
    size_t length = strlen(universe);
    if (length <= 200 && strchr(universe, '.') && isalnum((unsigned char)universe[0]) &&
        strspn(universe, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "GOOGLE_CLOUD_UNIVERSE_DOMAIN is \"%.200s\", which is no domain", universe);
    return error_next(error, "unset GOOGLE_CLOUD_UNIVERSE_DOMAIN: it is for clouds that are not Google's own");
}

int endpoints_check(struct error *error) {
    for (char **at = environ; at && *at; at++)
        if (text_starts_with(*at, "PL_ENDPOINT_") && check_name(*at, error) < 0)
            return -1;
    if (check_universe(error) < 0)
        return -1;
    if (check_variable("PL_CLOUD_URL", error) < 0 || check_variable("PL_ENDPOINT_REGISTRY", error) < 0)
        return -1;
    for (int i = 0; i < ENDPOINT_COUNT; i++)
        if (check_variable(endpoints[i].variable, error) < 0)
            return -1;
    return 0;
}

bool endpoints_are_local(void) {
    return setting("PL_CLOUD_URL") != NULL;
}

static char *local_registry(void) {
    const char *url = setting("PL_ENDPOINT_REGISTRY");
    if (!url)
        url = setting("PL_CLOUD_URL");
    AUTO_FREE char *origin = url ? url_origin(url) : NULL;
    const char *host = origin ? strstr(origin, "://") : NULL;
    return host ? text_copy(host + 3) : NULL;
}

char *registry_host(const char *region) {
    char *local = local_registry();
    return local ? local : text_format("%s-docker.pkg.dev", region);
}

bool registry_host_is_google(const char *host) {
    AUTO_FREE char *local = local_registry();
    if (local && text_equal(host, local))
        return true;
    return text_ends_with(host, ".pkg.dev") || text_equal(host, "gcr.io") || text_ends_with(host, ".gcr.io");
}

/* "us-central1", "europe-west12", "northamerica-northeast1": words of letters joined by '-', digits at the end. */
int region_check(const char *region, struct error *error) {
    size_t length = region ? strlen(region) : 0;
    bool right = length >= 4 && length <= 40 && strchr(region, '-') && isdigit((unsigned char)region[length - 1]) &&
                 islower((unsigned char)region[0]);
    for (size_t i = 0; right && i < length; i++) {
        unsigned char c = (unsigned char)region[i];
        bool tail = strspn(region + i, "0123456789") == length - i;
        right = islower(c) || (c == '-' && region[i + 1] != '-') || (isdigit(c) && tail && region[i - 1] != '-');
    }
    if (right)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "\"%.60s\" is no region of Cloud Run", region ? region : "");
    return error_next(error, "give one such as --region us-central1 or europe-west1 "
                             "(gcloud run regions list shows all)");
}
