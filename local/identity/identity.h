/* Firebase Authentication of the local cloud: anonymous sign-in, the refresh of tokens, and the certificates that prove
 * the tokens, as Firebase's JavaScript SDK asks for them when it is connected to an emulator at this cloud's URL:
 *
 *   connectAuthEmulator(auth, "http://127.0.0.1:PORT")
 *
 *   /identitytoolkit.googleapis.com/v1/accounts:signUp|lookup|update|delete, …/v1/projects   by API key (any)
 *   /securetoken.googleapis.com/v1/token                                                     by API key (any)
 *   /admin/v2/projects/P/config, /v1/projects/P/accounts:lookup|delete|query                 by access token
 *   /robot/v1/metadata/x509/securetoken@system.gserviceaccount.com                           public: {kid: certificate}
 *   /service_accounts/v1/jwk/securetoken@system.gserviceaccount.com                          public: the same as JWKs
 *
 * An ID token is an RS256 JWT with kid, iss https://securetoken.google.com/PROJECT, aud PROJECT, and lives an hour, so
 * that google-auth verifies it with nothing but the certificates' URL set. Other ways to sign in are refused as Google
 * refuses what a project has not switched on. Pages of this machine may ask from any port (CORS); those of elsewhere
 * may not.
 *
 *   identity/key.pem      signs the tokens
 *   identity/config.json  the authorized domains
 *   identity/users/UID    one JSON document for each user */
#ifndef LOCAL_IDENTITY_IDENTITY_H
#define LOCAL_IDENTITY_IDENTITY_H

#include "common/base/error.h"
#include "local/server/server.h"

struct local_cloud;
struct identity;

enum { USERS_LIMIT = 100000 };

struct identity *identity_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void identity_close(struct identity **identity);

bool identity_is_path(const char *path);
void identity_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

#endif
