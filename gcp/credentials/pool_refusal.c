/* Why the Security Token Service did not take an identity token, and which command mends that. It answers with OAuth's
 * error codes and a sentence; the sentences are what tells the cases apart. */
#include "gcp/credentials/external_account.h"

#include <string.h>

#define PROVIDERS "gcloud iam workload-identity-pools providers"

static bool says(const char *text, const char *word) {
    return strcasestr(text, word) != NULL;
}

static int mend_audience(const struct external_account *account, const char *flags, struct error *error) {
    const char *audience = json_get_text(account->claims, "aud", NULL);
    return error_next(error, PROVIDERS " update-oidc %s --allowed-audiences=%s", flags,
                      text_is_plain_word(audience) ? audience : "AUDIENCE");
}

static int mend_issuer(const struct external_account *account, const char *flags, struct error *error) {
    const char *issuer = json_get_text(account->claims, "iss", NULL);
    return error_next(error, PROVIDERS " update-oidc %s --issuer-uri=%s", flags,
                      text_is_plain_word(issuer) ? issuer : "ISSUER");
}

static int mend(const struct external_account *account, const char *code, const char *text, struct error *error) {
    AUTO_FREE char *flags = provider_flags(&account->provider);
    if (says(text, "Invalid value for \"audience\""))
        return error_next(error, "see whether there is such a provider: " PROVIDERS " describe %s", flags);
    if (says(text, "disabled"))
        return error_next(error, PROVIDERS " update-oidc %s --no-disabled", flags);
    if (says(text, "audience"))
        return mend_audience(account, flags, error);
    if (says(text, "signature") || says(text, "connecting"))
        return error_next(error, "see whose keys the provider takes: " PROVIDERS " describe %s --format='value(oidc)'",
                          flags);
    if (says(text, "issuer"))
        return mend_issuer(account, flags, error);
    if (says(text, "condition") || text_equal(code, "unauthorized_client"))
        return error_next(error,
                          "compare the claims with the condition: " PROVIDERS
                          " describe %s --format='value(attributeCondition,attributeMapping)'",
                          flags);
    if (says(text, "127 bytes"))
        return error_next(error,
                          "map a shorter claim: " PROVIDERS " update-oidc %s --attribute-mapping="
                          "google.subject=assertion.repository",
                          flags);
    if (says(text, "mapped") || says(text, "mapping"))
        return error_next(error, PROVIDERS " update-oidc %s --attribute-mapping=google.subject=assertion.sub", flags);
    if (says(text, "expired") || says(text, "stale") || says(text, "future") || says(text, "iat"))
        return error_next(error, "compare this machine's clock with the true time: timedatectl");
    return error_next(error, PROVIDERS " describe %s", flags);
}

int pool_refusal(const struct external_account *account, const struct json *reply, struct error *error) {
    const char *code = json_get_text(reply, "error", ""), *text = json_get_text(reply, "error_description", "");
    if (!error || error->kind == ERROR_TEMPORARY || !*code)
        return -1;
    if (account->claims) {
        AUTO_FREE char *claims = identity_claims(account->claims);
        size_t length = strlen(error->text);
        snprintf(error->text + length, sizeof(error->text) - length, "; sent to %.200s: %.600s", account->audience,
                 claims);
    }
    return mend(account, code, text, error);
}
