/* Who we are to Google: Application Default Credentials (AIP-4110), one file per type.
 *
 * Looked for in this order: the file of GOOGLE_APPLICATION_CREDENTIALS (when it is set, nothing else is tried),
 * gcloud's
 * ${CLOUDSDK_CONFIG:-~/.config/gcloud}/application_default_credentials.json, the metadata server. With PL_CLOUD_URL
 * gcloud's file is left out: a person's real refresh token is no business of a local cloud.
 *
 * A token is minted when it is first asked for, again shortly before it ends, and once after a 401. Tokens and keys
 * live in memory only, are wiped when released, and are never written anywhere. */
#ifndef GCP_CREDENTIALS_CREDENTIALS_H
#define GCP_CREDENTIALS_CREDENTIALS_H

#include "common/http/http.h"
#include "common/http/login_source.h"

struct credentials;

#define SCOPE_CLOUD_PLATFORM "https://www.googleapis.com/auth/cloud-platform"

/* Finds and reads them; asks nobody but the metadata server whether it is there. A key file that others can read is
 * told through `progress`. ERROR_PERMISSION when there are none (with what to type), ERROR_DATA for a file that is
 * malformed or of an unknown type, ERROR_CONFIGURATION for a token_uri that is not Google's. */
struct credentials *credentials_find(struct http *http, struct progress *progress, struct error *error) MUST_CHECK;
/* From one file, as GOOGLE_APPLICATION_CREDENTIALS would. */
struct credentials *credentials_from_file(const char *path, struct progress *progress, struct error *error) MUST_CHECK;
void credentials_release(struct credentials **credentials);
#define AUTO_CREDENTIALS AUTO(credentials_release)

/* "service_account", "metadata", …: the type's name as in the file. */
const char *credentials_type(const struct credentials *credentials);
/* The e-mail, or NULL when it is not known. Borrowed. */
const char *credentials_principal(const struct credentials *credentials);

/* An access token, borrowed until the next call. `again`: the last one was answered by 401, mint another. */
const char *credentials_token(struct credentials *credentials, struct http *http, bool again,
                              struct error *error) MUST_CHECK;

/* The project: `wanted` (an option), GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT, CLOUDSDK_CORE_PROJECT, the file's
 * project_id, gcloud's active configuration, the metadata server. The caller frees. ERROR_CONFIGURATION when none says
 * it or it is no project id. */
char *credentials_project(struct credentials *credentials, struct http *http, const char *wanted,
                          struct error *error) MUST_CHECK;

/* The login source for Google's registries (registry_host_is_google): user "oauth2accesstoken", secret the token. The
 * credentials are looked for when such a host is first asked about, so that a tool without any works with others. */
struct google_login {
    struct http *http;
    struct progress *progress;
    struct credentials *credentials; /* may be given (then the giver keeps them); else found and owned here */
    bool owned;
};
struct login_source google_login_source(struct google_login *login, const struct login_source *next);
void google_login_release(struct google_login *login);
/* Makes the HTTP client and the source of a zeroed struct google_login, when registries are first asked
 * (registry/registries.h). The caller releases both. */
struct http *google_login_open(void *login, struct progress *progress, const struct login_source *next,
                               struct login_source *source);
#define AUTO_GOOGLE_LOGIN AUTO(google_login_release)

#endif
