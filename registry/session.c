#include "registry/session.h"

#include "registry/credentials.h"

#include "common/json/json.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { TOKEN_LIMIT = 65536, TOKEN_LIFE = 60, LOGINS_TRIED = 8 };

static int64_t now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void wipe_text(char **text) {
    if (*text)
        memory_wipe(*text, strlen(*text));
    free(take_pointer(text));
}

struct registry *registry_new(const struct registry_options *options) {
    struct registry *registry = memory_allocate(1, sizeof(*registry));
    registry->http = options->http;
    registry->progress = options->progress;
    registry->logins = options->logins;
    return registry;
}

void registry_release(struct registry **registry) {
    if (!*registry)
        return;
    for (struct session *session = (*registry)->sessions, *next; session; session = next) {
        next = session->next;
        session_release(session);
    }
    free(take_pointer(registry));
}

struct session *session_of(struct registry *registry, const char *host) {
    for (struct session *session = registry->sessions; session; session = session->next)
        if (text_equal(session->host, host))
            return session;
    struct session *session = memory_allocate(1, sizeof(*session));
    session->registry = registry;
    session->host = text_copy(host);
    session->url = reference_registry_url(host);
    session->origin = url_origin(session->url);
    session->next = registry->sessions;
    registry->sessions = session;
    return session;
}

static void drop_tokens(struct session *session) {
    for (size_t i = 0; i < session->token_count; i++) {
        free(session->tokens[i].scope);
        wipe_text(&session->tokens[i].secret);
    }
    free(take_pointer(&session->tokens));
    session->token_count = 0;
}

void session_release(struct session *session) {
    drop_tokens(session);
    wipe_text(&session->secret);
    free(session->user);
    challenge_release(&session->challenge);
    free(session->host);
    free(session->url);
    free(session->origin);
    free(session);
}

char *session_path(const struct session *session, const char *repository, const char *rest) {
    return text_format("%s/v2/%s/%s", session->url, repository, rest);
}

char *session_scope(const char *repository, bool push) {
    return text_format("repository:%s:%s", repository, push ? "pull,push" : "pull");
}

static struct session_token *find_token(struct session *session, const char *scope) {
    for (size_t i = 0; i < session->token_count; i++)
        if (text_equal(session->tokens[i].scope, scope))
            return &session->tokens[i];
    return NULL;
}

void session_sign(struct session *session, const char *scope, struct http_request *request) {
    request->authorization = HTTP_NO_AUTHORIZATION;
    request->secret = NULL;
    AUTO_FREE char *origin = url_origin(request->url);
    if (!text_equal(origin, session->origin))
        return;
    struct session_token *token = find_token(session, scope);
    if (session->challenge.scheme == CHALLENGE_BEARER && token && token->expires > now_seconds()) {
        request->authorization = HTTP_BEARER;
        request->secret = token->secret;
    } else if (session->challenge.scheme == CHALLENGE_BASIC && session->secret) {
        request->authorization = HTTP_BASIC;
        request->secret = session->secret;
    }
}

/* ---- logins ---- */

static int use_login(struct session *session, const struct login_source *source, bool again, bool *found,
                     struct error *error) {
    AUTO_FREE char *user = NULL;
    char *secret = NULL;
    *found = false;
    if (source->find(source->context, session->host, again, &user, &secret, error) < 0)
        return -1;
    if (user && secret) {
        AUTO_FREE char *pair =
            text_equal(user, IDENTITY_TOKEN_USER) ? text_copy(secret) : text_format("%s:%s", user, secret);
        if (!session->secret || !text_equal(pair, session->secret)) {
            wipe_text(&session->secret);
            free(session->user);
            session->source = source;
            session->user = take_pointer(&user);
            session->secret = take_pointer(&pair);
            *found = true;
        } else {
            memory_wipe(pair, strlen(pair));
        }
    }
    wipe_text(&secret);
    return 0;
}

/* What is tried in one search for a login that works. */
struct search {
    bool refreshed;       /* the source was asked for a fresh secret already */
    struct error failure; /* what the first source that failed, or the token endpoint, said */
};

/* The next login to try: the same source again (a fresh token), then the sources behind it. False: nothing is left. */
static bool next_login(struct session *session, struct search *search) {
    const struct login_source *source = session->source ? session->source : session->registry->logins;
    struct error failure = {0};
    bool found = false;
    if (session->source) {
        if (!search->refreshed && use_login(session, source, true, &found, &failure) < 0 &&
            search->failure.kind == ERROR_NONE)
            search->failure = failure;
        search->refreshed = true;
        source = source->next;
    }
    for (; source && !found; source = source->next)
        if (use_login(session, source, false, &found, &failure) < 0 && search->failure.kind == ERROR_NONE)
            search->failure = failure;
    return found;
}

/* ---- tokens ---- */

