/* An X.509 certificate (AIP-4117): who we are is proved by mutual TLS with the token endpoint; the identity token is
 * the certificate and its chain. Where certificate and key are is said by a certificate configuration of gcloud's. */
#include "gcp/credentials/subject.h"

#include "common/crypto/base64.h"
#include "common/file/file.h"
#include "gcp/credentials/gcloud.h"

#include <string.h>

struct certificate_source {
    char *certificate, *key;
    char *chain; /* PEM file, or NULL */
};

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

static void release(void *self) {
    struct certificate_source *source = self;
    free(source->certificate);
    free(source->key);
    free(source->chain);
    free(source);
}

static char *default_configuration(void) {
    const char *named = getenv("GOOGLE_API_CERTIFICATE_CONFIG");
    if (!text_is_empty(named))
        return text_copy(named);
    AUTO_FREE char *directory = gcloud_directory();
    return directory ? path_join(directory, "certificate_config.json") : NULL;
}

static char *configuration_path(const struct json *given, const char *path, struct error *error) {
    const char *named = json_get_text(given, "certificate_config_location", NULL);
    bool usual = json_get_bool(given, "use_default_certificate_config", false);
    if ((named != NULL) == usual) {
        error_set(error, ERROR_DATA,
                  "%s: credential_source.certificate needs one of use_default_certificate_config and "
                  "certificate_config_location",
                  path);
        return NULL;
    }
    char *configuration = named ? text_copy(named) : default_configuration();
    if (configuration && file_exists(configuration))
        return configuration;
    error_set(error, ERROR_CONFIGURATION, "%s names the certificate configuration %s, which does not exist", path,
              configuration ? configuration : "of gcloud");
    error_next(error, "gcloud iam workload-identity-pools create-cred-config makes one, with --credential-cert-path");
    free(configuration);
    return NULL;
}

static void *open_source(const struct json *document, const char *path, struct error *error) {
    const struct json *given = json_get(document, "certificate");
    AUTO_FREE char *configuration = configuration_path(given, path, error);
    AUTO_JSON struct json *content = configuration ? json_parse_file(configuration, DOCUMENT_LIMIT, error) : NULL;
    const struct json *workload = json_get_path(content, "cert_configs.workload");
    const char *certificate, *key;
    if (!content || json_need_text(workload, "cert_path", configuration, &certificate, error) < 0 ||
        json_need_text(workload, "key_path", configuration, &key, error) < 0)
        return NULL;
    struct certificate_source *source = memory_allocate(1, sizeof(*source));
    source->certificate = text_copy(certificate);
    source->key = text_copy(key);
    source->chain = text_copy(json_get_text(given, "trust_chain_path", NULL));
    return source;
}

/* The DER of a PEM is what stands between its lines, without white space. */
static int append_one(const char *begin, const char *end, const char *path, struct json *array, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(DOCUMENT_LIMIT), der = BUFFER(DOCUMENT_LIMIT);
    for (const char *at = begin; at < end; at++)
        if (!strchr("\r\n \t", *at))
            buffer_append_byte(&text, *at);
    if (!text.length || base64_decode(BASE64_STANDARD, text.data, text.length, &der, error) < 0)
        return error_set(error, ERROR_DATA, "%s holds a damaged certificate", path);
    json_append_text(array, buffer_text(&text));
    return 0;
}

/* Those of a file: at most `limit`; one that is in the array already is left out. */
static int append_certificates(const char *path, size_t limit, struct json *array, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(DOCUMENT_LIMIT);
    if (file_read(path, &text, NULL, error) < 0)
        return -1;
    const char *at = buffer_text(&text), *begin;
    size_t count = 0;
    while (count < limit && (begin = strstr(at, BEGIN))) {
        const char *end = strstr(begin, END);
        if (!end || append_one(begin + strlen(BEGIN), end, path, array, error) < 0)
            return end ? -1 : error_set(error, ERROR_DATA, "%s holds a certificate that is cut off", path);
        size_t last = json_count(array) - 1;
        if (last && text_equal(json_text(json_at(array, 0)), json_text(json_at(array, last))))
            json_remove_at(array, last);
        count++;
        at = end;
    }
    return count ? 0 : error_set(error, ERROR_DATA, "%s holds no certificate in PEM", path);
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    const struct certificate_source *source = self;
    (void)request;
    AUTO_JSON struct json *array = json_new_array();
    if (append_certificates(source->certificate, 1, array, error) < 0 ||
        (source->chain && append_certificates(source->chain, 20, array, error) < 0))
        return -1;
    json_write(array, JSON_COMPACT_STYLE, token);
    return buffer_check(token, source->certificate, error);
}

static char *describe(const void *self) {
    return text_format("the certificate %s", ((const struct certificate_source *)self)->certificate);
}

static void get_certificate(const void *self, const char **certificate, const char **key) {
    const struct certificate_source *source = self;
    *certificate = source->certificate;
    *key = source->key;
}

const struct subject_source subject_certificate = {
    .open = open_source, .read = read_token, .describe = describe, .certificate = get_certificate, .release = release};
