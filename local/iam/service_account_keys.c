/* The keys of service accounts: those that somebody holds a file of, and the one that the cloud keeps for each. */
#include "local/iam/internal.h"

#include "common/crypto/base64.h"
#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "local/timestamp.h"

#include <string.h>

enum { KEYS_LIMIT = 10, KEY_ID = 41, PEM_LIMIT = 64 << 10 };
#define NEVER "9999-12-31T23:59:59Z"

/* ---- in files of people ---- */

struct jwt_key *iam_account_key(const struct local_cloud *cloud, const char *email, const char *key_id) {
    struct iam *iam = cloud->iam;
    struct jwt_key *key = NULL;
    pthread_mutex_lock(&iam->lock);
    const struct json *account = account_find(iam, email);
    const struct json *stored = key_id ? json_get(json_get(account, "keys"), key_id) : NULL;
    AUTO_FREE char *pem = text_copy(json_get_text(stored, "publicKey", NULL));
    bool of_cloud = text_equal(email, cloud->email) && (!key_id || text_equal(key_id, cloud->key_id));
    bool disabled = json_get_bool(account, "disabled", false);
    pthread_mutex_unlock(&iam->lock);
    if (disabled)
        return NULL;
    if (!pem && of_cloud)
        pem = jwt_key_public_pem(cloud->account_key, NULL);
    if (pem)
        key = jwt_key_public(pem, strlen(pem), NULL);
    return key;
}

/* The file that `gcloud iam service-accounts keys create` writes. */
static char *key_file(const struct local_cloud *cloud, const char *email, const char *unique, const char *key_id,
                      const char *pem) {
    AUTO_JSON struct json *document = json_new_object();
    AUTO_FREE char *token_uri = text_format("%s/token", cloud->origin);
    json_set_text(document, "type", "service_account");
    json_set_text(document, "project_id", cloud->project);
    json_set_text(document, "private_key_id", key_id);
    json_set_text(document, "private_key", pem);
    json_set_text(document, "client_email", email);
    json_set_text(document, "client_id", unique);
    json_set_text(document, "auth_uri", "https://accounts.google.com/o/oauth2/auth");
    json_set_text(document, "token_uri", token_uri);
    json_set_text(document, "universe_domain", "googleapis.com");
    return json_format(document, JSON_PRETTY);
}

static struct json *account_of(struct iam_call *call) {
    struct json *account = account_find(call->iam, call->names[0]);
    if (!account)
        reply_google_error(call->reply, 404, "Service account projects/%s/serviceAccounts/%s does not exist.",
                           call->project, call->names[0]);
    return account;
}

static struct json *shown(const struct iam_call *call, const char *key_id, const struct json *key) {
    struct json *document = json_new_object();
    AUTO_FREE char *name =
        text_format("projects/%s/serviceAccounts/%s/keys/%s", call->cloud->project, call->names[0], key_id);
    json_set_text(document, "name", name);
    json_set_text(document, "keyAlgorithm", "KEY_ALG_RSA_2048");
    json_set_text(document, "keyOrigin", "GOOGLE_PROVIDED");
    json_set_text(document, "keyType", "USER_MANAGED");
    json_set_text(document, "validAfterTime", json_get_text(key, "validAfterTime", "2020-01-01T00:00:00Z"));
    json_set_text(document, "validBeforeTime", NEVER);
    return document;
}

void service_account_key_list(struct iam_call *call) {
    const struct json *account = account_of(call);
    if (!account)
        return;
    struct json *document = json_new_object(), *list = json_new_array();
    const struct json *keys = json_get(account, "keys");
    if (text_equal(call->names[0], call->cloud->email))
        json_append(list, shown(call, call->cloud->key_id, NULL));
    for (void *at = json_first(keys); at; at = json_next(keys, at))
        json_append(list, shown(call, json_key(at), json_value(at)));
    json_set(document, "keys", list);
    reply_json(call->reply, 200, document);
}

