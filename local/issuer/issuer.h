/* An OIDC issuer that plays GitHub Actions' and GitLab's: identity tokens of a job, with their claims, signed with a
 * key of this cloud. Their "iss" is the real one, so that a provider is made here with the same words as at Google;
 * whoever exchanges them at this cloud has them checked with this cloud's key.
 *
 *   POST /github/jobs    {"claims": {…}}  by access token of the cloud's owner: {"requestUrl", "requestToken"}, what a
 *                        job has in ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN; the token ends with the job, in 6 hours
 *   GET  /github/idtoken?api-version=2.0[&audience=A]   by that token: {"value": JWT}, which lives for 300 seconds
 *   POST /gitlab/jobs    {"claims": {…}, "audience": A}: {"idToken"}, what `id_tokens:` puts into a variable
 *   GET  /github/.well-known/openid-configuration, /github/.well-known/jwks
 *        /gitlab/.well-known/openid-configuration, /gitlab/oauth/discovery/keys      for everybody
 *
 * `claims` overrides or adds claims; the others follow from "repository" (GitLab: "project_path"), "ref",
 * "environment" and "event_name". The shortened life of tokens (--token-lifetime) holds for these, too.
 *
 *   issuer.pem  the key */
#ifndef LOCAL_ISSUER_ISSUER_H
#define LOCAL_ISSUER_ISSUER_H

#include "local/cloud.h"

struct issuer;

struct issuer *issuer_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void issuer_close(struct issuer **issuer);

/* The public key of that id, or NULL. Owned by the caller. */
struct jwt_key *issuer_key(const struct issuer *issuer, const char *key_id);

bool issuer_is_path(const char *path);
void issuer_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

#endif
