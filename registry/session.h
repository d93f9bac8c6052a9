/* One registry host: how it wants to be asked, and with which login or token. Inside registry/ only. */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

#include "registry/challenge.h"
#include "registry/registry.h"

struct session_token {
    char *scope;
    char *secret;
    int64_t expires; /* monotonic seconds */
};

struct session {
    struct session *next;
    struct registry *registry;
    char *host;     /* as in a reference */
    char *url;      /* "https://HOST[:PORT]" */
    char *origin;   /* of url, normalised */
    bool was_asked; /* GET /v2/ was answered well */
    struct challenge challenge;
    const struct login_source *source; /* where user and secret came from; NULL: anonymous */
    char *user, *secret;
    struct session_token *tokens;
    size_t token_count;
    unsigned generation; /* counts the searches for a login that ended well */
};

struct registry {
    struct http *http;
    struct progress *progress;
    const struct login_source *logins;
    struct session *sessions;
};

/* The session of a host; made when it is first asked for. */
struct session *session_of(struct registry *registry, const char *host);
void session_release(struct session *session);

/* "URL/v2/REPOSITORY/REST"; the caller frees. */
char *session_path(const struct session *session, const char *repository, const char *rest);
/* "repository:NAME:pull" or ":pull,push"; the caller frees. */
char *session_scope(const char *repository, bool push);

/* Fills authorization and secret of a request to this host (a request elsewhere is left alone). Borrowed until the next
 * session_authorize. */
void session_sign(struct session *session, const char *scope, struct http_request *request);
/* After a 401: finds a login and gets a token for the scope; each call after a fruitless one tries what has not been
 * tried. ERROR_PERMISSION when there is nothing left. `scope` may be several, separated by spaces. */
int session_authorize(struct session *session, const char *scope, const struct http_response *unauthorized,
                      struct error *error) MUST_CHECK;
/* Gets what is needed for the scope before several requests are sent at once. */
int session_prepare(struct session *session, const char *scope, struct error *error) MUST_CHECK;
/* http_perform with a signature, and again with a new one after a 401. The status of the response is the caller's. */
int session_perform(struct session *session, const char *scope, struct http_request *request,
                    struct http_response *response, struct error *error) MUST_CHECK;

/* Fills *error from an answer that is not what was wanted: "cannot WHAT: the registry's words (404 NAME_UNKNOWN)". */
int session_refused(const struct session *session, const char *what, const struct http_response *response,
                    struct error *error);

#endif
