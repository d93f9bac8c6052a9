#include "gcp/credentials/type.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* A token is replaced this long before its end, or after three quarters of a short life. */
enum { REFRESH_MARGIN = 225 };

struct credentials {
    const struct credential_type *type;
    void *self;
    char *scope;
    char *quota_project;
    char *origin;
    struct json *document; /* as a file, or NULL */
    struct token token;
    int64_t end; /* of the token, on CLOCK_BOOTTIME, which goes on while a laptop sleeps */
    struct hop_list hops;
};

static int64_t now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* A core file would hold what must not reach a disk. */
static void refuse_core_files(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

struct credentials *credentials_new(const struct credential_type *type, void *self) {
    refuse_core_files();
    struct credentials *credentials = memory_allocate(1, sizeof(*credentials));
    credentials->type = type;
    credentials->self = self;
    credentials->token.text = BUFFER_SECRET(TOKEN_LIMIT);
    return credentials;
}

void token_release(struct token *token) {
    if (token->text.data)
        memory_wipe(token->text.data, token->text.capacity);
    buffer_release(&token->text);
    token->text = BUFFER_SECRET(TOKEN_LIMIT);
    token->seconds = 0;
}

void credentials_release(struct credentials **credentials) {
    if (*credentials) {
        token_release(&(*credentials)->token);
        hop_list_clear(&(*credentials)->hops);
        (*credentials)->type->release((*credentials)->self);
        free((*credentials)->scope);
        free((*credentials)->quota_project);
        free((*credentials)->origin);
        json_release(&(*credentials)->document);
        free(*credentials);
    }
    *credentials = NULL;
}

const char *credentials_type(const struct credentials *credentials) {
    return credentials->type->name;
}

const char *credentials_principal(const struct credentials *credentials) {
    return credentials->type->principal(credentials->self);
}

char *credentials_member(const struct credentials *credentials) {
    char *member = credentials->type->member ? credentials->type->member(credentials->self) : NULL;
    const char *principal = member ? NULL : credentials_principal(credentials);
    if (!principal)
        return member;
    const char *kind = text_starts_with(principal, "principal")            ? ""
                       : text_ends_with(principal, ".gserviceaccount.com") ? "serviceAccount:"
                                                                           : "user:";
    return text_format("%s%s", kind, principal);
}

bool credentials_are_metadata(const struct credentials *credentials) {
    return credentials->type == &metadata_type;
}

char *credentials_own_project(struct credentials *credentials, struct http *http) {
    return credentials->type->project(credentials->self, http);
}

const char *credentials_project_number(const struct credentials *credentials) {
    return credentials->type->project_number ? credentials->type->project_number(credentials->self) : NULL;
}

const char *credentials_quota_project(const struct credentials *credentials) {
    return credentials->quota_project;
}

void credentials_set_quota_project(struct credentials *credentials, const char *project) {
    free(credentials->quota_project);
    credentials->quota_project = text_copy(project);
}

const char *credentials_origin(const struct credentials *credentials) {
    return credentials->origin;
}

void credentials_set_origin(struct credentials *credentials, const char *origin) {
    free(credentials->origin);
    credentials->origin = text_copy(origin);
}

void credentials_set_document(struct credentials *credentials, struct json *document) {
    json_release(&credentials->document);
    credentials->document = document;
}

struct json *credentials_document(const struct credentials *credentials, struct error *error) {
    if (credentials->document)
        return json_copy_deep(credentials->document);
    error_set(error, ERROR_CONFIGURATION, "the credentials of %s cannot be written as a file",
              credentials->origin ? credentials->origin : credentials->type->name);
    if (credentials_are_metadata(credentials))
        error_next(error, "nothing is needed: Google's clients ask the metadata server themselves");
    else
        error_next(error, "put the token into a file and give --id-token file:PATH: clients read it there");
    return NULL;
}

void credentials_set_scope(struct credentials *credentials, const char *scope) {
    free(credentials->scope);
    credentials->scope = text_copy(scope);
    token_release(&credentials->token);
}

const struct hop_list *credentials_hops(const struct credentials *credentials) {
    return &credentials->hops;
}

int credentials_mint(struct credentials *credentials, const struct mint *mint, struct token *token,
                     struct error *error) {
    token_release(token);
    if (credentials->type->mint(credentials->self, mint, token, error) == 0)
        return 0;
    token_release(token);
    return -1;
}

const char *credentials_token(struct credentials *credentials, struct http *http, bool again, struct error *error) {
    if (!again && credentials->token.text.length && now_seconds() < credentials->end)
        return buffer_text(&credentials->token.text);
    hop_list_clear(&credentials->hops);
    struct mint mint = {.http = http,
                        .hops = &credentials->hops,
                        .scope = credentials->scope ? credentials->scope : SCOPE_CLOUD_PLATFORM};
    int64_t begin = now_seconds();
    if (credentials_mint(credentials, &mint, &credentials->token, error) < 0)
        return NULL;
    int64_t seconds = credentials->token.seconds;
    int64_t margin = seconds / 4 < REFRESH_MARGIN ? seconds / 4 : REFRESH_MARGIN;
    credentials->end = begin + seconds - margin;
    return buffer_text(&credentials->token.text);
}

int64_t credentials_token_seconds(const struct credentials *credentials) {
    return credentials->token.seconds;
}

char *credentials_id_token(struct credentials *credentials, struct http *http, const char *audience, bool include_email,
                           struct error *error) {
    hop_list_clear(&credentials->hops);
    struct mint mint = {.http = http, .hops = &credentials->hops, .audience = audience, .include_email = include_email};
    AUTO_TOKEN struct token token = {.text = BUFFER_SECRET(TOKEN_LIMIT)};
    if (credentials_mint(credentials, &mint, &token, error) < 0)
        return NULL;
    return text_copy(buffer_text(&token.text));
}
