/* Where the identity token of a federated sign-in comes from (AIP-4117: the subject token): one file per source. */
#ifndef GCP_CREDENTIALS_SUBJECT_H
#define GCP_CREDENTIALS_SUBJECT_H

#include "gcp/credentials/type.h"

/* What the exchange will be for. */
struct subject_request {
    struct http *http;
    const char *audience;   /* //iam.googleapis.com/… */
    const char *token_type; /* urn:ietf:params:oauth:token-type:jwt, … */
    const char *account;    /* that will be impersonated, or NULL */
};

struct subject_source {
    /* From the credential_source of the file at `path`. */
    void *(*open)(const struct json *source, const char *path, struct error *error);
    /* Appends the token. */
    int (*read)(void *self, const struct subject_request *request, struct buffer *token, struct error *error);
    /* Where it comes from, for people; the caller frees. */
    char *(*describe)(const void *self);
    /* Of mutual TLS: PEM files, borrowed. NULL: none. */
    void (*certificate)(const void *self, const char **certificate, const char **key);
    /* What credential_source says in a credentials file; NULL: there is none. */
    struct json *(*document)(const void *self);
    void (*release)(void *self);
};

extern const struct subject_source subject_file;
extern const struct subject_source subject_url;
extern const struct subject_source subject_executable;
extern const struct subject_source subject_aws;
extern const struct subject_source subject_certificate;
extern const struct subject_source subject_github;
extern const struct subject_source subject_option;

/* Of GitHub Actions: `audience` is what it is asked for. */
void *subject_github_new(const char *audience, struct error *error) MUST_CHECK;
/* Of --id-token. */
void *subject_option_new(const char *source, struct error *error) MUST_CHECK;

/* {"type":"json","subject_token_field_name":"value"}, or "text", of a file or a URL. */
struct subject_format {
    char *field; /* NULL: the whole text, without a newline at its end */
};
int subject_format_open(const struct json *source, const char *path, struct subject_format *format,
                        struct error *error) MUST_CHECK;
int subject_format_read(const struct subject_format *format, const struct buffer *text, const char *where,
                        struct buffer *token, struct error *error) MUST_CHECK;
void subject_format_release(struct subject_format *format);

#endif