/* Makes the key and keeps its public half; the private one is in *file only, which the caller wipes and frees. */
static int make_key(struct iam_call *call, struct json *account, const char *key_id, char **file, struct error *error) {
    AUTO_JWT_KEY struct jwt_key *key = jwt_key_generate(error);
    AUTO_FREE char *public_pem = key ? jwt_key_public_pem(key, error) : NULL;
    char *pem = public_pem ? jwt_key_private_pem(key, error) : NULL;
    if (!pem)
        return -1;
    *file = key_file(call->cloud, call->names[0], json_get_text(account, "uniqueId", ""), key_id, pem);
    memory_wipe(pem, strlen(pem));
    free(pem);
    struct json *stored = json_new_object();
    json_set_text(stored, "publicKey", public_pem);
    json_set_text(stored, "validAfterTime", timestamp_format(timestamp_now()).text);
    if (!json_get(account, "keys"))
        json_set(account, "keys", json_new_object());
    json_set(json_get(account, "keys"), key_id, stored);
    return iam_save(call->iam, error);
}

void service_account_key_create(struct iam_call *call) {
    struct json *account = account_of(call);
    const char *type = json_get_text(call->body, "privateKeyType", "TYPE_GOOGLE_CREDENTIALS_FILE");
    struct error error = {0};
    char key_id[KEY_ID], *file = NULL;
    if (!account)
        return;
    if (!text_equal(type, "TYPE_GOOGLE_CREDENTIALS_FILE") && !text_equal(type, "TYPE_UNSPECIFIED")) {
        reply_google_error(call->reply, 400, "the local cloud makes keys as JSON files only");
        return;
    }
    if (json_count(json_get(account, "keys")) >= KEYS_LIMIT) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Precondition check failed.");
        return;
    }
    random_hex(key_id, sizeof(key_id));
    if (make_key(call, account, key_id, &file, &error) < 0) {
        reply_google_error(call->reply, 500, "%s", error.text);
    } else {
        struct json *document = shown(call, key_id, json_get(json_get(account, "keys"), key_id));
        AUTO_BUFFER struct buffer data = BUFFER(PEM_LIMIT);
        base64_encode(BASE64_STANDARD, file, strlen(file), &data);
        json_set_text(document, "privateKeyType", "TYPE_GOOGLE_CREDENTIALS_FILE");
        json_set_text(document, "privateKeyData", buffer_text(&data));
        memory_wipe(data.data, data.length);
        reply_json(call->reply, 200, document);
    }
    if (file)
        memory_wipe(file, strlen(file));
    free(file);
}

static struct json *key_of(struct iam_call *call, const struct json *account) {
    struct json *key = json_get(json_get(account, "keys"), call->names[1]);
    if (account && !key)
        reply_google_error(call->reply, 404, "Service account key %s does not exist.", call->names[1]);
    return key;
}

void service_account_key_get(struct iam_call *call) {
    const struct json *account = account_of(call), *key = key_of(call, account);
    if (key)
        reply_json(call->reply, 200, shown(call, call->names[1], key));
}

void service_account_key_delete(struct iam_call *call) {
    struct json *account = account_of(call);
    if (!key_of(call, account))
        return;
    json_remove(json_get(account, "keys"), call->names[1]);
    iam_answer_saved(call, json_new_object());
}

/* ---- the cloud's own for each account ---- */

static char *id_of_key(const struct jwt_key *key) {
    AUTO_FREE char *pem = jwt_key_public_pem(key, NULL);
    struct digest digest = digest_of(pem ? pem : "", pem ? strlen(pem) : 0);
    return text_copy_length(digest_format_hex(&digest).text, KEY_ID - 1);
}

struct jwt_key *service_account_system_key(struct iam *iam, const char *email, char **key_id, struct error *error) {
    AUTO_FREE char *path = text_format("%s/keys/%s.pem", iam->root, email);
    struct jwt_key *key = local_key_open(path, error);
    if (key)
        *key_id = id_of_key(key);
    return key;
}
