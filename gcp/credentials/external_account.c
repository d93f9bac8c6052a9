/* Somebody else's token for Google's: workload and workforce identity federation (AIP-4117, RFC 8693). */
#include "gcp/credentials/external_account.h"

#include "gcp/credentials/options.h"

#include <string.h>

#define TOKEN_TYPE "urn:ietf:params:oauth:token-type:"

static void release(void *self) {
    struct external_account *account = self;
    if (account->source)
        account->source->release(account->subject);
    provider_release(&account->provider);
    free(account->audience);
    free(account->token_type);
    free(account->url);
    free(account->client_id);
    if (account->client_secret)
        memory_wipe(account->client_secret, strlen(account->client_secret));
    free(account->client_secret);
    free(account->user_project);
    free(account->account);
    free(account->principal);
    json_release(&account->claims);
    free(account);
}

/* The member of credential_source that says what kind of source it is; a file wins over a URL. */
static const struct subject_source *source_of(const struct json *source) {
    if (json_get(source, "environment_id"))
        return &subject_aws;
    if (json_get(source, "executable"))
        return &subject_executable;
    if (json_get(source, "certificate"))
        return &subject_certificate;
    if (json_get(source, "file"))
        return &subject_file;
    return json_get(source, "url") ? &subject_url : NULL;
}

static int read_source(struct external_account *account, const struct json *document, const char *path,
                       struct error *error) {
    const struct json *source = json_get(document, "credential_source");
    const struct subject_source *type = source_of(source);
    if (!type) {
        error_set(error, ERROR_DATA,
                  "%s: its credential_source has none of file, url, executable, certificate and "
                  "environment_id aws1",
                  path);
        return error_next(error, "make the file anew: gcloud iam workload-identity-pools create-cred-config");
    }
    account->subject = type->open(source, path, error);
    account->source = account->subject ? type : NULL;
    return account->subject ? 0 : -1;
}

static int read_optional(struct external_account *account, const struct json *document, const char *path,
                         struct error *error) {
    const char *user_project = json_get_text(document, "workforce_pool_user_project", NULL);
    account->client_id = text_copy(json_get_text(document, "client_id", NULL));
    account->client_secret = text_copy(json_get_text(document, "client_secret", NULL));
    account->user_project = text_copy(user_project);
    if ((account->client_id != NULL) != (account->client_secret != NULL))
        return error_set(error, ERROR_DATA, "%s: it has one of client_id and client_secret; both go together", path);
    if (user_project && account->provider.project)
        return error_set(error, ERROR_DATA, "%s: workforce_pool_user_project is for workforce pools", path);
    return 0;
}

static int read_document(struct external_account *account, const struct json *document, const char *path,
                         struct error *error) {
    const char *audience, *token_type, *url,
        *impersonation = json_get_text(document, "service_account_impersonation_url", NULL);
    if (json_need_text(document, "audience", path, &audience, error) < 0 ||
        json_need_text(document, "subject_token_type", path, &token_type, error) < 0 ||
        json_need_text(document, "token_url", path, &url, error) < 0)
        return -1;
    AUTO_FREE char *where = text_format("%s: audience", path);
    account->audience = text_copy(audience);
    account->token_type = text_copy(token_type);
    account->url = google_url(ENDPOINT_STS, url, "token_url", path, error);
    account->account = impersonation ? impersonation_account(impersonation, path, error) : NULL;
    if (!account->url || (impersonation && !account->account) ||
        provider_parse(audience, where, &account->provider, error) < 0)
        return -1;
    return read_optional(account, document, path, error) < 0 ? -1 : read_source(account, document, path, error);
}

static void *open_account(const struct json *document, const char *path, struct error *error) {
    struct external_account *account = memory_allocate(1, sizeof(*account));
    if (read_document(account, document, path, error) == 0)
        return account;
    release(account);
    return NULL;
}

static bool is_jwt(const char *token_type) {
    return text_equal(token_type, TOKEN_TYPE "jwt") || text_equal(token_type, TOKEN_TYPE "id_token");
}

/* The identity token, and what it says: a wrong one is better refused here than by Google, which says less. */
static int identify(struct external_account *account, const struct mint *mint, struct buffer *token,
                    struct error *error) {
    struct subject_request request = {.http = mint->http,
                                      .audience = account->audience,
                                      .token_type = account->token_type,
                                      .account = account->account};
    AUTO_FREE char *place = account->source->describe(account->subject);
    hop_begin(mint->hops, HOP_IDENTITY, "%s", place);
    if (account->source->read(account->subject, &request, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_IDENTITY));
    if (is_jwt(account->token_type)) {
        json_release(&account->claims);
        int result = identity_check(buffer_text(token), NULL, &account->claims, error);
        if (mint->hops && account->claims) {
            json_release(&mint->hops->claims);
            mint->hops->claims = json_share(account->claims);
        }
        if (result < 0)
            return error_wrap(error, "%s: %s", hop_name(HOP_IDENTITY), place);
    }
    hop_end(mint->hops);
    return 0;
}

