#include "gcp/cloud.h"

#include "gcp/google_error.h"

#include <string.h>

enum { OPEN_DEADLINE = 120, CALL_DEADLINE = 1800, PAGE_SIZE = 100, PAGE_LIMIT = 32 << 20 };

struct http *cloud_http_new(struct progress *progress, unsigned deadline) {
    struct text_list hosts = {0};
    text_list_add(&hosts, "metadata.google.internal:80");
    text_list_add(&hosts, "metadata.google.internal");
    text_list_add(&hosts, "169.254.169.254:80");
    struct http_options options = {.deadline = deadline, .progress = progress, .plain_hosts = &hosts};
    struct http *http = http_new(&options);
    text_list_release(&hosts);
    return http;
}

int cloud_open(struct cloud *cloud, const struct credential_options *options, struct progress *progress,
               const char *project, const char *region, struct error *error) {
    *cloud = (struct cloud){.progress = progress, .region = text_copy(region)};
    if (endpoints_check(error) < 0 || (region && region_check(region, error) < 0))
        return -1;
    cloud->http = cloud_http_new(progress, OPEN_DEADLINE);
    cloud->credentials = credentials_find(options, cloud->http, progress, error);
    if (!cloud->credentials || !credentials_token(cloud->credentials, cloud->http, false, error))
        return -1;
    cloud->project = credentials_project(cloud->credentials, cloud->http, project, error);
    return cloud->project ? 0 : -1;
}

void cloud_renew(struct cloud *cloud) {
    http_release(&cloud->http);
    cloud->http = cloud_http_new(cloud->progress, CALL_DEADLINE);
}

void cloud_release(struct cloud *cloud) {
    credentials_release(&cloud->credentials);
    if (cloud->http)
        http_release(&cloud->http);
    free(cloud->project);
    free(cloud->region);
    *cloud = (struct cloud){0};
}

static bool is_accepted(const struct cloud_request *request, long status) {
    for (const long *accepted = request->accept; accepted && *accepted; accepted++)
        if (*accepted == status)
            return true;
    return false;
}

/* *token: the one it was sent with, borrowed from the credentials. */
static int send_once(struct cloud *cloud, const struct cloud_request *request, const char *body, bool again,
                     const char **token, struct http_response *response, struct error *error) {
    *token = credentials_token(cloud->credentials, cloud->http, again, error);
    if (!*token)
        return error_wrap(error, "%s", request->what);
    const char *payer = credentials_quota_project(cloud->credentials);
    AUTO_LIST struct text_list headers = {0};
    if (payer)
        text_list_add_format(&headers, "x-goog-user-project: %s", payer);
    struct http_request sent = {.method = request->method,
                                .url = request->url,
                                .headers = &headers,
                                .authorization = HTTP_BEARER,
                                .secret = *token,
                                .content_type = body ? "application/json" : NULL,
                                .body = body,
                                .body_length = body ? strlen(body) : 0,
                                .idempotent = request->idempotent,
                                .response_limit = request->response_limit};
    if (http_perform(cloud->http, &sent, response, error) < 0)
        return error_wrap(error, "%s", request->what);
    return 0;
}

int cloud_call(struct cloud *cloud, const struct cloud_request *request, struct json **reply, long *status,
               struct error *error) {
    if (reply)
        *reply = NULL;
    AUTO_FREE char *body = request->body ? json_format(request->body, JSON_COMPACT_STYLE) : NULL;
    AUTO_RESPONSE struct http_response response = {0};
    const char *token;
    if (send_once(cloud, request, body, false, &token, &response, error) < 0)
        return -1;
    if (response.status == 401) {
        http_response_release(&response);
        if (send_once(cloud, request, body, true, &token, &response, error) < 0)
            return -1;
    }
    if (status)
        *status = response.status;
    bool good = response.status >= 200 && response.status < 300;
    if (!good && is_accepted(request, response.status))
        return 0;
    if (!good) {
        struct google_subject subject = {
            .principal = credentials_principal(cloud->credentials), .project = cloud->project, .region = cloud->region};
        http_response_hide(&response, token);
        return google_error_set(error, request->what, &response, &subject);
    }
    if (!reply || !response.body.length)
        return 0;
    *reply = json_parse(response.body.data, response.body.length, "Google's answer", error);
    if (!*reply) {
        if (error)
            error->kind = ERROR_PROTOCOL;
        return error_wrap(error, "%s", request->what);
    }
    return 0;
}

/* One page; *token is the next one's, or NULL. */
static int list_page(struct cloud *cloud, const char *url, const char *member, const char *what, char **token,
                     struct json *all, struct error *error) {
    AUTO_FREE char *encoded = *token ? url_encode(*token) : NULL;
    AUTO_FREE char *paged =
        text_format("%s?pageSize=%d%s%s", url, PAGE_SIZE, encoded ? "&pageToken=" : "", encoded ? encoded : "");
    AUTO_JSON struct json *page = NULL;
    struct cloud_request request = {.url = paged, .what = what, .response_limit = PAGE_LIMIT};
    if (cloud_call(cloud, &request, &page, NULL, error) < 0)
        return -1;
    const struct json *items = json_get(page, member);
    for (size_t i = 0; i < json_count(items); i++)
        json_append(all, json_share(json_at(items, i)));
    const char *next = json_get_text(page, "nextPageToken", NULL);
    free(*token);
    *token = text_is_empty(next) ? NULL : text_copy(next);
    return 0;
}

int cloud_list(struct cloud *cloud, const char *url, const char *member, const char *what, struct json *all,
               struct error *error) {
    AUTO_FREE char *token = NULL;
    for (int page = 0; page == 0 || (token && page < CLOUD_PAGES); page++)
        if (list_page(cloud, url, member, what, &token, all, error) < 0)
            return -1;
    return 0;
}
