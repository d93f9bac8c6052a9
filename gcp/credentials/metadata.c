/* The metadata server of Compute Engine, Cloud Run and Cloud Build (AIP-4115). */
#include "gcp/credentials/type.h"

#include "gcp/google_error.h"

#include <string.h>

enum { PING_SECONDS = 3, VALUE_LIMIT = 4096 };

struct metadata {
    char *email;
};

static int metadata_get(struct http *http, const char *path, bool ping, struct http_response *response,
                        struct error *error) {
    AUTO_FREE char *url = text_format("%s/computeMetadata/v1/%s", endpoint_url(ENDPOINT_METADATA), path);
    AUTO_LIST struct text_list headers = {0};
    text_list_add(&headers, "Metadata-Flavor: Google");
    struct http_request request = {.url = url,
                                   .headers = &headers,
                                   .no_retry = ping,
                                   .timeout = ping ? PING_SECONDS : 0,
                                   .secret_response = true,
                                   .response_limit = TOKEN_LIMIT};
    return http_perform(http, &request, response, error);
}

bool metadata_is_there(struct http *http) {
    if (text_equal(getenv("NO_GCE_CHECK"), "true"))
        return false;
    AUTO_RESPONSE struct http_response response = {0};
    return metadata_get(http, "instance/service-accounts/default/email", true, &response, NULL) == 0 &&
           response.status == 200 && text_equal(http_header(&response, "metadata-flavor"), "Google");
}

/* A short text value, or NULL. The caller frees. */
static char *value(struct http *http, const char *path) {
    AUTO_RESPONSE struct http_response response = {0};
    if (metadata_get(http, path, false, &response, NULL) < 0 || response.status != 200 ||
        response.body.length > VALUE_LIMIT)
        return NULL;
    const char *text = buffer_text(&response.body);
    size_t length = strcspn(text, "\r\n");
    return length ? text_copy_length(text, length) : NULL;
}

static void *open_metadata(const struct json *document, const char *path, struct error *error) {
    (void)document;
    (void)path;
    (void)error;
    return memory_allocate(1, sizeof(struct metadata));
}

static void read_email(struct metadata *metadata, struct http *http) {
    if (!metadata->email)
        metadata->email = value(http, "instance/service-accounts/default/email");
}

static int access_token(const struct mint *mint, struct token *token, struct error *error) {
    const char *what = "cannot get a token from the metadata server";
    AUTO_RESPONSE struct http_response response = {0};
    AUTO_JSON struct json *reply = NULL;
    /* pl's own scope is what the metadata server gives when it is not asked for one. */
    AUTO_FREE char *scopes = text_equal(mint->scope, SCOPE_CLOUD_PLATFORM) ? NULL : url_encode(mint->scope);
    AUTO_FREE char *path =
        text_format("instance/service-accounts/default/token%s%s", scopes ? "?scopes=" : "", scopes ? scopes : "");
    for (char *at = scopes ? strstr(path, "%20") : NULL; at; at = strstr(at, "%20"))
        memcpy(at, "%2C", 3);
    if (metadata_get(mint->http, path, false, &response, error) < 0)
        return error_wrap(error, "%s", what);
    if (response.status != 200)
        return google_error_set(error, what, &response, NULL);
    return token_reply(&response, what, &reply, error) < 0 ? -1 : token_take_access(reply, what, token, error);
}

static int id_token(const struct mint *mint, struct token *token, struct error *error) {
    const char *what = "cannot get an ID token from the metadata server";
    AUTO_RESPONSE struct http_response response = {0};
    AUTO_FREE char *audience = url_encode(mint->audience);
    AUTO_FREE char *path = text_format("instance/service-accounts/default/identity?audience=%s&format=%s", audience,
                                       mint->include_email ? "full" : "standard");
    if (metadata_get(mint->http, path, false, &response, error) < 0)
        return error_wrap(error, "%s", what);
    if (response.status != 200)
        return google_error_set(error, what, &response, NULL);
    AUTO_JSON struct json *reply = json_new_object();
    json_set_text(reply, "token", buffer_text(&response.body));
    return token_take_id(reply, "token", what, token, error);
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    hop_begin(mint->hops, HOP_TOKEN, "the metadata server at %s", endpoint_url(ENDPOINT_METADATA));
    if ((mint->audience ? id_token : access_token)(mint, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_TOKEN));
    read_email(self, mint->http);
    hop_end(mint->hops);
    return 0;
}

static const char *principal(const void *self) {
    return ((const struct metadata *)self)->email;
}

static char *project(void *self, struct http *http) {
    (void)self;
    return value(http, "project/project-id");
}

static void release(void *self) {
    struct metadata *metadata = self;
    free(metadata->email);
    free(metadata);
}

const struct credential_type metadata_type = {
    .name = "metadata",
    .open = open_metadata,
    .mint = mint_token,
    .principal = principal,
    .project = project,
    .release = release,
};
