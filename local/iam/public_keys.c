/* The public keys of service accounts and of the ID tokens that this cloud makes in Google's place, for everybody. */
#include "local/iam/internal.h"

#include "common/crypto/certificate.h"

#include <string.h>

#define SERVER_KEY_ID "server"

static const char jwk_path[] = "/service_accounts/v1/jwk/";
static const char jwks_path[] = "/oauth2/v3/certs", certificates_path[] = "/oauth2/v1/certs";
/* A certificate's bytes follow from the key alone: it is good from 2020 until 2120. */
static const int64_t good_from = 1577836800, good_until = 4733510400;

bool iam_is_key_path(const char *path) {
    return text_starts_with(path, jwk_path) || text_equal(path, jwks_path) || text_equal(path, certificates_path);
}

static void add_key(struct json *list, const struct jwt_key *key, const char *key_id) {
    struct json *jwk = key ? jwt_key_jwk(key, key_id, NULL) : NULL;
    if (jwk)
        json_append(list, jwk);
}

static void add_stored(struct json *list, const struct json *keys) {
    for (void *at = json_first(keys); at; at = json_next(keys, at)) {
        const char *pem = json_get_text(json_value(at), "publicKey", "");
        AUTO_JWT_KEY struct jwt_key *key = jwt_key_public(pem, strlen(pem), NULL);
        add_key(list, key, json_key(at));
    }
}

/* Of an account that there is. */
static void add_account(struct iam *iam, const char *email, struct json *list) {
    AUTO_FREE char *key_id = NULL;
    pthread_mutex_lock(&iam->lock);
    AUTO_JWT_KEY struct jwt_key *own = service_account_system_key(iam, email, &key_id, NULL);
    add_key(list, own, key_id);
    add_stored(list, json_get(account_find(iam, email), "keys"));
    pthread_mutex_unlock(&iam->lock);
    if (text_equal(email, iam->cloud->email))
        add_key(list, iam->cloud->account_key, iam->cloud->key_id);
}

static void show_certificates(const struct local_cloud *cloud, struct reply *reply) {
    struct error error = {0};
    char *pem = jwt_key_private_pem(cloud->server_key, &error);
    AUTO_FREE char *certificate = pem ? certificate_self_signed(pem, strlen(pem),
                                                                "federated-signon.system."
                                                                "gserviceaccount.com",
                                                                good_from, good_until, &error)
                                      : NULL;
    if (pem)
        memory_wipe(pem, strlen(pem));
    free(pem);
    if (!certificate) {
        reply_google_error(reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, SERVER_KEY_ID, certificate);
    reply_json(reply, 200, document);
}

static void keys_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    const char *path = request->path;
    const char *email = text_starts_with(path, jwk_path) ? path + strlen(jwk_path) : NULL;
    reply_header(reply, "Cache-Control", "public, max-age=20000, must-revalidate, no-transform");
    if (text_equal(path, certificates_path)) {
        show_certificates(cloud, reply);
        return;
    }
    if (email && !iam_has_account(cloud, email)) {
        reply_google_error(reply, 404, "the local cloud has no %.200s", path);
        return;
    }
    struct json *document = json_new_object(), *list = json_new_array();
    if (email)
        add_account(cloud->iam, email, list);
    else
        add_key(list, cloud->server_key, SERVER_KEY_ID);
    json_set(document, "keys", list);
    reply_json(reply, 200, document);
}

void iam_keys_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    request->handle = keys_handle;
    if (!request_is(request, "GET"))
        reply_google_error(reply, 405, "use GET");
}
