#include "engine/sandbox/internal.h"

#include <string.h>

extern char **environ;

/* Where distributions keep the bundle of trusted certificates. */
static char *find_ca_bundle(void) {
    static const char *const variables[] = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"};
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
        const char *value = getenv(variables[i]);
        if (!text_is_empty(value) && *value == '/' && file_exists(value))
            return text_copy(value);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (file_exists(places[i]))
            return text_copy(places[i]);
    return NULL;
}

/* Proxies and package indexes: how the host reaches the network. Credentials inside an index's URL go along, as they
 * would for the same command on the host; nothing of it is in a key or in the image. */
static bool is_network_variable(const char *entry) {
    static const char *const names[] = {"http_proxy",
                                        "https_proxy",
                                        "no_proxy",
                                        "all_proxy",
                                        "HTTP_PROXY",
                                        "HTTPS_PROXY",
                                        "NO_PROXY",
                                        "ALL_PROXY",
                                        "PIP_INDEX_URL",
                                        "PIP_EXTRA_INDEX_URL",
                                        "PIP_DEFAULT_TIMEOUT",
                                        "UV_INDEX_URL",
                                        "UV_DEFAULT_INDEX",
                                        "npm_config_registry",
                                        "NPM_CONFIG_REGISTRY",
                                        "GOPROXY"};
    size_t length = strcspn(entry, "=");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strlen(names[i]) == length && strncmp(entry, names[i], length) == 0)
            return true;
    return false;
}

void host_settings_find(struct host_settings *settings) {
    static const char *const bundle_variables[] = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",  "CURL_CA_BUNDLE",
                                                   "PIP_CERT",      "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
                                                   "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO",   "npm_config_cafile"};
    *settings = (struct host_settings){.ca_bundle = find_ca_bundle()};
    for (char **at = environ; *at; at++)
        if (is_network_variable(*at))
            text_list_add(&settings->environment, *at);
    for (size_t i = 0; settings->ca_bundle && i < ARRAY_LENGTH(bundle_variables); i++)
        text_list_add_format(&settings->environment, "%s=%s", bundle_variables[i], HOST_CA_PATH);
}

void host_settings_release(struct host_settings *settings) {
    text_list_release(&settings->environment);
    free(settings->ca_bundle);
}
