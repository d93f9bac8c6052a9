/* Service accounts and their policies. */
#include "local/iam/internal.h"

#include "local/field_mask.h"

#include <string.h>

enum { ACCOUNTS_LIMIT = 1000 };

struct json *account_find(const struct iam *iam, const char *name) {
    const struct json *accounts = json_get(iam->state, "accounts");
    struct json *account = json_get(accounts, name);
    AUTO_FREE char *ending = text_format("@%s.iam.gserviceaccount.com", iam->cloud->project);
    if (account)
        return text_ends_with(name, ending) ? account : NULL;
    for (void *at = json_first(accounts); at; at = json_next(accounts, at))
        if (text_equal(json_get_text(json_value(at), "uniqueId", NULL), name) && text_ends_with(json_key(at), ending))
            return json_value(at);
    return NULL;
}

static const char *email_of(const struct iam *iam, const struct json *account) {
    const struct json *accounts = json_get(iam->state, "accounts");
    for (void *at = json_first(accounts); at; at = json_next(accounts, at))
        if (json_value(at) == account)
            return json_key(at);
    return "";
}

static struct json *shown(const struct iam *iam, const struct json *account) {
    struct json *document = json_new_object();
    const char *email = email_of(iam, account);
    AUTO_FREE char *name = text_format("projects/%s/serviceAccounts/%s", iam->cloud->project, email);
    json_set_text(document, "name", name);
    json_set_text(document, "projectId", iam->cloud->project);
    json_set_text(document, "uniqueId", json_get_text(account, "uniqueId", ""));
    json_set_text(document, "email", email);
    json_set_text(document, "displayName", json_get_text(account, "displayName", NULL));
    json_set_text(document, "description", json_get_text(account, "description", NULL));
    json_set_text(document, "etag", "MDEwMjE5MjA=");
    json_set_text(document, "oauth2ClientId", json_get_text(account, "uniqueId", ""));
    if (json_get_bool(account, "disabled", false))
        json_set_bool(document, "disabled", true);
    return document;
}

static struct json *find(struct iam_call *call) {
    struct json *account = account_find(call->iam, call->names[0]);
    if (!account)
        reply_google_error(call->reply, 404, "Service account projects/%s/serviceAccounts/%s does not exist.",
                           call->project, call->names[0]);
    return account;
}

/* ---- accounts ---- */

void service_account_list(struct iam_call *call) {
    const struct json *accounts = json_get(call->iam->state, "accounts");
    struct json *document = json_new_object(), *list = json_new_array();
    for (void *at = json_first(accounts); at; at = json_next(accounts, at))
        if (account_find(call->iam, json_key(at)))
            json_append(list, shown(call->iam, json_value(at)));
    json_set(document, "accounts", list);
    reply_json(call->reply, 200, document);
}

static bool is_account_id(const char *id) {
    size_t length = strlen(id);
    return length >= 6 && length <= 30 && id[0] >= 'a' && id[0] <= 'z' && id[length - 1] != '-' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

void service_account_create(struct iam_call *call) {
    static const char *const fields[] = {"displayName", "description", NULL};
    const char *id = json_get_text(call->body, "accountId", "");
    struct json *accounts = json_get(call->iam->state, "accounts");
    AUTO_FREE char *email = text_format("%s@%s.iam.gserviceaccount.com", id, call->cloud->project);
    struct error error = {0};
    if (!is_account_id(id)) {
        reply_google_error(call->reply, 400,
                           "Invalid service account id \"%.60s\": 6 to 30 lower-case letters, digits and hyphens", id);
        return;
    }
    if (json_get(accounts, email)) {
        reply_google_error(call->reply, 409, "Service account %s already exists within project projects/%s.", id,
                           call->cloud->project);
        return;
    }
    if (json_count(accounts) >= ACCOUNTS_LIMIT) {
        reply_google_error(call->reply, 429, "Maximum number of service accounts on project reached.");
        return;
    }
    struct json *account = json_new_object();
    int64_t created = json_get_integer(call->iam->state, "created", 1) + 1;
    AUTO_FREE char *unique = text_format("1%020lld", (long long)created);
    json_set_text(account, "uniqueId", unique);
    json_set_integer(call->iam->state, "created", created);
    if (field_mask_apply(account, json_get(call->body, "serviceAccount"), NULL, fields, &error) < 0) {
        json_release(&account);
        reply_google_error(call->reply, 400, "%s", error.text);
        return;
    }
    json_set(accounts, email, account);
    iam_answer_saved(call, shown(call->iam, account));
}

void service_account_get(struct iam_call *call) {
    const struct json *account = find(call);
    if (account)
        reply_json(call->reply, 200, shown(call->iam, account));
}

static void change(struct iam_call *call, const struct json *source, const char *mask) {
    static const char *const fields[] = {"displayName", "description", NULL};
    struct json *account = find(call);
    struct error error = {0};
    if (!account)
        return;
    if (field_mask_apply(account, source, mask, fields, &error) < 0)
        reply_google_error(call->reply, 400, "%s", error.text);
    else
        iam_answer_saved(call, shown(call->iam, account));
}

void service_account_patch(struct iam_call *call) {
    change(call, json_get(call->body, "serviceAccount"), json_get_text(call->body, "updateMask", NULL));
}

void service_account_put(struct iam_call *call) {
    change(call, call->body, NULL);
}

void service_account_delete(struct iam_call *call) {
    const struct json *account = find(call);
    if (!account)
        return;
    AUTO_FREE char *email = text_copy(email_of(call->iam, account));
    if (text_equal(email, call->cloud->email)) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL,
                            "this account runs the local cloud and cannot be deleted");
        return;
    }
    AUTO_FREE char *key = text_format("%s/keys/%s.pem", call->iam->root, email);
    unlink(key);
    json_remove(json_get(call->iam->state, "accounts"), email);
    iam_answer_saved(call, json_new_object());
}

static void set_disabled(struct iam_call *call, bool disabled) {
    struct json *account = find(call);
    if (!account)
        return;
    json_set_bool(account, "disabled", disabled);
    iam_answer_saved(call, json_new_object());
}

void service_account_enable(struct iam_call *call) {
    set_disabled(call, false);
}

void service_account_disable(struct iam_call *call) {
    set_disabled(call, true);
}

/* ---- policies ---- */

void service_account_policy_get(struct iam_call *call) {
    const struct json *account = find(call);
    if (account)
        reply_json(call->reply, 200, policy_shown(json_get(account, "policy")));
}

void service_account_policy_set(struct iam_call *call) {
    struct json *account = find(call);
    struct json *before = account ? json_get(account, "policy") : NULL;
    struct json *policy = before ? json_share(before) : NULL;
    if (account && policy_take(&policy, call->body, call->reply)) {
        json_set(account, "policy", policy);
        iam_answer_saved(call, policy_shown(policy));
    } else
        json_release(&policy);
}

static bool may(void *context, const char *permission) {
    const struct iam_call *call = context;
    return permitted(call->iam, &call->request->members, permission, call->names[0]);
}

void service_account_policy_test(struct iam_call *call) {
    if (find(call))
        policy_test(call->body, may, call, call->reply);
}
