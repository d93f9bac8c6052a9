/* Where credentials are looked for (AIP-4110), and a document of them taken apart by its type. */
#include "gcp/credentials/options.h"
#include "gcp/credentials/type.h"

#include "common/file/file.h"
#include "gcp/credentials/gcloud.h"

#include <string.h>
#include <sys/stat.h>

static const struct credential_type *const file_types[] = {&service_account_type, &authorized_user_type,
                                                           &external_account_type,
                                                           &external_account_authorized_user_type, &impersonated_type};

static void warn_when_readable(const char *path, struct progress *progress) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 077))
        progress_note(progress, "warning: the credentials in %s can be read by others: chmod 600 %s", path, path);
}

/* The APIs are asked in the universe of the environment: a token of another one is of no use there. */
static int check_universe(const struct json *document, const char *path, struct error *error) {
    const char *own = json_get_text(document, "universe_domain", UNIVERSE_DEFAULT);
    if (text_is_empty(own) || text_equal(own, endpoint_universe()))
        return 0;
    error_set(error, ERROR_CONFIGURATION,
              "%s: the credentials are of the universe %.100s, and the APIs are those of %s", path, own,
              endpoint_universe());
    return error_next(error, "export GOOGLE_CLOUD_UNIVERSE_DOMAIN=%.100s", own);
}

static int unknown_type(const char *path, const char *name, struct error *error) {
    AUTO_BUFFER struct buffer known = BUFFER(1024);
    for (size_t i = 0; i < ARRAY_LENGTH(file_types); i++)
        buffer_append_format(&known, "%s%s", i ? ", " : "", file_types[i]->name);
    error_set(error, ERROR_DATA, "%s: credentials of type \"%.60s\" are not known; there are %s", path, name,
              buffer_text(&known));
    return error_next(error, "make new ones: gcloud auth application-default login, or a service account's key file");
}

struct credentials *credentials_of_document(const struct json *document, const char *path, struct error *error) {
    const char *name;
    if (json_need_text(document, "type", path, &name, error) < 0) {
        error_next(error, "make sure that %s is a credentials file of Google's, such as a service account's key", path);
        return NULL;
    }
    if (check_universe(document, path, error) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(file_types); i++) {
        if (!text_equal(file_types[i]->name, name))
            continue;
        void *self = file_types[i]->open(document, path, error);
        if (!self)
            return NULL;
        struct credentials *credentials = credentials_new(file_types[i], self);
        credentials_set_quota_project(credentials, json_get_text(document, "quota_project_id", NULL));
        if (file_types[i] == &external_account_type)
            credentials = external_account_impersonate(credentials, document, path, error);
        return credentials;
    }
    unknown_type(path, name, error);
    return NULL;
}

static struct credentials *of_text(const char *text, size_t length, const char *path, bool keep, struct error *error) {
    AUTO_JSON struct json *document = json_parse_secret(text, length, path, error);
    struct credentials *credentials = document ? credentials_of_document(document, path, error) : NULL;
    if (credentials && keep)
        credentials_set_document(credentials, take_pointer(&document));
    return credentials;
}

static struct credentials *from_file(const char *path, bool keep, struct progress *progress, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(DOCUMENT_LIMIT);
    struct credentials *credentials =
        file_read(path, &text, NULL, error) < 0 ? NULL : of_text(buffer_text(&text), text.length, path, keep, error);
    if (!credentials && error && !error->next[0])
        error_next(error, "make the file anew: gcloud auth application-default login, or gcloud iam service-accounts "
                          "keys create FILE --iam-account=EMAIL");
    if (!credentials)
        return NULL;
    warn_when_readable(path, progress);
    credentials_set_origin(credentials, path);
    return credentials;
}

static struct credentials *from_option(const char *source, bool keep, struct error *error) {
    char *content = NULL;
    size_t length = 0;
    if (command_secret_content(source, &content, &length, error) < 0) {
        error_wrap(error, "--credentials");
        return NULL;
    }
    const char *path = text_starts_with(source, "file:") ? source + 5 : "the credentials of --credentials";
    struct credentials *credentials = of_text(content, length, path, keep, error);
    memory_wipe(content, length);
    free(content);
    if (credentials)
        credentials_set_origin(credentials, "--credentials");
    return credentials;
}

