/* A service account's token, made with other credentials (IAM Credentials API). */
#include "gcp/credentials/type.h"

#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum { LIFETIME_MINIMUM = 600, LIFETIME_MAXIMUM = 43200, ACCOUNT_LIMIT = 255 };

#define GENERATE_ACCESS_TOKEN ":generateAccessToken"
#define GENERATE_ID_TOKEN ":generateIdToken"

struct impersonated {
    struct credentials *source;
    char *account;
    char *url; /* …/serviceAccounts/ACCOUNT, without a verb */
    struct text_list delegates;
    char *scope; /* of the file, instead of what is asked for; or NULL */
    int64_t seconds;
};

static void release(void *self) {
    struct impersonated *impersonated = self;
    credentials_release(&impersonated->source);
    free(impersonated->account);
    free(impersonated->url);
    free(impersonated->scope);
    text_list_release(&impersonated->delegates);
    free(impersonated);
}

int account_check(const char *account, const char *what, struct error *error) {
    size_t length = strlen(account);
    if (length > 0 && length <= ACCOUNT_LIMIT && *account != '-' &&
        strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789.@_:-") == length)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "%s: \"%.120s\" is no service account", what, account);
    return error_next(error, "it looks like NAME@PROJECT.iam.gserviceaccount.com; gcloud iam service-accounts list");
}

char *impersonation_account(const char *url, const char *path, struct error *error) {
    AUTO_FREE char *checked =
        google_url(ENDPOINT_IAM_CREDENTIALS, url, "service_account_impersonation_url", path, error);
    const char *begin = checked ? strstr(checked, "/serviceAccounts/") : NULL;
    const char *verb = begin ? strrchr(begin, ':') : NULL;
    if (!checked)
        return NULL;
    if (!verb || (!text_equal(verb, GENERATE_ACCESS_TOKEN) && !text_equal(verb, GENERATE_ID_TOKEN))) {
        error_set(error, ERROR_DATA,
                  "%s: its service_account_impersonation_url is %.300s, which does not end with "
                  "/serviceAccounts/EMAIL" GENERATE_ACCESS_TOKEN,
                  path, url);
        return NULL;
    }
    begin += strlen("/serviceAccounts/");
    char *account = text_copy_length(begin, (size_t)(verb - begin));
    if (account_check(account, path, error) == 0)
        return account;
    free(account);
    return NULL;
}

static struct impersonated *impersonated_new(const struct impersonation *given) {
    struct impersonated *impersonated = memory_allocate(1, sizeof(*impersonated));
    impersonated->source = given->source;
    impersonated->account = text_copy(given->account);
    impersonated->url = given->url ? text_copy_length(given->url, (size_t)(strrchr(given->url, ':') - given->url))
                                   : text_format("%s/v1/projects/-/serviceAccounts/%s",
                                                 endpoint_url(ENDPOINT_IAM_CREDENTIALS), given->account);
    impersonated->seconds = given->seconds ? given->seconds : TOKEN_SECONDS;
    if (given->delegates)
        text_list_add_all(&impersonated->delegates, given->delegates);
    return impersonated;
}

struct credentials *impersonation_new(const struct impersonation *given) {
    return credentials_new(&impersonated_type, impersonated_new(given));
}

/* ---- from files ---- */

static int read_lifetime(const struct json *document, const char *path, int64_t *seconds, struct error *error) {
    const struct json *given = json_get_path(document, "service_account_impersonation.token_lifetime_seconds");
    *seconds = given ? json_number(given) : TOKEN_SECONDS;
    if (*seconds >= LIFETIME_MINIMUM && *seconds <= LIFETIME_MAXIMUM)
        return 0;
    return error_set(error, ERROR_DATA, "%s: its token_lifetime_seconds is not from %d to %d", path, LIFETIME_MINIMUM,
                     LIFETIME_MAXIMUM);
}

struct credentials *external_account_impersonate(struct credentials *source, const struct json *document,
                                                 const char *path, struct error *error) {
    const char *given = json_get_text(document, "service_account_impersonation_url", NULL);
    if (!given)
        return source;
    int64_t seconds;
    AUTO_FREE char *account = impersonation_account(given, path, error);
    AUTO_FREE char *url =
        account ? google_url(ENDPOINT_IAM_CREDENTIALS, given, "service_account_impersonation_url", path, error) : NULL;
    if (!url || read_lifetime(document, path, &seconds, error) < 0) {
        credentials_release(&source);
        return NULL;
    }
    struct impersonation impersonation = {.source = source, .account = account, .url = url, .seconds = seconds};
    struct credentials *credentials = impersonation_new(&impersonation);
    credentials_set_quota_project(credentials, credentials_quota_project(source));
    return credentials;
}

