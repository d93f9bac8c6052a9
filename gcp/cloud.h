/* One session with Google's APIs: connection, credentials, project. Every API of gcp/ calls through cloud_call. */
#ifndef GCP_CLOUD_H
#define GCP_CLOUD_H

#include "common/http/http.h"
#include "common/json/json.h"
#include "gcp/credentials/credentials.h"
#include "gcp/endpoints.h"

struct cloud {
    struct http *http;
    struct credentials *credentials;
    struct progress *progress;
    char *project;
    char *region; /* may be NULL */
};

/* A struct http that may speak plain http to the metadata server (and, as every one, to loopback). */
struct http *cloud_http_new(struct progress *progress, unsigned deadline);

/* Checks the endpoints and the region (NULL: not needed), finds credentials as `options` (may be NULL; they must live
 * as long as the cloud) say, mints a token and finds out the project: what is wrong with any of them is known after
 * this, before any work is done. */
int cloud_open(struct cloud *cloud, const struct credential_options *options, struct progress *progress,
               const char *project, const char *region, struct error *error) MUST_CHECK;
/* A new connection with a new deadline, when a long wait lies between cloud_open and the first call. */
void cloud_renew(struct cloud *cloud);
void cloud_release(struct cloud *cloud);
#define AUTO_CLOUD AUTO(cloud_release)

struct cloud_request {
    const char *method; /* NULL: GET */
    const char *url;
    const struct json *body;
    const char *what;      /* for errors: "cannot read service x" */
    bool idempotent;       /* of a POST or PATCH: may be sent twice */
    const long *accept;    /* statuses beside 2xx that are no error; ends with 0; may be NULL */
    size_t response_limit; /* 0: 1 MiB */
};

/* Sends it with a token, once more with a fresh one after a 401. *reply (may be NULL) is the parsed body, NULL when the
 * status was an accepted one or the body is empty; *status (may be NULL) the HTTP status. Other statuses are errors as
 * google_error_set makes them. */
int cloud_call(struct cloud *cloud, const struct cloud_request *request, struct json **reply, long *status,
               struct error *error) MUST_CHECK;

/* All pages of a list (GET url, then with pageToken), at most CLOUD_PAGES of up to 32 MiB: appends the elements of
 * `member` to the array `all`. The URL has no query yet. */
enum { CLOUD_PAGES = 100 };
int cloud_list(struct cloud *cloud, const char *url, const char *member, const char *what, struct json *all,
               struct error *error) MUST_CHECK;

#endif
