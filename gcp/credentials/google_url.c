/* Whom a credentials file may send us to. Such a file is a program of sorts: it says where secrets go. A token URL that
 * is not Google's would hand them to whoever wrote it. */
#include "gcp/credentials/type.h"

#include <ctype.h>
#include <string.h>

/* "us-east1", "mtls", "xyz": one label. */
static bool is_label(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '-')
            return false;
    return length > 0 && length <= 63;
}

/* SERVICE.U, LABEL.SERVICE.U, SERVICE.LABEL.U, LABEL-SERVICE.U, SERVICE-LABEL.p.U (AIP-4117). */
static bool host_is_google(const char *host, const char *service, const char *universe) {
    AUTO_FREE char *suffix = text_format(".%s", universe);
    if (!text_ends_with(host, suffix))
        return false;
    AUTO_FREE char *rest = text_copy_length(host, strlen(host) - strlen(suffix));
    size_t length = strlen(rest), own = strlen(service);
    if (length < own)
        return false;
    size_t other = length - own;
    if (text_equal(rest, service))
        return true;
    if (text_ends_with(rest, service) && (rest[other - 1] == '.' || rest[other - 1] == '-'))
        return is_label(rest, other - 1);
    if (!text_starts_with(rest, service))
        return false;
    if (rest[own] == '.')
        return is_label(rest + own + 1, other - 1);
    return rest[own] == '-' && text_ends_with(rest, ".p") && is_label(rest + own + 1, other - 3);
}

static bool is_google(enum endpoint endpoint, const char *url) {
    AUTO_FREE char *origin = url_origin(url);
    if (!origin || !text_starts_with(origin, "https://") || !text_ends_with(origin, ":443"))
        return false;
    AUTO_FREE char *host = url_host(url);
    /* Where Google's token endpoint was, as old key files have it. */
    if (endpoint == ENDPOINT_OAUTH2 && (text_equal(url, "https://accounts.google.com/o/oauth2/token") ||
                                        text_equal(url, "https://www.googleapis.com/oauth2/v4/token")))
        return true;
    return host && host_is_google(host, endpoint_name(endpoint), endpoint_universe());
}

/* The part of a URL behind its origin: "/v1/token". */
static const char *path_of(const char *url) {
    const char *host = strstr(url, "://");
    return host ? host + 3 + strcspn(host + 3, "/?#") : "";
}

static bool is_below(const char *url, const char *base) {
    size_t length = strlen(base);
    return !strncmp(url, base, length) && url[length] == '/';
}

char *google_url(enum endpoint endpoint, const char *url, const char *key, const char *path, struct error *error) {
    const char *base = endpoint_url(endpoint);
    if (!strpbrk(url, " \t\r\n#?\\")) {
        if (is_below(url, base))
            return text_copy(url);
        if (is_google(endpoint, url))
            return text_equal(base, endpoint_default(endpoint)) ? text_copy(url)
                   : endpoint == ENDPOINT_OAUTH2                ? text_format("%s/token", base)
                                                                : text_format("%s%s", base, path_of(url));
    }
    error_set(error, ERROR_CONFIGURATION, "%s: its %s is %.200s, which is not Google's (%s)%s", path, key, url,
              endpoint_default(endpoint), endpoints_are_local() ? " nor the local cloud's" : "");
    if (url_is_loopback(url))
        error_next(error, "it is of a local cloud: eval \"$(pl-local start)\"");
    else
        error_next(error, "do not use this file unless you know who wrote it; for credentials of another universe: "
                          "export GOOGLE_CLOUD_UNIVERSE_DOMAIN=DOMAIN");
    return NULL;
}

int member_check(const char *text, const char *key, const char *path, struct error *error) {
    if (!*text)
        return error_set(error, ERROR_DATA, "%s: its %s is empty", path, key);
    const char *c = text;
    while ((unsigned char)*c >= ' ' && *c != 127)
        c++;
    if (!*c)
        return 0;
    error_set(error, ERROR_DATA, "%s: its %s has a control character (0x%02x) in it", path, key,
              (unsigned)(unsigned char)*c);
    return error_next(error, "take the credentials file anew: an editor or a variable of the CI has changed it");
}
