/* What the files of local/iam share. */
#ifndef LOCAL_IAM_INTERNAL_H
#define LOCAL_IAM_INTERNAL_H

#include "common/crypto/jwt.h"
#include "local/iam/iam.h"
#include "local/iam/policy.h"

#include <pthread.h>

enum { IAM_NAMES = 3 };

struct iam {
    const struct local_cloud *cloud;
    char *root;
    pthread_mutex_t lock; /* of `state` */
    /* {"pools": {ID: {…, "providers": {ID: {…}}}}, "accounts": {EMAIL: {…, "policy": {…}, "keys": {ID: {…}}}},
     * "policy": {…}, "created": how many accounts were ever made} */
    struct json *state;
};

/* One request; the lock is held. */
struct iam_call {
    const struct local_cloud *cloud;
    struct iam *iam;
    struct request *request;
    struct reply *reply;
    const struct json *body; /* an object */
    const char *project;     /* as it was asked for: an id, a number or "-" */
    const char *names[IAM_NAMES];
};

int iam_save(struct iam *iam, struct error *error) MUST_CHECK;
/* Saves and answers with `value` (taken), or says that it could not. */
void iam_answer_saved(struct iam_call *call, struct json *value);

/* The lock is held. */
bool permitted(const struct iam *iam, const struct text_list *members, const char *permission, const char *account);
/* 403 PERMISSION_DENIED with ErrorInfo, as IAM says it. `resource` NULL: as iamcredentials does. */
void reply_denied(struct reply *reply, const char *permission, const char *resource);

/* ---- pools.c, providers.c ---- */
void pool_list(struct iam_call *call);
void pool_create(struct iam_call *call);
void pool_get(struct iam_call *call);
void pool_patch(struct iam_call *call);
void pool_delete(struct iam_call *call);
void pool_undelete(struct iam_call *call);
void pool_operation(struct iam_call *call);
void provider_list(struct iam_call *call);
void provider_create(struct iam_call *call);
void provider_get(struct iam_call *call);
void provider_patch(struct iam_call *call);
void provider_delete(struct iam_call *call);
void provider_undelete(struct iam_call *call);
void provider_operation(struct iam_call *call);

/* What both kinds have in common. `parent` holds the resources by id. */
bool federation_id_is_valid(const char *id);
void federation_list(struct iam_call *call, const struct json *parent, const char *key);
void federation_delete(struct iam_call *call, struct json *resource, const char *type);
void federation_undelete(struct iam_call *call, struct json *resource, const char *type);
/* A finished operation about a resource, which is as it was saved. */
void federation_operation(struct iam_call *call, const struct json *resource, const char *type, const char *id);
/* NULL: it is answered that there is none. Borrowed. */
struct json *pool_find(struct iam_call *call);

/* ---- attributes.c ---- */
/* Mapping and condition of a provider, as it is made or changed. */
int attributes_check(const struct json *provider, struct error *error) MUST_CHECK;
/* What the claims become: *subject, and the members that a policy may name ("principal://…" and
 * "principalSet://…"). `pool` is "projects/N/locations/global/workloadIdentityPools/P". ERROR_PERMISSION: the condition
 * says no. */
int attributes_map(const struct json *provider, const struct json *claims, const char *pool, struct text_list *members,
                   struct error *error) MUST_CHECK;

/* ---- discovery.c ---- */
/* The key of that id of an issuer whose URL is on this machine. Asks it anew each time, at most ten seconds. */
struct jwt_key *discover_key(const char *issuer, const char *key_id, struct error *error) MUST_CHECK;

/* ---- service_accounts.c, service_account_keys.c ---- */
void service_account_list(struct iam_call *call);
void service_account_create(struct iam_call *call);
void service_account_get(struct iam_call *call);
void service_account_patch(struct iam_call *call);
void service_account_put(struct iam_call *call);
void service_account_delete(struct iam_call *call);
void service_account_enable(struct iam_call *call);
void service_account_disable(struct iam_call *call);
void service_account_policy_get(struct iam_call *call);
void service_account_policy_set(struct iam_call *call);
void service_account_policy_test(struct iam_call *call);
void service_account_key_list(struct iam_call *call);
void service_account_key_create(struct iam_call *call);
void service_account_key_get(struct iam_call *call);
void service_account_key_delete(struct iam_call *call);
/* By e-mail address or unique id. NULL when there is none. Borrowed. */
struct json *account_find(const struct iam *iam, const char *name);
/* What the account signs with when it is asked through the API; *key_id is the caller's. */
struct jwt_key *service_account_system_key(struct iam *iam, const char *email, char **key_id,
                                           struct error *error) MUST_CHECK;

/* ---- credentials.c ---- */
void service_account_access_token(struct iam_call *call);
void service_account_id_token(struct iam_call *call);
void service_account_sign_jwt(struct iam_call *call);
void service_account_sign_blob(struct iam_call *call);

/* ---- project.c ---- */
void project_policy_get(struct iam_call *call);
void project_policy_set(struct iam_call *call);
void project_policy_test(struct iam_call *call);

#endif