/* Whether a login may be sent to the realm that the registry names: to its own host, or to one beside it in the same
 * domain (registry-1.docker.io and auth.docker.io). A Google access token opens more than a registry: only to the same
 * origin. */
static bool realm_is_trusted(const struct session *session, const char *realm) {
    AUTO_FREE char *origin = url_origin(realm), *host = url_host(realm), *own = url_host(session->url);
    if (!origin || text_equal(origin, session->origin))
        return origin != NULL;
    if (text_equal(session->user, "oauth2accesstoken"))
        return false;
    if (text_equal(host, own))
        return true;
    const char *dot = strchr(own, '.'), *rest = dot ? dot + 1 : NULL;
    if (!rest || !strchr(rest, '.') || strspn(own, "0123456789.:") == strlen(own))
        rest = own;
    size_t host_length = strlen(host), length = strlen(rest);
    return text_equal(host, rest) ||
           (host_length > length && text_ends_with(host, rest) && host[host_length - length - 1] == '.');
}

static char *token_url(const struct session *session, const char *scope, bool with_account) {
    const struct challenge *challenge = &session->challenge;
    AUTO_BUFFER struct buffer url = BUFFER(16384);
    buffer_append_text(&url, challenge->realm);
    char separator = strchr(challenge->realm, '?') ? '&' : '?';
    if (challenge->service) {
        AUTO_FREE char *service = url_encode(challenge->service);
        buffer_append_format(&url, "%cservice=%s", separator, service);
        separator = '&';
    }
    AUTO_LIST struct text_list scopes = {0};
    text_list_split(&scopes, scope, ' ');
    for (size_t i = 0; i < scopes.count; i++) {
        AUTO_FREE char *encoded = url_encode(scopes.items[i]);
        buffer_append_format(&url, "%cscope=%s", separator, encoded);
        separator = '&';
    }
    if (with_account) {
        AUTO_FREE char *account = url_encode(session->user);
        buffer_append_format(&url, "%caccount=%s", separator, account);
    }
    return url.failed ? NULL : buffer_take(&url);
}

static bool token_is_valid(const char *token) {
    size_t length = token ? strlen(token) : 0;
    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] >= 127)
            return false;
    return length > 0;
}

static int keep_token(struct session *session, const char *scope, const struct http_response *response,
                      struct error *error) {
    AUTO_JSON struct json *reply = json_parse(buffer_text(&response->body), response->body.length, "token", NULL);
    const char *token = json_get_text(reply, "token", NULL);
    if (!token)
        token = json_get_text(reply, "access_token", NULL);
    if (!token_is_valid(token))
        return error_set(error, ERROR_PROTOCOL, "%s: the token endpoint gave no usable token", session->host);
    int64_t life = json_get_integer(reply, "expires_in", TOKEN_LIFE);
    life = life < TOKEN_LIFE ? TOKEN_LIFE : life > 86400 ? 86400 : life;
    struct session_token *slot = find_token(session, scope);
    if (!slot) {
        session->tokens = memory_resize(session->tokens, session->token_count + 1, sizeof(*session->tokens));
        slot = &session->tokens[session->token_count++];
        *slot = (struct session_token){.scope = text_copy(scope)};
    }
    wipe_text(&slot->secret);
    slot->secret = text_copy(token);
    slot->expires = now_seconds() + life - 5;
    return 0;
}

/* RFC 6749 with a refresh token, as docker sends an identity token. */
static int post_identity(struct session *session, const char *scope, struct http_request *request,
                         struct http_response *response, struct error *error) {
    const char *service = session->challenge.service ? session->challenge.service : session->host;
    AUTO_FREE char *encoded_scope = url_encode(scope), *encoded_service = url_encode(service);
    AUTO_FREE char *refresh = url_encode(session->secret);
    AUTO_FREE char *body = text_format("grant_type=refresh_token&service=%s&client_id=pl&scope=%s&refresh_token=%s",
                                       encoded_service, encoded_scope, refresh);
    request->method = "POST";
    request->url = session->challenge.realm;
    request->idempotent = true;
    request->content_type = "application/x-www-form-urlencoded";
    request->body = body;
    request->body_length = strlen(body);
    int result = http_perform(session->registry->http, request, response, error);
    memory_wipe(body, strlen(body));
    memory_wipe(refresh, strlen(refresh));
    return result;
}

