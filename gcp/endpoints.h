/* The one table of Google's base URLs. Design section 9.
 *
 * PL_CLOUD_URL (http://127.0.0.1:PORT of pl-local) points all of them at a local cloud: there the
 * services live side by side under one origin, because their paths differ (/v2/projects/…, /v1/projects/…, /token,
 * /computeMetadata/…). PL_ENDPOINT_NAME (PL_ENDPOINT_RUN, PL_ENDPOINT_OAUTH2, …) overrides a single one and wins over
 * PL_CLOUD_URL. GCE_METADATA_HOST moves the metadata server, as in Google's libraries. pl never falls back to a local
 * cloud by itself: without these variables everything is Google's. */
#ifndef GCP_ENDPOINTS_H
#define GCP_ENDPOINTS_H

#include "common/base/error.h"

#include <stdbool.h>

enum endpoint {
    ENDPOINT_RUN,
    ENDPOINT_ARTIFACT_REGISTRY,
    ENDPOINT_IAM,
    ENDPOINT_IAM_CREDENTIALS,
    ENDPOINT_STS,
    ENDPOINT_OAUTH2,
    ENDPOINT_SERVICE_USAGE,
    ENDPOINT_RESOURCE_MANAGER,
    ENDPOINT_LOGGING,
    ENDPOINT_SECRET_MANAGER,
    ENDPOINT_FIREBASE,
    ENDPOINT_FIREBASE_HOSTING,
    ENDPOINT_FIREBASE_UPLOAD,
    ENDPOINT_IDENTITY_TOOLKIT,
    ENDPOINT_METADATA,
    ENDPOINT_COUNT,
};

/* The base URL without a trailing slash, valid for the life of the process (do not free). Never NULL: a variable whose
 * value is no http(s) URL is reported by endpoints_check. */
const char *endpoint_url(enum endpoint endpoint);
/* Google's own (or those of GOOGLE_CLOUD_UNIVERSE_DOMAIN: https://run.UNIVERSE), whatever else the environment says. */
const char *endpoint_default(enum endpoint endpoint);
/* "run", "oauth2", …; PL_ENDPOINT_ and this in capitals is its variable. */
const char *endpoint_name(enum endpoint endpoint);
/* "googleapis.com", or GOOGLE_CLOUD_UNIVERSE_DOMAIN: the cloud of another operator with Google's software. */
#define UNIVERSE_DEFAULT "googleapis.com"
const char *endpoint_universe(void);
const char *endpoint_variable(enum endpoint endpoint);
/* The service's full name, for serviceusage and messages: "run.googleapis.com"; NULL for the metadata server. */
const char *endpoint_service(enum endpoint endpoint);

/* ERROR_CONFIGURATION when PL_CLOUD_URL or a PL_ENDPOINT_* is no http(s) URL, or is plain http to a host that is not
 * loopback, or when there is a PL_ENDPOINT_* of another name, or when GOOGLE_CLOUD_UNIVERSE_DOMAIN is no domain. Every
 * tool that talks to the cloud calls it first. */
int endpoints_check(struct error *error) MUST_CHECK;
/* Whether PL_CLOUD_URL is set: messages then speak of the local cloud. */
bool endpoints_are_local(void);

/* The registry of a region: "REGION-docker.pkg.dev", or "HOST:PORT" of PL_CLOUD_URL (or of PL_ENDPOINT_REGISTRY, a
 * URL). The caller frees. */
char *registry_host(const char *region);
/* Whether a Google access token may be sent to this "HOST[:PORT]": *.pkg.dev, gcr.io, *.gcr.io, or the configured local
 * registry host. */
bool registry_host_is_google(const char *host);

/* Whether `region` has the form of a region ("us-central1"). ERROR_CONFIGURATION with examples. */
int region_check(const char *region, struct error *error) MUST_CHECK;

#endif
