/* iamcredentials.googleapis.com: tokens and signatures of a service account, for whoever may act as it. */
#include "local/iam/internal.h"

#include "common/crypto/base64.h"
#include "local/timestamp.h"

#include <string.h>
#include <time.h>

enum { SIGNED_SECONDS = 12 * 3600, BLOB_LIMIT = 128 << 10, DELEGATES_LIMIT = 20, LIFETIME = 3600 };

static const char *plain_email(const char *delegate) {
    static const char prefix[] = "projects/-/serviceAccounts/";
    return text_starts_with(delegate, prefix) ? delegate + strlen(prefix) : delegate;
}

/* Along the chain: each may ask for the next one's tokens, the last for those of the account. The account's e-mail
 * address is the caller's; NULL: it is answered. */
static char *act_as(struct iam_call *call, const char *permission) {
    const struct json *delegates = json_get(call->body, "delegates");
    AUTO_LIST struct text_list members = {0};
    text_list_add_all(&members, &call->request->members);
    if (json_count(delegates) > DELEGATES_LIMIT) {
        reply_google_error(call->reply, 400, "Request contains an invalid argument.");
        return NULL;
    }
    for (size_t i = 0; i < json_count(delegates); i++) {
        const char *delegate = json_text(json_at(delegates, i));
        const char *email = plain_email(delegate ? delegate : "");
        if (!permitted(call->iam, &members, "iam.serviceAccounts.implicitDelegation", email) ||
            !account_find(call->iam, email)) {
            reply_denied(call->reply, "iam.serviceAccounts.implicitDelegation", NULL);
            return NULL;
        }
        text_list_release(&members);
        members = (struct text_list){0};
        text_list_add_format(&members, "serviceAccount:%s", email);
    }
    if (!text_equal(call->project, "-")) {
        reply_google_error(call->reply, 400,
                           "Invalid form of resource name. Should be \"projects/-/serviceAccounts/"
                           "{ACCOUNT_EMAIL_OR_UNIQUEID}\".");
        return NULL;
    }
    if (!permitted(call->iam, &members, permission, call->names[0])) {
        reply_denied(call->reply, permission, NULL);
        return NULL;
    }
    const struct json *account = account_find(call->iam, call->names[0]);
    if (!account) {
        reply_google_error(call->reply, 404, "Not found; Gaia id not found for email %.200s", call->names[0]);
        return NULL;
    }
    if (json_get_bool(account, "disabled", false)) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Service account is disabled.");
        return NULL;
    }
    const struct json *accounts = json_get(call->iam->state, "accounts");
    for (void *at = json_first(accounts); at; at = json_next(accounts, at))
        if (json_value(at) == account)
            return text_copy(json_key(at));
    return NULL;
}

static bool has_scope(const struct json *body) {
    const struct json *scopes = json_get(body, "scope");
    for (size_t i = 0; i < json_count(scopes); i++)
        if (text_is_empty(json_text(json_at(scopes, i))))
            return false;
    return json_count(scopes) > 0;
}

static char *scopes_joined(const struct json *scopes) {
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    for (size_t i = 0; i < json_count(scopes); i++)
        buffer_append_format(&text, "%s%s", i ? " " : "", json_text(json_at(scopes, i)));
    return buffer_take(&text);
}

void service_account_access_token(struct iam_call *call) {
    AUTO_FREE char *email = act_as(call, "iam.serviceAccounts.getAccessToken");
    const char *lifetime = json_get_text(call->body, "lifetime", "3600s");
    int64_t microseconds = 0;
    struct error error = {0};
    if (!email)
        return;
    if (!has_scope(call->body)) {
        reply_google_error(call->reply, 400, "Scope required.");
        return;
    }
    if (!duration_parse(lifetime, &microseconds) || microseconds <= 0) {
        reply_google_error(call->reply, 400, "Invalid value at 'lifetime'");
        return;
    }
    int64_t seconds = microseconds / 1000000;
    if (seconds > LIFETIME) {
        reply_google_error(call->reply, 400, "The access token lifetime cannot exceed 3600 seconds.");
        return;
    }
    if (seconds > call->cloud->token_seconds)
        seconds = call->cloud->token_seconds;
    AUTO_FREE char *scope = scopes_joined(json_get(call->body, "scope"));
    struct token_request token = {
        .type = TOKEN_ACCESS, .principal = email, .ends = time(NULL) + seconds, .scope = scope};
    AUTO_FREE char *text = token_mint(call->cloud, &token, &error);
    if (!text) {
        reply_google_error(call->reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "accessToken", text);
    char when[32];
    time_t ends = (time_t)token.ends;
    struct tm parts;
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&ends, &parts));
    json_set_text(document, "expireTime", when);
    reply_json(call->reply, 200, document);
}

