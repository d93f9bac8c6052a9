/* A URL that answers with a token: Azure's metadata server, GitHub's request endpoint. */
#include "gcp/credentials/subject.h"

#include <string.h>

struct url_source {
    char *url;
    struct text_list headers;
    struct subject_format format;
};

static void release(void *self) {
    struct url_source *source = self;
    for (size_t i = 0; i < source->headers.count; i++)
        memory_wipe(source->headers.items[i], strlen(source->headers.items[i]));
    text_list_release(&source->headers);
    free(source->url);
    subject_format_release(&source->format);
    free(source);
}

/* Link-local addresses are where clouds keep such servers; anything else needs TLS. */
static int check_url(const char *url, const char *path, struct error *error) {
    AUTO_FREE char *host = url_host(url);
    bool local =
        host && (url_is_loopback(url) || text_equal(host, "169.254.169.254") || text_equal(host, "fd00:ec2::254"));
    if (host && (text_starts_with(url, "https://") || local))
        return 0;
    return error_set(error, ERROR_CONFIGURATION,
                     "%s: credential_source.url is %.200s: an identity token is not asked "
                     "for without TLS",
                     path, url);
}

static int read_headers(const struct json *document, const char *path, struct text_list *headers, struct error *error) {
    const struct json *given = json_get(document, "headers");
    for (void *i = json_first(given); i; i = json_next(given, i)) {
        const char *value = json_text(json_value(i));
        if (!value || member_check(json_key(i), "credential_source.headers", path, error) < 0 ||
            member_check(value, "credential_source.headers", path, error) < 0)
            return value ? -1 : error_set(error, ERROR_DATA, "%s: credential_source.headers has no text", path);
        text_list_add_format(headers, "%s: %s", json_key(i), value);
    }
    return 0;
}

static void *open_source(const struct json *document, const char *path, struct error *error) {
    const char *url;
    struct subject_format format;
    if (json_need_text(document, "url", path, &url, error) < 0 || check_url(url, path, error) < 0 ||
        subject_format_open(document, path, &format, error) < 0)
        return NULL;
    struct url_source *source = memory_allocate(1, sizeof(*source));
    source->url = text_copy(url);
    source->format = format;
    if (read_headers(document, path, &source->headers, error) == 0)
        return source;
    release(source);
    return NULL;
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    struct url_source *source = self;
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request asked = {
        .url = source->url, .headers = &source->headers, .secret_response = true, .response_limit = DOCUMENT_LIMIT};
    if (http_perform(request->http, &asked, &response, error) < 0)
        return -1;
    if (response.status != 200) {
        for (size_t i = 0; i < source->headers.count; i++)
            http_response_hide(&response, strchr(source->headers.items[i], ':') + 2);
        error_set(error, response.status >= 500 ? ERROR_TEMPORARY : ERROR_PERMISSION,
                  "%s answers %ld to the request "
                  "for an identity token: %.200s",
                  source->url, response.status, buffer_text(&response.body));
        return error_next(error, "see credential_source in the credentials file: its url and headers");
    }
    return subject_format_read(&source->format, &response.body, source->url, token, error);
}

static char *describe(const void *self) {
    const struct url_source *source = self;
    return text_format("%.*s", (int)strcspn(source->url, "?"), source->url);
}

const struct subject_source subject_url = {
    .open = open_source, .read = read_token, .describe = describe, .release = release};
