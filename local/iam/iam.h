/* Identity and access of the local cloud: who may do what, and how somebody from elsewhere becomes somebody here.
 *
 *   iam.googleapis.com/v1             workload identity pools and OIDC providers; service accounts, their keys and
 *                                     policies
 *   cloudresourcemanager v1, v3       the project's policy: getIamPolicy, setIamPolicy, testIamPermissions
 *   iamcredentials.googleapis.com/v1  generateAccessToken, generateIdToken, signJwt, signBlob
 *   sts.googleapis.com/v1/token       the exchange of an OIDC token for an access token (RFC 8693)
 *
 * There is one project. Its policy is the one above everything in it: services, repositories and sites have none of
 * their own but Cloud Run's services and the service accounts. The account of the cloud, cloud->email, owns the project
 * whatever the policy says, so that nobody locks himself out.
 *
 *   iam/state.json       pools, providers, accounts, policies
 *   iam/keys/EMAIL.pem   what an account signs with when it is asked through the API */
#ifndef LOCAL_IAM_IAM_H
#define LOCAL_IAM_IAM_H

#include "local/cloud.h"

struct iam;

struct iam *iam_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void iam_close(struct iam **iam);

bool iam_is_path(const char *path);
void iam_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
/* POST /v1/token: needs no token. */
void sts_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
/* The public keys of service accounts, and of the tokens of generateIdToken: need no token. */
bool iam_is_key_path(const char *path);
void iam_keys_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* By the project's policy, or by that of the service account `account` (NULL: none). */
bool iam_permits(const struct local_cloud *cloud, const struct text_list *members, const char *permission,
                 const char *account);
/* Providers and service accounts of a state directory, a line each, for people. */
void iam_list(const char *state, struct buffer *out);
bool iam_has_account(const struct local_cloud *cloud, const char *email);
/* The public half of a key that somebody holds a file of; `key_id` NULL: tokens without one are the cloud's own
 * account's. NULL when there is none. */
struct jwt_key *iam_account_key(const struct local_cloud *cloud, const char *email, const char *key_id);

#endif
