/* GitHub Actions' identity token (OIDC). It lives for five minutes, and can be asked for as long as the job runs. */
#include "gcp/credentials/subject.h"

#include "common/file/file.h"

#include <string.h>

enum { EVENT_LIMIT = 4 << 20 };

struct github_source {
    char *audience;
};

static void release(void *self) {
    free(((struct github_source *)self)->audience);
    free(self);
}

/* A pull request from a fork gets no identity, whatever the workflow says: that is as it should be. */
static bool is_fork(void) {
    const char *path = getenv("GITHUB_EVENT_PATH");
    AUTO_JSON struct json *event = text_is_empty(path) ? NULL : json_parse_file(path, EVENT_LIMIT, NULL);
    const char *head = json_get_text(json_get_path(event, "pull_request.head.repo"), "full_name", NULL);
    return head && !text_equal(head, json_get_text(json_get_path(event, "pull_request.base.repo"), "full_name", NULL));
}

static int no_identity(struct error *error) {
    if (!text_equal(getenv("GITHUB_ACTIONS"), "true")) {
        error_set(error, ERROR_CONFIGURATION,
                  "--workload-identity-provider needs an identity token, and this is not GitHub Actions");
        return error_next(error, "say where one is: --id-token env:GITLAB_OIDC_TOKEN or --id-token file:PATH");
    }
    if (is_fork()) {
        error_set(error, ERROR_PERMISSION, "this pull request comes from a fork, which GitHub gives no identity token");
        return error_next(error, "leave the step out for forks: if: github.event.pull_request.head.repo.full_name == "
                                 "github.repository");
    }
    error_set(error, ERROR_CONFIGURATION,
              "GitHub gives this job no identity token: ACTIONS_ID_TOKEN_REQUEST_URL is "
              "not set");
    return error_next(error, "add to the job: permissions: { id-token: write, contents: read }");
}

void *subject_github_new(const char *audience, struct error *error) {
    const char *url = getenv("ACTIONS_ID_TOKEN_REQUEST_URL");
    if (text_is_empty(url) || text_is_empty(getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))) {
        no_identity(error);
        return NULL;
    }
    if (!text_starts_with(url, "https://") && !url_is_loopback(url)) {
        error_set(error, ERROR_CONFIGURATION,
                  "ACTIONS_ID_TOKEN_REQUEST_URL is %.200s: a secret is not sent there "
                  "without TLS",
                  url);
        return NULL;
    }
    struct github_source *source = memory_allocate(1, sizeof(*source));
    source->audience = text_copy(audience);
    return source;
}

static int refused(struct http_response *response, struct error *error) {
    http_response_hide(response, getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    AUTO_FREE char *body =
        text_copy_length(buffer_text(&response->body), response->body.length < 300 ? response->body.length : 300);
    bool temporary = response->status >= 500 || response->status == 429;
    error_set(error, temporary ? ERROR_TEMPORARY : ERROR_PERMISSION, "GitHub refuses an identity token (%ld): %s",
              response->status, body);
    if (temporary)
        return error_next(error, "run the same command again");
    return error_next(error, "identity tokens are given while the job runs, and to jobs with permissions: id-token: "
                             "write");
}

static char *request_url(const struct github_source *source) {
    const char *base = getenv("ACTIONS_ID_TOKEN_REQUEST_URL");
    AUTO_FREE char *audience = url_encode(source->audience);
    return text_format("%s%caudience=%s", base, strchr(base, '?') ? '&' : '?', audience);
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    const struct github_source *source = self;
    const char *what = "the identity token of GitHub";
    AUTO_FREE char *url = request_url(source);
    AUTO_RESPONSE struct http_response response = {0};
    AUTO_JSON struct json *reply = NULL;
    struct http_request asked = {.url = url,
                                 .authorization = HTTP_BEARER,
                                 .secret = getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
                                 .secret_response = true,
                                 .response_limit = DOCUMENT_LIMIT};
    if (http_perform(request->http, &asked, &response, error) < 0)
        return error_wrap(error, "%s", what);
    if (response.status != 200)
        return refused(&response, error);
    const char *value;
    if (token_reply(&response, what, &reply, error) < 0)
        return -1;
    if (json_need_text(reply, "value", what, &value, error) < 0) {
        if (error)
            error->kind = ERROR_PROTOCOL;
        return -1;
    }
    buffer_append_text(token, value);
    return buffer_check(token, what, error);
}

static char *describe(const void *self) {
    return text_format("GitHub Actions, for the audience %s", ((const struct github_source *)self)->audience);
}

/* Google's clients can ask GitHub as well, as a URL source. */
static struct json *document_of(const void *self) {
    AUTO_FREE char *url = request_url(self);
    AUTO_FREE char *authorization = text_format("Bearer %s", getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    struct json *source = json_new_object(), *headers = json_new_object(), *format = json_new_object();
    json_set_text(source, "url", url);
    json_set_text(headers, "Authorization", authorization);
    json_set(source, "headers", headers);
    json_set_text(format, "type", "json");
    json_set_text(format, "subject_token_field_name", "value");
    json_set(source, "format", format);
    memory_wipe(authorization, strlen(authorization));
    return source;
}

const struct subject_source subject_github = {
    .read = read_token, .describe = describe, .document = document_of, .release = release};
