/* JSON Web Tokens signed with RS256 (RFC 7515, 7519): made by a service account's key, checked by the local cloud.
 *
 * Over OpenSSL's EVP, which is linked for digests anyway: RS256 is one EVP_DigestSign over two base64url parts, so
 * libjwt would add a library and take nothing away. Only RS256 is known; a token that names another algorithm, also
 * "none" or HS256, is refused before its signature is looked at. */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "common/base/buffer.h"
#include "common/json/json.h"

#include <stdint.h>

/* A token is at most this long, RSA keys have 2048 to 8192 bits. */
enum { JWT_LIMIT = 16384, JWT_LEEWAY = 60 /* seconds a clock may differ */ };

struct jwt_key;
/* PEM, PKCS#8 ("BEGIN PRIVATE KEY") or PKCS#1; an encrypted key is ERROR_DATA. No text of the key is in an error. */
struct jwt_key *jwt_key_private(const char *pem, size_t length, struct error *error) MUST_CHECK;
/* PEM "BEGIN PUBLIC KEY". */
struct jwt_key *jwt_key_public(const char *pem, size_t length, struct error *error) MUST_CHECK;
/* The public half from a JSON Web Key of RSA (RFC 7517); "alg" must be RS256 or absent. */
struct jwt_key *jwt_key_from_jwk(const struct json *jwk, struct error *error) MUST_CHECK;
/* A new RSA key pair of 2048 bits. */
struct jwt_key *jwt_key_generate(struct error *error) MUST_CHECK;
void jwt_key_release(struct jwt_key **key);
#define AUTO_JWT_KEY AUTO(jwt_key_release)

/* PEM text; the caller wipes (the private one) and frees. jwt_key_private_pem is PKCS#8. */
char *jwt_key_private_pem(const struct jwt_key *key, struct error *error) MUST_CHECK;
char *jwt_key_public_pem(const struct jwt_key *key, struct error *error) MUST_CHECK;
/* The public half as a JSON Web Key {"kty","alg","use","kid","n","e"} (RFC 7517). */
struct json *jwt_key_jwk(const struct jwt_key *key, const char *key_id, struct error *error) MUST_CHECK;

/* A signed token over `claims`, with "kid" in its header unless key_id is NULL. The caller wipes and frees. */
char *jwt_sign(const struct jwt_key *key, const char *key_id, const struct json *claims,
               struct error *error) MUST_CHECK;

/* The bare signature (RSASSA-PKCS1-v1_5 with SHA-256) over any bytes, appended to `out`. */
int jwt_sign_bytes(const struct jwt_key *key, const void *data, size_t length, struct buffer *out,
                   struct error *error) MUST_CHECK;

/* Header and claims without checking anything (either may be NULL): to find the key of a kid, or to show what a token
 * says. ERROR_DATA when it is no token. */
int jwt_read(const char *token, struct json **header, struct json **claims, struct error *error) MUST_CHECK;
/* The signature; *claims (owned by the caller) is set only when it is right. ERROR_PERMISSION else. */
int jwt_verify(const struct jwt_key *key, const char *token, struct json **claims, struct error *error) MUST_CHECK;
/* "exp" (needed), "nbf", "iat" against `now` (Unix seconds) with JWT_LEEWAY; "aud" (text or list) must hold `audience`
 * and "iss" be `issuer`, unless NULL. ERROR_PERMISSION, saying which claim has which value. */
int jwt_check_claims(const struct json *claims, const char *issuer, const char *audience, int64_t now,
                     struct error *error) MUST_CHECK;

#endif
