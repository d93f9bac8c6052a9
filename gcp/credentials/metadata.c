/* The metadata server of Compute Engine, Cloud Run and Cloud Build (AIP-4115). */
#include "gcp/credentials/type.h"

#include "gcp/endpoints.h"
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

static int mint(void *self, struct http *http, struct buffer *token, int64_t *seconds, struct error *error) {
    struct metadata *metadata = self;
    AUTO_RESPONSE struct http_response response = {0};
    const char *what = "cannot get a token from the metadata server";
    if (metadata_get(http, "instance/service-accounts/default/token", false, &response, error) < 0)
        return error_wrap(error, "%s", what);
    if (response.status != 200)
        return google_error_set(error, what, &response, NULL);
    int result = token_read(&response, what, token, seconds, error);
    memory_wipe(response.body.data, response.body.length);
    if (result == 0 && !metadata->email)
        metadata->email = value(http, "instance/service-accounts/default/email");
    return result;
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
    .mint = mint,
    .principal = principal,
    .project = project,
    .release = release,
};
