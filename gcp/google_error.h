/* What Google's APIs answer when they refuse, as text that helps.
 *
 * The form is google.rpc.Status as JSON: {"error":{"code","message","status","details":[{"@type":…ErrorInfo,"reason",
 * "domain","metadata"}, …BadRequest, …Help]}} (AIP-193); the token endpoints answer {"error":"invalid_grant",
 * "error_description":"…"} (RFC 6749), some "error" values of others are an object there too. Everything in it is text
 * from outside. */
#ifndef GCP_GOOGLE_ERROR_H
#define GCP_GOOGLE_ERROR_H

#include "common/http/http.h"
#include "common/json/json.h"

/* Who asks for what, for the line that the user should type. All may be NULL. */
struct google_subject {
    const char *principal; /* e-mail of the caller */
    const char *project;
    const char *region;
};

/* Fills *error from a response that is not 2xx: "WHAT: message (403 PERMISSION_DENIED)". The kind follows from the
 * status (401, 403: PERMISSION; SERVICE_DISABLED: CONFIGURATION; 404, 400, 412: CONFIGURATION or DATA; 409, 429, 503:
 * TEMPORARY; 500 and above: UNAVAILABLE), `next` names the role or command that cures it. Always returns -1. */
int google_error_set(struct error *error, const char *what, const struct http_response *response,
                     const struct google_subject *subject);

/* The same for a google.rpc.Status inside a reply (the `error` of an operation). */
int google_status_set(struct error *error, const char *what, const struct json *status,
                      const struct google_subject *subject);

/* The predefined role that is usually granted for a permission ("run.services.create": "roles/run.developer"), or NULL.
 */
const char *google_role(const char *permission);

/* The ErrorInfo among the details of a google.rpc.Status (of `domain`, unless that is NULL), borrowed, or NULL. */
const struct json *google_error_info(const struct json *status, const char *domain);

#endif
