/* URLs, read strictly: what is not plainly http or https with a host is refused. */
#include "common/http/http.h"
#include "common/http/internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { URL_LIMIT = 16384 };

static bool is_host_byte(unsigned char byte) {
    return isalnum(byte) || byte == '.' || byte == '-' || byte == '_';
}

/* Takes "host", "host:port" or "[v6]:port" apart. */
static bool split_authority(const char *text, size_t length, struct url_parts *parts) {
    const char *end = text + length;
    if (text < end && *text == '[') {
        const char *bracket = memchr(text, ']', length);
        if (!bracket)
            return false;
        parts->host = text + 1;
        parts->host_length = (size_t)(bracket - text - 1);
        for (size_t i = 0; i < parts->host_length; i++)
            if (!isxdigit((unsigned char)parts->host[i]) && !strchr(":.", parts->host[i]))
                return false;
        text = bracket + 1;
    } else {
        parts->host = text;
        while (text < end && is_host_byte((unsigned char)*text))
            text++;
        parts->host_length = (size_t)(text - parts->host);
    }
    if (!parts->host_length || parts->host_length > 255)
        return false;
    if (text == end)
        return true;
    if (*text != ':')
        return false;
    AUTO_FREE char *port = text_copy_length(text + 1, (size_t)(end - text - 1));
    uint64_t number = 0;
    if (!text_to_u64(port, 65535, &number) || number == 0)
        return false;
    parts->port = (unsigned)number;
    return true;
}

bool url_split(const char *url, struct url_parts *parts) {
    *parts = (struct url_parts){0};
    size_t length = url ? strlen(url) : 0;
    if (!length || length > URL_LIMIT)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == 127 || url[i] == '\\')
            return false;
    if (!strncasecmp(url, "https://", 8))
        parts->is_https = true;
    else if (strncasecmp(url, "http://", 7))
        return false;
    const char *authority = url + (parts->is_https ? 8 : 7);
    parts->port = parts->is_https ? 443 : 80;
    return split_authority(authority, strcspn(authority, "/?#"), parts);
}

static char *lower_copy(const char *text, size_t length) {
    char *copy = text_copy_length(text, length);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

char *url_host(const char *url) {
    struct url_parts parts;
    return url_split(url, &parts) ? lower_copy(parts.host, parts.host_length) : NULL;
}

char *url_origin(const char *url) {
    struct url_parts parts;
    if (!url_split(url, &parts))
        return NULL;
    AUTO_FREE char *host = lower_copy(parts.host, parts.host_length);
    bool brackets = strchr(host, ':') != NULL;
    return text_format("%s://%s%s%s:%u", parts.is_https ? "https" : "http", brackets ? "[" : "", host,
                       brackets ? "]" : "", parts.port);
}

bool url_is_loopback(const char *url) {
    AUTO_FREE char *host = url_host(url);
    if (!host)
        return false;
    /* libcurl asks nobody about localhost and the names below it (RFC 6761, section 6.3). */
    return text_equal(host, "localhost") || text_ends_with(host, ".localhost") ||
           address_class_of_literal(host) == ADDRESS_LOOPBACK;
}

char *url_encode(const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    size_t length = text ? strlen(text) : 0;
    char *encoded = memory_allocate(length + 1, 3), *out = encoded;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 128 && (isalnum(byte) || strchr("-._~", byte))) {
            *out++ = (char)byte;
        } else {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    return encoded;
}
