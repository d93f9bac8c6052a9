/* OIDC providers of workload identity pools. */
#include "local/iam/internal.h"

#include "common/crypto/random.h"
#include "local/cel/cel.h"
#include "local/field_mask.h"

#include <string.h>

#define PROVIDER_TYPE "type.googleapis.com/google.iam.admin.v1.WorkloadIdentityPoolProvider"
#define CONDITION_PAGE                                                                                                 \
    "https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions"

enum { AUDIENCES_LIMIT = 10, AUDIENCE_LENGTH = 256, KEYS_LIMIT = 64 << 10 };

static const char *const fields[] = {"displayName",        "description", "disabled", "attributeMapping",
                                     "attributeCondition", "oidc",        NULL};

/* ---- what a provider must be ---- */

/* Everybody's tokens come from these: a provider that admits all of them admits strangers. */
static bool is_shared_issuer(const char *issuer) {
    static const char *const shared[] = {"https://token.actions.githubusercontent.com", "https://gitlab.com",
                                         "https://app.terraform.io"};
    size_t length = strlen(issuer) - (text_ends_with(issuer, "/") ? 1 : 0);
    for (size_t i = 0; i < ARRAY_LENGTH(shared); i++)
        if (strlen(shared[i]) == length && strncmp(shared[i], issuer, length) == 0)
            return true;
    return false;
}

static int check_condition(const struct json *provider, const char *issuer, struct error *error) {
    const char *text = json_get_text(provider, "attributeCondition", "");
    AUTO_CEL struct cel *condition = *text ? cel_compile(text, error) : NULL;
    if (!is_shared_issuer(issuer) || (*text && (!condition || cel_uses_variables(condition))))
        return 0;
    return error_set(error, ERROR_DATA,
                     "The attribute condition must reference one of the provider's claims. For more information, "
                     "see " CONDITION_PAGE);
}

static int check_keys(const char *text, struct error *error) {
    AUTO_JSON struct json *set =
        strlen(text) <= KEYS_LIMIT ? json_parse(text, strlen(text), "oidc.jwksJson", error) : NULL;
    const struct json *keys = json_get(set, "keys");
    if (!json_is_array(keys) || !json_count(keys))
        return error_set(error, ERROR_DATA, "Invalid value at 'oidc.jwksJson': no JSON Web Key Set");
    for (size_t i = 0; i < json_count(keys); i++)
        if (!json_get_text(json_at(keys, i), "kid", NULL))
            return error_set(error, ERROR_DATA, "Invalid value at 'oidc.jwksJson': a key without \"kid\"");
    return 0;
}

static int check_oidc(const struct json *oidc, struct error *error) {
    const char *issuer = json_get_text(oidc, "issuerUri", ""), *keys = json_get_text(oidc, "jwksJson", "");
    const struct json *audiences = json_get(oidc, "allowedAudiences");
    bool loopback = text_starts_with(issuer, "http://127.0.0.1:") || text_starts_with(issuer, "http://localhost:");
    if (!text_starts_with(issuer, "https://") && !loopback)
        return error_set(error, ERROR_DATA, "Invalid value at 'oidc.issuerUri': an https URL is needed");
    if (audiences && (!json_is_array(audiences) || json_count(audiences) > AUDIENCES_LIMIT))
        return error_set(error, ERROR_DATA, "Invalid value at 'oidc.allowedAudiences': at most %d", AUDIENCES_LIMIT);
    for (size_t i = 0; i < json_count(audiences); i++) {
        const char *audience = json_text(json_at(audiences, i));
        if (!audience || strlen(audience) > AUDIENCE_LENGTH)
            return error_set(error, ERROR_DATA, "Invalid value at 'oidc.allowedAudiences[%zu]'", i);
    }
    return *keys ? check_keys(keys, error) : 0;
}

static int check_provider(const struct json *provider, struct error *error) {
    static const char *const others[] = {"aws", "saml", "x509"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (json_get(provider, others[i]))
            return error_set(error, ERROR_DATA, "the local cloud has providers of OIDC only, not of %s", others[i]);
    const struct json *oidc = json_get(provider, "oidc");
    if (!json_is_object(oidc))
        return error_set(error, ERROR_DATA, "Provider configuration is missing: oidc");
    if (check_oidc(oidc, error) < 0 || attributes_check(provider, error) < 0)
        return -1;
    return check_condition(provider, json_get_text(oidc, "issuerUri", ""), error);
}

/* ---- the requests ---- */

static struct json *find(struct iam_call *call) {
    struct json *pool = pool_find(call);
    struct json *provider = pool ? json_get(json_get(pool, "providers"), call->names[1]) : NULL;
    if (pool && !provider)
        reply_google_error(call->reply, 404, "Requested entity was not found.");
    return provider;
}

static void finish(struct iam_call *call, const struct json *provider) {
    char id[25];
    struct error error = {0};
    random_hex(id, sizeof(id));
    if (iam_save(call->iam, &error) < 0)
        reply_google_error(call->reply, 500, "%s", error.text);
    else
        federation_operation(call, provider, PROVIDER_TYPE, id);
}

void provider_list(struct iam_call *call) {
    const struct json *pool = pool_find(call);
    if (pool)
        federation_list(call, json_get(pool, "providers"), "workloadIdentityPoolProviders");
}

void provider_create(struct iam_call *call) {
    const char *id = request_query(call->request, "workloadIdentityPoolProviderId");
    struct json *pool = pool_find(call);
    struct error error = {0};
    if (!pool)
        return;
    if (!federation_id_is_valid(id)) {
        reply_google_error(call->reply, 400,
                           "Invalid workload identity pool provider id: 4 to 32 lower-case letters, digits and "
                           "hyphens");
        return;
    }
    struct json *providers = json_get(pool, "providers");
    if (json_get(providers, id)) {
        reply_google_error(call->reply, 409, "Requested entity already exists");
        return;
    }
    AUTO_JSON struct json *provider = json_copy_deep(call->body);
    AUTO_FREE char *name = text_format("%s/providers/%s", json_get_text(pool, "name", ""), id);
    json_set_text(provider, "name", name);
    json_set_text(provider, "state", "ACTIVE");
    if (check_provider(provider, &error) < 0) {
        reply_google_error(call->reply, 400, "%s", error.text);
        return;
    }
    json_set(providers, id, json_share(provider));
    finish(call, provider);
}

void provider_get(struct iam_call *call) {
    struct json *provider = find(call);
    if (provider)
        reply_json(call->reply, 200, json_share(provider));
}

void provider_patch(struct iam_call *call) {
    const struct json *before = find(call);
    struct error error = {0};
    if (!before)
        return;
    AUTO_JSON struct json *provider = json_copy_deep(before);
    if (field_mask_apply(provider, call->body, request_query(call->request, "updateMask"), fields, &error) < 0 ||
        check_provider(provider, &error) < 0) {
        reply_google_error(call->reply, 400, "%s", error.text);
        return;
    }
    struct json *providers = json_get(json_get(json_get(call->iam->state, "pools"), call->names[0]), "providers");
    json_set(providers, call->names[1], json_share(provider));
    finish(call, provider);
}

void provider_delete(struct iam_call *call) {
    struct json *provider = find(call);
    if (provider)
        federation_delete(call, provider, PROVIDER_TYPE);
}

void provider_undelete(struct iam_call *call) {
    struct json *provider = find(call);
    if (provider)
        federation_undelete(call, provider, PROVIDER_TYPE);
}

void provider_operation(struct iam_call *call) {
    const struct json *provider = find(call);
    if (provider)
        federation_operation(call, provider, PROVIDER_TYPE, call->names[2]);
}
