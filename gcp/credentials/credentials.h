/* Who we are to Google: Application Default Credentials (AIP-4110), one file per type, and federation without a file.
 *
 * Looked for in this order: what the options say (options.h); the file of GOOGLE_APPLICATION_CREDENTIALS (when it is
 * set, nothing else is tried); gcloud's ${CLOUDSDK_CONFIG:-~/.config/gcloud}/application_default_credentials.json; the
 * metadata server. With PL_CLOUD_URL gcloud's file is left out: a person's real refresh token is no business of a local
 * cloud.
 *
 * A token is minted when it is first asked for, again shortly before it ends, and once after a 401; with it everything
 * it depends on: GitHub's identity token, which lives for five minutes, is asked for anew each time. Tokens and keys
 * live in memory only, are wiped when released, and are never written anywhere; a process that holds some leaves no
 * core file. Token URLs of a file must be Google's (or the universe's, GOOGLE_CLOUD_UNIVERSE_DOMAIN), or lie below the
 * configured endpoint. */
#ifndef GCP_CREDENTIALS_CREDENTIALS_H
#define GCP_CREDENTIALS_CREDENTIALS_H

#include "common/http/http.h"
#include "common/http/login_source.h"
#include "gcp/credentials/hops.h"

struct credentials;
struct credential_options;

#define SCOPE_CLOUD_PLATFORM "https://www.googleapis.com/auth/cloud-platform"

/* Finds and reads them; asks nobody but the metadata server whether it is there. `options` may be NULL and must live as
 * long as the credentials. A key file that others can read is told through `progress`. ERROR_PERMISSION when there are
 * none (with what to type), ERROR_DATA for a file that is malformed or of an unknown type, ERROR_CONFIGURATION for a
 * file that is named and missing, for a URL in it that is not Google's, and for another universe. */
struct credentials *credentials_find(const struct credential_options *options, struct http *http,
                                     struct progress *progress, struct error *error) MUST_CHECK;
void credentials_release(struct credentials **credentials);
#define AUTO_CREDENTIALS AUTO(credentials_release)

/* "service_account", "external_account", "metadata", …: the type's name as in the file. */
const char *credentials_type(const struct credentials *credentials);
/* The e-mail, or principal://… of a federated identity, or NULL when it is not known (before the first token it may not
 * be). Borrowed. */
const char *credentials_principal(const struct credentials *credentials);
/* Who has to be granted something, as gcloud's --member takes it: "serviceAccount:…", "principalSet://…"; the caller
 * frees; NULL when it is not known. */
char *credentials_member(const struct credentials *credentials);
/* The same credentials as a credentials file that Google's clients read (AIP-4117): a secret, which is kept
 * only with `keep_document` among the options. The caller releases. NULL
 * and ERROR_CONFIGURATION for those that are in no file: the metadata server, a token in a variable. */
struct json *credentials_document(const struct credentials *credentials, struct error *error) MUST_CHECK;
/* Who pays for calls: the x-goog-user-project header; NULL: nobody in particular. Borrowed. */
const char *credentials_quota_project(const struct credentials *credentials);
/* Where the credentials come from: "GOOGLE_APPLICATION_CREDENTIALS (key.json)". Borrowed. */
const char *credentials_origin(const struct credentials *credentials);

/* An access token, borrowed until the next call. `again`: the last one was answered by 401, mint another. */
const char *credentials_token(struct credentials *credentials, struct http *http, bool again,
                              struct error *error) MUST_CHECK;
/* How many seconds the token that was given last lives on. */
int64_t credentials_token_seconds(const struct credentials *credentials);
/* Scopes in place of SCOPE_CLOUD_PLATFORM, separated by spaces, copied. */
void credentials_set_scope(struct credentials *credentials, const char *scope);
/* An ID token for an audience, as a service account's; the caller wipes and frees. ERROR_CONFIGURATION for credentials
 * that cannot have one. */
char *credentials_id_token(struct credentials *credentials, struct http *http, const char *audience, bool include_email,
                           struct error *error) MUST_CHECK;
/* The hops of the last minting. Borrowed. */
const struct hop_list *credentials_hops(const struct credentials *credentials);

/* The project: `wanted` (an option), GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT, CLOUDSDK_CORE_PROJECT, what the credentials
 * say, gcloud's active configuration, the metadata server, the project of a federated identity's pool. The caller
 * frees. ERROR_CONFIGURATION when none says it or it is no project id. */
char *credentials_project(struct credentials *credentials, struct http *http, const char *wanted,
                          struct error *error) MUST_CHECK;

/* The login source for Google's registries (registry_host_is_google): user "oauth2accesstoken", secret the token. The
 * credentials are looked for when such a host is first asked about, so that a tool without any works with others. */
struct google_login {
    const struct credential_options *options; /* may be NULL */
    struct http *http;
    struct progress *progress;
    struct credentials *credentials; /* may be given (then the giver keeps them); else found and owned here */
    bool owned;
};
struct login_source google_login_source(struct google_login *login, const struct login_source *next);
void google_login_release(struct google_login *login);
/* Makes the HTTP client and the source of a struct google_login that is zero but for its options, when registries are
 * first asked (registry/registries.h). The caller releases both. */
struct http *google_login_open(void *login, struct progress *progress, const struct login_source *next,
                               struct login_source *source);
#define AUTO_GOOGLE_LOGIN AUTO(google_login_release)

#endif
