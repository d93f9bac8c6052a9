/* Where a request may go: what a server may point us at, and what may be spoken to without TLS. */
#include "common/http/internal.h"

#include <string.h>
#include <strings.h>

static enum address_class class_of_host(const struct destinations *destinations, const char *host) {
    for (size_t i = 0; i < destinations->known_count; i++)
        if (text_equal(destinations->known[i].host, host))
            return destinations->known[i].class;
    return text_equal(host, "localhost") ? ADDRESS_LOOPBACK : address_class_of_literal(host);
}

static void remember_host(struct destinations *destinations, const char *url, enum address_class class) {
    AUTO_FREE char *host = url_host(url);
    for (size_t i = 0; i < destinations->known_count; i++)
        if (text_equal(destinations->known[i].host, host)) {
            destinations->known[i].class = class;
            return;
        }
    destinations->known =
        memory_resize(destinations->known, destinations->known_count + 1, sizeof(*destinations->known));
    destinations->known[destinations->known_count++] = (struct known_host){.host = take_pointer(&host), .class = class};
}

static bool proxy_is_set(bool is_https) {
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    const char *const *names = is_https ? https : http;
    for (size_t i = 0; i < (is_https ? ARRAY_LENGTH(https) : ARRAY_LENGTH(http)); i++)
        if (!text_is_empty(getenv(names[i])))
            return true;
    return false;
}

bool destinations_admit(struct destinations *destinations, const char *url, const char *trusted,
                        enum address_class class) {
    bool proxied = !url_is_loopback(url) && proxy_is_set(text_starts_with(url, "https:"));
    if (!trusted) {
        if (!proxied)
            remember_host(destinations, url, class);
        return true;
    }
    if (class == ADDRESS_PUBLIC || proxied)
        return true;
    AUTO_FREE char *host = url_host(trusted);
    return class_of_host(destinations, host) == class;
}

static bool is_plain_host(const struct destinations *destinations, const char *url) {
    struct url_parts parts;
    if (!url_split(url, &parts))
        return false;
    AUTO_FREE char *host = url_host(url);
    bool brackets = strchr(host, ':') != NULL;
    AUTO_FREE char *name = text_format("%s%s%s:%u", brackets ? "[" : "", host, brackets ? "]" : "", parts.port);
    return text_list_contains(&destinations->plain_hosts, name);
}

static int check_guided(const struct destinations *destinations, const char *url, const char *host, const char *trusted,
                        struct error *error) {
    AUTO_FREE char *trusted_host = url_host(trusted);
    if (!strncasecmp(url, "http:", 5) && strncasecmp(trusted, "http:", 5))
        return error_set(error, ERROR_PROTOCOL, "%s named an http URL, which would leave TLS: %.300s", trusted_host,
                         url);
    enum address_class class = class_of_host(destinations, host);
    if (class != ADDRESS_PUBLIC && class != class_of_host(destinations, trusted_host))
        return error_set(error, ERROR_PROTOCOL, "%s named a URL of the local or a private network: %.300s",
                         trusted_host, url);
    return 0;
}

/* Not with the URL in it: it may hold a password. */
static int refuse_url(const char *url, enum error_kind kind, struct error *error) {
    const char *authority = strstr(url, "://"), *at = authority ? strchr(authority, '@') : NULL;
    if (at && authority + 3 + strcspn(authority + 3, "/?#") > at)
        return error_set(error, kind, "a URL with a user name in it is no http or https URL that is asked");
    return error_set(error, kind, "\"%.300s\" is no http or https URL", url);
}

int destinations_check(const struct destinations *destinations, const char *url, const char *trusted,
                       struct error *error) {
    AUTO_FREE char *host = url_host(url);
    if (!host)
        return refuse_url(url, trusted ? ERROR_PROTOCOL : ERROR_CONFIGURATION, error);
    if (trusted && check_guided(destinations, url, host, trusted, error) < 0)
        return -1;
    if (!strncasecmp(url, "http:", 5) && !url_is_loopback(url) && !is_plain_host(destinations, url)) {
        error_set(error, trusted ? ERROR_PROTOCOL : ERROR_CONFIGURATION,
                  "%.300s would be spoken to without TLS, which is only done on this machine", url);
        return error_next(error, "use https");
    }
    return 0;
}

void destinations_release(struct destinations *destinations) {
    for (size_t i = 0; i < destinations->known_count; i++)
        free(destinations->known[i].host);
    free(destinations->known);
    text_list_release(&destinations->plain_hosts);
    *destinations = (struct destinations){0};
}