static void fill_form(const struct external_account *account, const struct mint *mint, const struct buffer *subject,
                      struct buffer *form) {
    form_add(form, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    form_add(form, "audience", account->audience);
    form_add(form, "scope", mint->scope);
    form_add(form, "requested_token_type", TOKEN_TYPE "access_token");
    form_add(form, "subject_token", buffer_text(subject));
    form_add(form, "subject_token_type", account->token_type);
    if (!account->user_project || account->client_id)
        return;
    AUTO_JSON struct json *options = json_new_object();
    json_set_text(options, "userProject", account->user_project);
    AUTO_FREE char *text = json_format(options, JSON_COMPACT_STYLE);
    form_add(form, "options", text);
}

static int exchange(struct external_account *account, const struct mint *mint, const struct buffer *subject,
                    struct token *token, struct error *error) {
    const char *what = "the identity token cannot be exchanged";
    AUTO_BUFFER struct buffer form = BUFFER_SECRET(FORM_LIMIT), login = BUFFER_SECRET(FORM_LIMIT);
    AUTO_JSON struct json *reply = NULL;
    fill_form(account, mint, subject, &form);
    const char *const secrets[] = {buffer_text(subject), account->client_secret, NULL};
    struct token_request request = {.what = what, .url = account->url, .form = &form, .secrets = secrets};
    if (account->client_id) {
        buffer_append_format(&login, "%s:%s", account->client_id, account->client_secret);
        request.authorization = HTTP_BASIC;
        request.secret = buffer_text(&login);
    }
    if (account->source->certificate)
        account->source->certificate(account->subject, &request.certificate, &request.key);
    if (token_post(mint->http, &request, &reply, error) < 0)
        return pool_refusal(account, reply, error);
    /* A token of a user may come without its life (RFC 8693 recommends it only). */
    token->seconds = json_get_integer(reply, "expires_in", TOKEN_SECONDS);
    return token_take(reply, "access_token", what, token, error);
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    struct external_account *account = self;
    if (mint->audience) {
        error_set(error, ERROR_CONFIGURATION, "a federated identity has no ID token of Google's");
        return error_next(error, "give --impersonate-service-account EMAIL: service accounts have such tokens");
    }
    AUTO_BUFFER struct buffer subject = BUFFER_SECRET(TOKEN_LIMIT);
    if (identify(account, mint, &subject, error) < 0)
        return -1;
    hop_begin(mint->hops, HOP_POOL, "%s", account->audience);
    if (exchange(account, mint, &subject, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_POOL));
    hop_end(mint->hops);
    const char *name = json_get_text(account->claims, "sub", NULL);
    if (name && !account->principal)
        account->principal = provider_principal(&account->provider, name);
    return 0;
}

static const char *principal(const void *self) {
    return ((const struct external_account *)self)->principal;
}

static char *member(const void *self) {
    const struct external_account *account = self;
    return provider_member(&account->provider, account->claims);
}

static const char *project_number(const void *self) {
    return ((const struct external_account *)self)->provider.project;
}

/* NAME@PROJECT.iam.gserviceaccount.com */
static char *project(void *self, struct http *http) {
    const struct external_account *account = self;
    (void)http;
    const char *at = account->account ? strchr(account->account, '@') : NULL;
    const char *end = at ? strstr(at, ".iam.gserviceaccount.com") : NULL;
    return end ? text_copy_length(at + 1, (size_t)(end - at - 1)) : NULL;
}

const struct credential_type external_account_type = {
    .name = "external_account",
    .open = open_account,
    .mint = mint_token,
    .principal = principal,
    .member = member,
    .project = project,
    .project_number = project_number,
    .release = release,
};

static struct json *federation_document(const struct external_account *account) {
    struct json *source = account->source->document(account->subject);
    if (!source)
        return NULL;
    struct json *document = json_new_object();
    json_set_text(document, "type", external_account_type.name);
    json_set_text(document, "audience", account->audience);
    json_set_text(document, "subject_token_type", account->token_type);
    json_set_text(document, "token_url", account->url);
    json_set(document, "credential_source", source);
    return document;
}

struct credentials *federation_new(const struct credential_options *options, struct error *error) {
    AUTO_PROVIDER struct provider provider = {0};
    if (!options->provider) {
        error_set(error, ERROR_USAGE, "--id-token is for a provider, and none is named");
        error_next(error, "add --workload-identity-provider PROVIDER");
        return NULL;
    }
    if (provider_parse(options->provider, "--workload-identity-provider", &provider, error) < 0)
        return NULL;
    AUTO_FREE char *audience = provider_audience(&provider), *asked = text_format("https:%s", audience);
    void *subject = options->id_token ? subject_option_new(options->id_token, error)
                                      : subject_github_new(options->audience ? options->audience : asked, error);
    if (!subject) {
        error_wrap(error, "%s", hop_name(HOP_IDENTITY));
        return NULL;
    }
    struct external_account *account = memory_allocate(1, sizeof(*account));
    account->source = options->id_token ? &subject_option : &subject_github;
    account->subject = subject;
    account->provider = provider;
    provider = (struct provider){0};
    account->audience = take_pointer(&audience);
    account->token_type = text_copy(TOKEN_TYPE "jwt");
    account->url = text_format("%s/v1/token", endpoint_url(ENDPOINT_STS));
    account->account = text_copy(options->account);
    struct credentials *credentials = credentials_new(&external_account_type, account);
    if (options->keep_document)
        credentials_set_document(credentials, federation_document(account));
    credentials_set_origin(credentials, options->id_token ? "--id-token" : "GitHub Actions");
    return credentials;
}