static void read_lists(const struct json *document, struct impersonated *impersonated) {
    const struct json *delegates = json_get(document, "delegates"), *scopes = json_get(document, "scopes");
    AUTO_BUFFER struct buffer scope = BUFFER(4096);
    for (size_t i = 0; i < json_count(delegates); i++)
        if (json_is_text(json_at(delegates, i)))
            text_list_add(&impersonated->delegates, json_text(json_at(delegates, i)));
    for (size_t i = 0; i < json_count(scopes); i++)
        if (json_is_text(json_at(scopes, i)))
            buffer_append_format(&scope, "%s%s", i ? " " : "", json_text(json_at(scopes, i)));
    if (scope.length)
        impersonated->scope = text_copy(buffer_text(&scope));
}

static void *open_impersonated(const struct json *document, const char *path, struct error *error) {
    const char *given;
    const struct json *source = json_get(document, "source_credentials");
    if (json_need_text(document, "service_account_impersonation_url", path, &given, error) < 0)
        return NULL;
    if (text_equal(json_get_text(source, "type", NULL), "impersonated_service_account")) {
        error_set(error, ERROR_DATA,
                  "%s: source_credentials are themselves impersonated; name the accounts on the way "
                  "as delegates",
                  path);
        return NULL;
    }
    AUTO_FREE char *account = impersonation_account(given, path, error);
    AUTO_FREE char *url =
        account ? google_url(ENDPOINT_IAM_CREDENTIALS, given, "service_account_impersonation_url", path, error) : NULL;
    AUTO_FREE char *inner = text_format("%s: source_credentials", path);
    struct impersonation impersonation = {.account = account, .url = url};
    impersonation.source = url ? credentials_of_document(source, inner, error) : NULL;
    if (!impersonation.source)
        return NULL;
    struct impersonated *impersonated = impersonated_new(&impersonation);
    read_lists(document, impersonated);
    return impersonated;
}

static struct json *delegates_json(const struct text_list *delegates) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < delegates->count; i++) {
        AUTO_FREE char *name = text_starts_with(delegates->items[i], "projects/")
                                   ? text_copy(delegates->items[i])
                                   : text_format("projects/-/serviceAccounts/%s", delegates->items[i]);
        json_append_text(array, name);
    }
    return array;
}

struct json *impersonation_document(const struct impersonation *given) {
    struct json *source = credentials_document(given->source, NULL);
    if (!source)
        return NULL;
    AUTO_FREE char *url = text_format("%s/v1/projects/-/serviceAccounts/%s" GENERATE_ACCESS_TOKEN,
                                      endpoint_url(ENDPOINT_IAM_CREDENTIALS), given->account);
    bool federated = text_equal(json_get_text(source, "type", NULL), external_account_type.name);
    bool has_delegates = given->delegates && given->delegates->count;
    if (federated && !has_delegates && !json_get(source, "service_account_impersonation_url")) {
        json_set_text(source, "service_account_impersonation_url", url);
        return source;
    }
    struct json *document = json_new_object();
    json_set_text(document, "type", impersonated_type.name);
    json_set_text(document, "service_account_impersonation_url", url);
    if (has_delegates)
        json_set(document, "delegates", delegates_json(given->delegates));
    json_set(document, "source_credentials", source);
    return document;
}

/* ---- minting ---- */

static struct json *request_json(const struct impersonated *impersonated, const struct mint *mint) {
    struct json *body = json_new_object();
    if (mint->audience) {
        json_set_text(body, "audience", mint->audience);
        json_set_bool(body, "includeEmail", mint->include_email);
    } else {
        AUTO_LIST struct text_list scopes = {0};
        struct json *array = json_new_array();
        text_list_split(&scopes, impersonated->scope ? impersonated->scope : mint->scope, ' ');
        for (size_t i = 0; i < scopes.count; i++)
            json_append_text(array, scopes.items[i]);
        json_set(body, "scope", array);
        AUTO_FREE char *lifetime = text_format("%llds", (long long)impersonated->seconds);
        json_set_text(body, "lifetime", lifetime);
    }
    if (impersonated->delegates.count)
        json_set(body, "delegates", delegates_json(&impersonated->delegates));
    return body;
}