/* A file that is named must be there: nothing else is tried, or a deploy would run as somebody else. */
static struct credentials *from_variable(const char *path, bool keep, struct progress *progress, struct error *error) {
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        error_set(error, ERROR_CONFIGURATION, "GOOGLE_APPLICATION_CREDENTIALS names %s, which does not exist", path);
        error_next(error, "unset GOOGLE_APPLICATION_CREDENTIALS, or put the credentials file there");
        return NULL;
    }
    struct credentials *credentials = from_file(path, keep, progress, error);
    if (!credentials) {
        error_wrap(error, "GOOGLE_APPLICATION_CREDENTIALS");
        return NULL;
    }
    AUTO_FREE char *origin = text_format("GOOGLE_APPLICATION_CREDENTIALS (%s)", path);
    credentials_set_origin(credentials, origin);
    return credentials;
}

static int nothing_found(const char *path, struct error *error) {
    if (endpoints_are_local()) {
        error_set(error, ERROR_PERMISSION, "no credentials: the local cloud at %s does not answer",
                  endpoint_url(ENDPOINT_METADATA));
        return error_next(error, "eval \"$(pl-local start)\"");
    }
    error_set(error, ERROR_PERMISSION,
              "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, %s does not exist, and there is no "
              "metadata server",
              path ? path : "gcloud's directory");
    if (text_equal(getenv("GITHUB_ACTIONS"), "true"))
        return error_next(error, "add to the job: permissions: id-token: write, and to its env: "
                                 "PL_WORKLOAD_IDENTITY_PROVIDER: projects/NUMBER/locations/global/"
                                 "workloadIdentityPools/POOL/providers/PROVIDER");
    return error_next(error, "for the local cloud: eval \"$(pl-local start)\"; for Google: gcloud auth "
                             "application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a credentials file");
}

static struct credentials *find(const struct credential_options *options, struct http *http, struct progress *progress,
                                struct error *error) {
    const char *named = getenv("GOOGLE_APPLICATION_CREDENTIALS");
    bool keep = options && options->keep_document;
    if (options && options->document)
        return from_option(options->document, keep, error);
    if (options && (options->provider || options->id_token))
        return federation_new(options, error);
    if (!text_is_empty(named))
        return from_variable(named, keep, progress, error);
    AUTO_FREE char *directory = endpoints_are_local() ? NULL : gcloud_directory();
    AUTO_FREE char *path = directory ? path_join(directory, "application_default_credentials.json") : NULL;
    if (path && file_exists(path))
        return from_file(path, keep, progress, error);
    if (!metadata_is_there(http)) {
        nothing_found(path, error);
        return NULL;
    }
    struct credentials *credentials = credentials_new(&metadata_type, metadata_type.open(NULL, NULL, error));
    credentials_set_origin(credentials, "the metadata server");
    return credentials;
}

static struct credentials *impersonate(const struct credential_options *options, struct credentials *source,
                                       struct error *error) {
    if (account_check(options->account, "--impersonate-service-account", error) < 0) {
        credentials_release(&source);
        return NULL;
    }
    struct impersonation impersonation = {
        .source = source, .account = options->account, .delegates = &options->delegates};
    struct credentials *credentials = impersonation_new(&impersonation);
    if (options->keep_document)
        credentials_set_document(credentials, impersonation_document(&impersonation));
    credentials_set_quota_project(credentials, credentials_quota_project(source));
    credentials_set_origin(credentials, credentials_origin(source));
    return credentials;
}

struct credentials *credentials_find(const struct credential_options *options, struct http *http,
                                     struct progress *progress, struct error *error) {
    struct credentials *credentials = find(options, http, progress, error);
    if (credentials && options && options->account)
        credentials = impersonate(options, credentials, error);
    const char *payer =
        options && options->quota_project ? options->quota_project : getenv("GOOGLE_CLOUD_QUOTA_PROJECT");
    if (credentials && !text_is_empty(payer))
        credentials_set_quota_project(credentials, payer);
    if (credentials && credentials_quota_project(credentials) &&
        project_check(credentials_quota_project(credentials), error) < 0) {
        error_wrap(error, "the quota project");
        credentials_release(&credentials);
    }
    return credentials;
}