void service_account_id_token(struct iam_call *call) {
    AUTO_FREE char *email = act_as(call, "iam.serviceAccounts.getOpenIdToken");
    const char *audience = json_get_text(call->body, "audience", "");
    struct error error = {0};
    if (!email)
        return;
    if (!*audience) {
        reply_google_error(call->reply, 400, "Audience is required.");
        return;
    }
    const struct json *account = account_find(call->iam, email);
    struct token_request token = {.type = TOKEN_IDENTITY,
                                  .principal = email,
                                  .subject = json_get_text(account, "uniqueId", NULL),
                                  .audience = audience,
                                  .without_email = !json_get_bool(call->body, "includeEmail", false)};
    AUTO_FREE char *text = token_mint(call->cloud, &token, &error);
    if (!text) {
        reply_google_error(call->reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "token", text);
    reply_json(call->reply, 200, document);
}

void service_account_sign_jwt(struct iam_call *call) {
    AUTO_FREE char *email = act_as(call, "iam.serviceAccounts.signJwt");
    const char *payload = json_get_text(call->body, "payload", "");
    AUTO_FREE char *key_id = NULL;
    struct error error = {0};
    if (!email)
        return;
    AUTO_JSON struct json *claims = json_parse_secret(payload, strlen(payload), "payload", &error);
    int64_t ends = json_get_integer(claims, "exp", 0);
    if (!json_is_object(claims) || ends > time(NULL) + SIGNED_SECONDS) {
        reply_google_error(call->reply, 400, "%s",
                           json_is_object(claims) ? "The exp claim must be at most 12 hours in the future."
                                                  : "The payload must be a JSON object.");
        return;
    }
    AUTO_JWT_KEY struct jwt_key *key = service_account_system_key(call->iam, email, &key_id, &error);
    AUTO_FREE char *token = key ? jwt_sign(key, key_id, claims, &error) : NULL;
    if (!token) {
        reply_google_error(call->reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "keyId", key_id);
    json_set_text(document, "signedJwt", token);
    reply_json(call->reply, 200, document);
}

void service_account_sign_blob(struct iam_call *call) {
    AUTO_FREE char *email = act_as(call, "iam.serviceAccounts.signBlob");
    const char *payload = json_get_text(call->body, "payload", "");
    AUTO_BUFFER struct buffer data = BUFFER(BLOB_LIMIT), signature = BUFFER(4096), encoded = BUFFER(8192);
    AUTO_FREE char *key_id = NULL;
    struct error error = {0};
    if (!email)
        return;
    if (base64_decode(BASE64_STANDARD, payload, strlen(payload), &data, &error) < 0 || data.failed) {
        reply_google_error(call->reply, 400, "Invalid value at 'payload' (TYPE_BYTES)");
        return;
    }
    AUTO_JWT_KEY struct jwt_key *key = service_account_system_key(call->iam, email, &key_id, &error);
    if (!key || jwt_sign_bytes(key, buffer_text(&data), data.length, &signature, &error) < 0) {
        reply_google_error(call->reply, 500, "%s", error.text);
        return;
    }
    base64_encode(BASE64_STANDARD, signature.data, signature.length, &encoded);
    struct json *document = json_new_object();
    json_set_text(document, "keyId", key_id);
    json_set_text(document, "signedBlob", buffer_text(&encoded));
    reply_json(call->reply, 200, document);
}