/* One question to the token endpoint. 0 with *granted false when it refused. */
static int ask_for_token(struct session *session, const char *scope, bool *granted, struct search *search,
                         struct error *error) {
    const char *realm = session->challenge.realm;
    bool with_login = session->secret && realm_is_trusted(session, realm);
    *granted = false;
    if (session->secret && !with_login) {
        AUTO_FREE char *host = url_host(realm);
        progress_note(session->registry->progress, "%s names %s for its tokens: the login is not sent there",
                      session->host, host ? host : "no URL");
    }
    AUTO_FREE char *url = token_url(session, scope, with_login && !text_equal(session->user, IDENTITY_TOKEN_USER));
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.url = url, .named_by = session->url, .response_limit = TOKEN_LIMIT};
    int result;
    if (!url)
        return error_set(error, ERROR_PROTOCOL, "%s: the token realm is too long", session->host);
    if (with_login && text_equal(session->user, IDENTITY_TOKEN_USER)) {
        result = post_identity(session, scope, &request, &response, error);
    } else {
        request.authorization = with_login ? HTTP_BASIC : HTTP_NO_AUTHORIZATION;
        request.secret = with_login ? session->secret : NULL;
        result = http_perform(session->registry->http, &request, &response, error);
    }
    if (result < 0)
        return error_wrap(error, "%s: cannot get a token", session->host);
    if (response.status == 200) {
        *granted = true;
        result = keep_token(session, scope, &response, error);
    } else if (response.status != 400 && response.status != 401 && response.status != 403) {
        result = session_refused(session, "get a token", &response, error);
    } else if (with_login && search->failure.kind == ERROR_NONE) {
        session_refused(session, "get a token", &response, &search->failure);
        search->failure.kind = ERROR_PERMISSION;
    }
    if (response.body.data)
        memory_wipe(response.body.data, response.body.length);
    return result;
}

static int say_no_login(const struct session *session, const struct error *failure, struct error *error) {
    if (failure && failure->kind != ERROR_NONE) {
        if (error)
            *error = *failure;
        return -1;
    }
    error_set(error, ERROR_PERMISSION,
              session->secret ? "%s does not accept the login (401)"
                              : "%s wants a login and there is none for it (401)",
              session->host);
    return error_next(error, "log in with: podman login %s (or docker login, or skopeo login)", session->host);
}

int session_authorize(struct session *session, const char *scope, const struct http_response *unauthorized,
                      struct error *error) {
    struct challenge challenge = {0};
    struct search search = {0};
    challenge_read(unauthorized, &challenge);
    if (challenge.scheme == CHALLENGE_NONE)
        return session_refused(session, "be authorized", unauthorized, error);
    challenge_release(&session->challenge);
    session->challenge = challenge;
    session->generation++;
    /* A login that gave a token before is asked for a fresh one; with Basic it is the login itself that was refused. */
    bool is_basic = challenge.scheme == CHALLENGE_BASIC, found = false;
    if (!session->source || is_basic || find_token(session, scope))
        found = next_login(session, &search);
    if (is_basic)
        return found ? 0 : say_no_login(session, &search.failure, error);
    for (int tries = 0; tries < LOGINS_TRIED; tries++) {
        bool granted = false;
        if (ask_for_token(session, scope, &granted, &search, error) < 0)
            return -1;
        if (granted)
            return 0;
        if (!next_login(session, &search))
            break;
    }
    return say_no_login(session, &search.failure, error);
}

int session_prepare(struct session *session, const char *scope, struct error *error) {
    struct session_token *token = find_token(session, scope);
    struct search search = {0};
    if (session->challenge.scheme == CHALLENGE_BEARER && (!token || token->expires <= now_seconds())) {
        bool granted = false;
        if (ask_for_token(session, scope, &granted, &search, error) < 0)
            return -1;
        if (granted)
            return 0;
    } else if (session->was_asked) {
        return 0;
    }
    AUTO_FREE char *url = text_format("%s/v2/", session->url);
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.url = url, .response_limit = 65536};
    if (session_perform(session, scope, &request, &response, error) < 0)
        return -1;
    if (response.status == 404)
        return error_set(error, ERROR_PROTOCOL, "%s answers, but is no image registry (404 for /v2/)", session->host);
    if (response.status != 200)
        return session_refused(session, "be asked", &response, error);
    const char *type = http_header(&response, "content-type");
    if (type && text_starts_with(type, "text/html") && text_starts_with(buffer_text(&response.body), "<"))
        return error_set(error, ERROR_PROTOCOL, "%s answers, but is no image registry (a web page for /v2/)",
                         session->host);
    session->was_asked = true;
    return 0;
}

int session_perform(struct session *session, const char *scope, struct http_request *request,
                    struct http_response *response, struct error *error) {
    for (int refusals = 0;; refusals++) {
        session_sign(session, scope, request);
        if (http_perform(session->registry->http, request, response, error) < 0)
            return -1;
        AUTO_FREE char *origin = url_origin(response->url);
        if (response->status != 401 || !text_equal(origin, session->origin))
            return 0;
        AUTO_RESPONSE struct http_response unauthorized = *response;
        *response = (struct http_response){0};
        /* The challenge, then one fresh token; with Basic each refusal uses up a login. */
        if (refusals == (session->challenge.scheme == CHALLENGE_BASIC ? LOGINS_TRIED : 2))
            return say_no_login(session, NULL, error);
        if (session_authorize(session, scope, &unauthorized, error) < 0)
            return -1;
    }
}
