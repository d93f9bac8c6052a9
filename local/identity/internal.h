/* What the files of local/identity share. */
#ifndef LOCAL_IDENTITY_INTERNAL_H
#define LOCAL_IDENTITY_INTERNAL_H

#include "common/crypto/jwt.h"
#include "local/cloud.h"
#include "local/identity/identity.h"

#include <pthread.h>

struct identity {
    const struct local_cloud *cloud;
    char *root;
    pthread_mutex_t lock; /* of the users on disk, their number, and the configuration */
    size_t users;
    struct jwt_key *key;
    char *key_id;
    char *certificate; /* PEM */
};

/* One request; the lock is held. */
struct ask {
    const struct local_cloud *cloud;
    struct identity *identity;
    const struct request *request;
    struct reply *reply;
    const struct json *body; /* an object */
    bool is_admin;           /* with an access token, about a project */
};

/* {"error":{"code":400,"message":"INVALID_ID_TOKEN","errors":[…]}} */
void ask_refuse(struct ask *ask, const char *message);

/* ---- accounts.c ---- */
void account_sign_up(struct ask *ask);
void account_lookup(struct ask *ask);
void account_update(struct ask *ask);
void account_delete(struct ask *ask);
void account_query(struct ask *ask);

/* ---- refresh.c ---- */
void token_refresh(struct ask *ask);

/* ---- settings.c ---- */
void project_get(struct ask *ask);
void settings_get(struct ask *ask);
void settings_patch(struct ask *ask);

/* ---- users.c ---- */
bool user_id_is_valid(const char *id);
/* NULL when there is none. The caller releases. */
struct json *user_read(const struct identity *identity, const char *id);
int user_write(const struct identity *identity, const char *id, const struct json *user,
               struct error *error) MUST_CHECK;
void user_remove(struct identity *identity, const char *id);
/* Unix seconds. */
int64_t user_signed_in_at(const struct json *user);
void user_ids(const struct identity *identity, struct text_list *ids);
/* A new user; *id is the caller's. */
int user_make(struct identity *identity, char **id, struct error *error) MUST_CHECK;

/* ---- keys.c ---- */
int keys_open(struct identity *identity, struct error *error) MUST_CHECK;
/* An ID token for a user who signed in at `signed_in` (Unix seconds). The caller frees. */
char *id_token_mint(const struct identity *identity, const char *user_id, const struct json *user, int64_t signed_in,
                    struct error *error) MUST_CHECK;
/* A refresh token does not end; it is good as long as its user is there. The caller frees. */
char *user_refresh_token_mint(const struct identity *identity, const char *user_id, struct error *error) MUST_CHECK;
/* The user's id, which the caller frees, or NULL. */
char *user_refresh_token_check(const struct identity *identity, const char *token);
/* Signature, times, issuer and audience: the user's id, which the caller frees, or NULL. */
char *id_token_check(const struct identity *identity, const char *token);

#endif
