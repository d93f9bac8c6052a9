/* What a registry's refusal means. */
#include "registry/session.h"

#include "common/json/json.h"

#include <string.h>

enum { WORDS_LIMIT = 600 };

struct words {
    const char *code;
    const char *message;
};

/* {"errors":[{"code":"NAME_UNKNOWN","message":"…"}]}; a proxy on the way may say it in plain text. All of it is text
 * from outside. */
static struct words words_of(const struct json *reply, const struct http_response *response) {
    const struct json *first = json_at(json_get(reply, "errors"), 0);
    const char *type = http_header(response, "content-type");
    if (!reply && type && text_starts_with(type, "text/plain") && response->body.length)
        return (struct words){.message = buffer_text(&response->body)};
    return (struct words){.code = json_get_text(first, "code", NULL), .message = json_get_text(first, "message", NULL)};
}

static enum error_kind kind_of(long status, const char *code) {
    switch (status) {
    case 401:
    case 403:
        return ERROR_PERMISSION;
    case 404:
        return text_equal(code, "MANIFEST_UNKNOWN") || text_equal(code, "BLOB_UNKNOWN") ? ERROR_DATA
                                                                                        : ERROR_CONFIGURATION;
    case 408:
    case 409:
    case 429:
    case 503:
        return ERROR_TEMPORARY;
    default:
        return status >= 500 ? ERROR_UNAVAILABLE : ERROR_PROTOCOL;
    }
}

static void say_next(const struct session *session, long status, struct error *error) {
    bool is_google = text_ends_with(session->host, ".pkg.dev");
    if (status == 403 && is_google)
        error_next(error, "give the caller roles/artifactregistry.writer on the repository, and check that it exists");
    else if (status == 403)
        error_next(error, "check that this login may do it: podman login %s", session->host);
    else if (status == 404 && is_google)
        error_next(error, "create it: gcloud artifacts repositories create NAME --repository-format=docker "
                          "--location=REGION");
    else if (status == 429 || status == 503)
        error_next(error, "try again later");
}

int session_refused(const struct session *session, const char *what, const struct http_response *response,
                    struct error *error) {
    AUTO_JSON struct json *reply =
        json_parse(buffer_text(&response->body), response->body.length, "registry's answer", NULL);
    struct words words = words_of(reply, response);
    long status = response->status;
    AUTO_FREE char *message = NULL;
    if (words.message)
        message = text_scrub(words.message, strnlen(words.message, WORDS_LIMIT), false);
    error_set(error, kind_of(status, words.code), "%s: cannot %s: %s%s(%ld%s%.60s)", session->host, what,
              message ? message : "", message ? " " : "", status, words.code ? " " : "", words.code ? words.code : "");
    say_next(session, status, error);
    return -1;
}
