/* Google's registries take an access token as a password. */
#include "gcp/credentials/credentials.h"

#include "gcp/cloud.h"
#include "gcp/endpoints.h"

enum { OPEN_DEADLINE = 3600 };

static int find(void *context, const char *host, int again, char **user, char **secret, struct error *error) {
    struct google_login *login = context;
    *user = *secret = NULL;
    if (!registry_host_is_google(host))
        return 0;
    if (!login->credentials) {
        login->credentials = credentials_find(login->options, login->http, login->progress, error);
        login->owned = true;
        if (!login->credentials)
            return error_wrap(error, "%s", host);
    }
    const char *token = credentials_token(login->credentials, login->http, again != 0, error);
    if (!token)
        return error_wrap(error, "%s", host);
    *user = text_copy("oauth2accesstoken");
    *secret = text_copy(token);
    return 0;
}

struct login_source google_login_source(struct google_login *login, const struct login_source *next) {
    return (struct login_source){.context = login, .find = find, .next = next};
}

struct http *google_login_open(void *context, struct progress *progress, const struct login_source *next,
                               struct login_source *source) {
    struct google_login *login = context;
    login->http = cloud_http_new(progress, OPEN_DEADLINE);
    login->progress = progress;
    *source = google_login_source(login, next);
    return login->http;
}

void google_login_release(struct google_login *login) {
    if (login->owned)
        credentials_release(&login->credentials);
}