static int64_t seconds_until(const char *text) {
    struct tm date = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);
    return end ? (int64_t)(timegm(&date) - time(NULL)) : 0;
}

/* The role that federated identities need is another one than that of service accounts and people. */
static int refusal(const struct impersonated *impersonated, const struct json *reply, struct error *error) {
    const struct json *status = json_get(reply, "error");
    int64_t code = json_get_integer(status, "code", 0);
    const char *message = json_get_text(status, "message", "");
    if (code == 404)
        return error_next(error, "see whether there is such an account: gcloud iam service-accounts describe %s",
                          impersonated->account);
    if (code == 400 && strstr(message, "lifetime"))
        return error_next(error, "leave the longer lifetime out, or allow it: the organization policy constraints/"
                                 "iam.allowServiceAccountCredentialLifetimeExtension");
    if (code != 403 || text_equal(json_get_text(google_error_info(status, NULL), "reason", NULL), "SERVICE_DISABLED"))
        return -1;
    AUTO_FREE char *member = credentials_member(impersonated->source);
    bool federated = member && text_starts_with(member, "principal");
    return error_next(error,
                      "gcloud iam service-accounts add-iam-policy-binding %s --role=%s --member=%s (it takes up "
                      "to 5 minutes to work)",
                      impersonated->account,
                      federated ? "roles/iam.workloadIdentityUser" : "roles/iam.serviceAccountTokenCreator",
                      text_is_plain_word(member) ? member : "MEMBER");
}

static int ask(struct impersonated *impersonated, const struct mint *mint, const struct token *source,
               struct token *token, struct error *error) {
    AUTO_FREE char *what = text_format("cannot act as %s", impersonated->account);
    AUTO_FREE char *url =
        text_format("%s%s", impersonated->url, mint->audience ? GENERATE_ID_TOKEN : GENERATE_ACCESS_TOKEN);
    AUTO_JSON struct json *body = request_json(impersonated, mint), *reply = NULL;
    struct token_request request = {.what = what,
                                    .url = url,
                                    .json = body,
                                    .authorization = HTTP_BEARER,
                                    .secret = buffer_text(&source->text),
                                    .principal = credentials_principal(impersonated->source)};
    if (token_post(mint->http, &request, &reply, error) < 0)
        return refusal(impersonated, reply, error);
    if (mint->audience)
        return token_take_id(reply, "token", what, token, error);
    token->seconds = seconds_until(json_get_text(reply, "expireTime", ""));
    if (token->seconds <= 0) {
        error_set(error, ERROR_PROTOCOL,
                  "%s: the answer's expireTime is \"%.40s\", which has passed by this machine's "
                  "clock",
                  what, json_get_text(reply, "expireTime", ""));
        return error_next(error, "compare this machine's clock with the true time: timedatectl");
    }
    return token_take(reply, "accessToken", what, token, error);
}

static int mint_token(void *self, const struct mint *mint, struct token *token, struct error *error) {
    struct impersonated *impersonated = self;
    AUTO_TOKEN struct token source = {.text = BUFFER_SECRET(TOKEN_LIMIT)};
    struct mint first = {.http = mint->http, .hops = mint->hops, .scope = SCOPE_IAM};
    if (credentials_mint(impersonated->source, &first, &source, error) < 0)
        return -1;
    hop_begin(mint->hops, HOP_IMPERSONATION, "%s", impersonated->account);
    if (ask(impersonated, mint, &source, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_IMPERSONATION));
    hop_end(mint->hops);
    return 0;
}

static const char *principal(const void *self) {
    return ((const struct impersonated *)self)->account;
}

/* NAME@PROJECT.iam.gserviceaccount.com */
static char *project(void *self, struct http *http) {
    const struct impersonated *impersonated = self;
    const char *at = strchr(impersonated->account, '@');
    const char *end = at ? strstr(at, ".iam.gserviceaccount.com") : NULL;
    return end ? text_copy_length(at + 1, (size_t)(end - at - 1)) : credentials_own_project(impersonated->source, http);
}

static const char *project_number(const void *self) {
    return credentials_project_number(((const struct impersonated *)self)->source);
}

const struct credential_type impersonated_type = {
    .name = "impersonated_service_account",
    .open = open_impersonated,
    .mint = mint_token,
    .principal = principal,
    .project = project,
    .project_number = project_number,
    .release = release,
};
