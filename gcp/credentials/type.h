/* Inside gcp/credentials: what each type of credentials implements. */
#ifndef GCP_CREDENTIALS_TYPE_H
#define GCP_CREDENTIALS_TYPE_H

#include "gcp/credentials/credentials.h"

#include "common/json/json.h"

struct credential_type {
    const char *name; /* "type" in the file */
    /* From a document (NULL for metadata) that stands at `path`; the result is released with release. */
    void *(*open)(const struct json *document, const char *path, struct error *error);
    /* Appends a token and gives its life in seconds. */
    int (*mint)(void *self, struct http *http, struct buffer *token, int64_t *seconds, struct error *error);
    const char *(*principal)(const void *self); /* borrowed or NULL */
    /* The project that the credentials belong to; the caller frees; NULL when they do not know. */
    char *(*project)(void *self, struct http *http);
    void (*release)(void *self);
};

extern const struct credential_type service_account_type;
extern const struct credential_type metadata_type;

/* Whether a metadata server answers. */
bool metadata_is_there(struct http *http);

/* Reads {"access_token","expires_in"} of a token endpoint's 200. */
int token_read(const struct http_response *response, const char *what, struct buffer *token, int64_t *seconds,
               struct error *error) MUST_CHECK;

enum { TOKEN_LIMIT = 16384 };

#endif
