/* The keys of an issuer that runs on this machine, such as a developer's own identity provider: OpenID Connect
 * Discovery 1.0. Nothing is asked of other machines. */
#include "local/iam/internal.h"

#include "common/http/http.h"

#include <string.h>

enum { DEADLINE = 10, ANSWER_LIMIT = 256 << 10, KEYS_LIMIT = 100 };

/* libcurl is loaded when it is first used, which two threads must not do at once. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static struct json *fetch(struct http *http, const char *url, struct error *error) {
    AUTO_RESPONSE struct http_response response;
    struct http_request request = {.url = url, .response_limit = ANSWER_LIMIT, .no_retry = true};
    if (!url_is_loopback(url)) {
        error_set(error, ERROR_DATA, "%.200s is not on this machine", url);
        return NULL;
    }
    if (http_perform(http, &request, &response, error) < 0)
        return NULL;
    if (response.status != 200) {
        error_set(error, ERROR_DATA, "%.200s answers %ld", url, response.status);
        return NULL;
    }
    return json_parse(buffer_text(&response.body), response.body.length, url, error);
}

static struct json *fetch_keys(struct http *http, const char *issuer, struct error *error) {
    size_t length = strlen(issuer) - (text_ends_with(issuer, "/") ? 1 : 0);
    AUTO_FREE char *url = text_format("%.*s/.well-known/openid-configuration", (int)length, issuer);
    AUTO_JSON struct json *configuration = fetch(http, url, error);
    if (!configuration)
        return NULL;
    if (!text_equal(json_get_text(configuration, "issuer", NULL), issuer)) {
        error_set(error, ERROR_DATA, "%.200s is the configuration of another issuer: %.200s", url,
                  json_get_text(configuration, "issuer", ""));
        return NULL;
    }
    return fetch(http, json_get_text(configuration, "jwks_uri", ""), error);
}

struct jwt_key *discover_key(const char *issuer, const char *key_id, struct error *error) {
    struct http_options options = {.deadline = DEADLINE};
    struct jwt_key *key = NULL;
    pthread_mutex_lock(&one_at_a_time);
    AUTO_HTTP struct http *http = http_new(&options);
    AUTO_JSON struct json *set = fetch_keys(http, issuer, error);
    pthread_mutex_unlock(&one_at_a_time);
    const struct json *keys = json_get(set, "keys");
    for (size_t i = 0; !key && i < json_count(keys) && i < KEYS_LIMIT; i++)
        if (text_equal(json_get_text(json_at(keys, i), "kid", NULL), key_id))
            key = jwt_key_from_jwk(json_at(keys, i), NULL);
    if (!set)
        error_wrap(error, "Error connecting to the given credential's issuer");
    else if (!key)
        error_set(error, ERROR_DATA,
                  "Error verifying the given credential: the issuer %.200s has no key \"%.100s\" for RS256", issuer,
                  key_id ? key_id : "");
    return key;
}
