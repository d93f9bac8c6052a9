/* Inside gcp/credentials: what each type of credentials implements, and what they have in common. */
#ifndef GCP_CREDENTIALS_TYPE_H
#define GCP_CREDENTIALS_TYPE_H

#include "gcp/credentials/credentials.h"
#include "gcp/endpoints.h"

enum { TOKEN_LIMIT = 16384, DOCUMENT_LIMIT = 65536, TOKEN_SECONDS = 3600 };

#define SCOPE_IAM "https://www.googleapis.com/auth/iam"

/* One token that is asked for. */
struct mint {
    struct http *http;
    struct hop_list *hops;
    const char *scope;    /* of an access token, separated by spaces */
    const char *audience; /* for an ID token instead; NULL: an access token */
    bool include_email;   /* in the ID token */
};

struct token {
    struct buffer text; /* BUFFER_SECRET(TOKEN_LIMIT) before it is made */
    int64_t seconds;    /* how long it lives */
};
/* Wipes. */
void token_release(struct token *token);
#define AUTO_TOKEN AUTO(token_release)

struct credential_type {
    const char *name; /* "type" in the file */
    /* From a document (NULL for metadata) that stands at `path`; the result is released with release. */
    void *(*open)(const struct json *document, const char *path, struct error *error);
    int (*mint)(void *self, const struct mint *mint, struct token *token, struct error *error);
    const char *(*principal)(const void *self); /* borrowed or NULL */
    /* Who has to be granted something, as gcloud's --member takes it; the caller frees. NULL: the principal. */
    char *(*member)(const void *self);
    /* The project that the credentials belong to; the caller frees; NULL when they do not know. */
    char *(*project)(void *self, struct http *http);
    /* The number of the project that vouches for them, borrowed; NULL, also the function itself: none. */
    const char *(*project_number)(const void *self);
    void (*release)(void *self);
};

extern const struct credential_type service_account_type;
extern const struct credential_type authorized_user_type;
extern const struct credential_type external_account_type;
extern const struct credential_type external_account_authorized_user_type;
extern const struct credential_type impersonated_type;
extern const struct credential_type metadata_type;

struct credentials *credentials_new(const struct credential_type *type, void *self);
struct credentials *credentials_of_document(const struct json *document, const char *path,
                                            struct error *error) MUST_CHECK;
/* Not kept, not looked for among the kept ones. */
int credentials_mint(struct credentials *credentials, const struct mint *mint, struct token *token,
                     struct error *error) MUST_CHECK;
bool credentials_are_metadata(const struct credentials *credentials);
const char *credentials_project_number(const struct credentials *credentials);
char *credentials_own_project(struct credentials *credentials, struct http *http);

/* What credentials_document gives; taken over. */
void credentials_set_document(struct credentials *credentials, struct json *document);
void credentials_set_quota_project(struct credentials *credentials, const char *project);
void credentials_set_origin(struct credentials *credentials, const char *origin);
/* Whether it has the form of a project id. ERROR_CONFIGURATION. */
int project_check(const char *project, struct error *error) MUST_CHECK;

/* Whether a metadata server answers. */
bool metadata_is_there(struct http *http);

/* Tokens of `account` (an e-mail, or a unique id) made with `source`, which is owned from then on. `url` is the file's
 * …:generateAccessToken, or NULL for Google's; `delegates` may be NULL; `seconds` 0: an hour. */
struct impersonation {
    struct credentials *source;
    const char *account;
    const char *url;
    const struct text_list *delegates;
    int64_t seconds;
};
struct credentials *impersonation_new(const struct impersonation *impersonation);
/* The source's document with the account in it, or NULL when it has none. */
struct json *impersonation_document(const struct impersonation *impersonation);
/* What an external_account's file says of impersonation, around its credentials, which are owned from then on. */
struct credentials *external_account_impersonate(struct credentials *source, const struct json *document,
                                                 const char *path, struct error *error) MUST_CHECK;
/* The e-mail in a …/serviceAccounts/EMAIL:generateAccessToken of Google's, checked; the caller frees. */
char *impersonation_account(const char *url, const char *path, struct error *error);
int account_check(const char *account, const char *what, struct error *error) MUST_CHECK;

/* Federation that options ask for, without a file. */
struct credentials *federation_new(const struct credential_options *options, struct error *error) MUST_CHECK;

/* ---- token endpoints ---- */

/* name=value of a form, percent-encoded, behind an '&' when it is not the first. A NULL or empty value adds nothing. */
void form_add(struct buffer *form, const char *name, const char *value);
enum { FORM_LIMIT = 131072 };

struct token_request {
    const char *what; /* for errors: "cannot get a token for x" */
    const char *url;
    const struct buffer *form; /* or */
    const struct json *json;
    enum http_authorization authorization;
    const char *secret;
    const char *const *secrets; /* what must not come back in an error beside `secret`; ends with NULL; may be NULL */
    const char *certificate, *key;   /* PEM files for mutual TLS, or NULL */
    const char *principal, *project; /* for the line that mends a refusal; may be NULL */
};
/* 0 and *reply (secret) for a 200 with JSON; -1 otherwise, with *reply when a refusal was JSON, too. A server that
 * fails is ERROR_TEMPORARY, a page of HTML ERROR_CONFIGURATION. */
int token_post(struct http *http, const struct token_request *request, struct json **reply,
               struct error *error) MUST_CHECK;
/* Reads a 200 that is no answer to a token_post; wipes the response's body. */
int token_reply(struct http_response *response, const char *what, struct json **reply, struct error *error) MUST_CHECK;
/* Appends the text of a member, whose `seconds` the caller has set; refuses what no token looks like, and a life that
 * is none. */
int token_take(const struct json *reply, const char *key, const char *what, struct token *token,
               struct error *error) MUST_CHECK;
/* "access_token" and "expires_in". */
int token_take_access(const struct json *reply, const char *what, struct token *token, struct error *error) MUST_CHECK;
/* An ID token's life is its "exp". */
int token_take_id(const struct json *reply, const char *key, const char *what, struct token *token,
                  struct error *error) MUST_CHECK;

/* ---- URLs in files ---- */

/* The URL to ask in place of `url` of a file, which must be Google's (of the universe: SERVICE.U, REGION-SERVICE.U,
 * SERVICE.REGION.U, …) or lie below the configured endpoint. The caller frees. ERROR_CONFIGURATION else. */
char *google_url(enum endpoint endpoint, const char *url, const char *key, const char *path, struct error *error);

/* A text of a file that goes into a request: no control characters. ERROR_DATA. */
int member_check(const char *text, const char *key, const char *path, struct error *error) MUST_CHECK;

#endif
