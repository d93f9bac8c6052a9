/* The local cloud: its state on disk, its identity, its parts. One struct local_cloud per serving process.
 *
 *   ${PL_LOCAL_STATE:-${XDG_STATE_HOME:-~/.local/state}/pl-local}, mode 0700
 *     lock              flock held by the serving process for its life; its process id
 *     config.json       port and project, chosen at the first start and kept
 *     server.pem        the key that signs the tokens of this cloud
 *     credentials.json  a service account's key (GOOGLE_APPLICATION_CREDENTIALS), mode 0600
 *     store/            blobs, manifests, unpacked layers (common/store)
 *     registry/         which repository holds which blob, manifest and tag
 *     hosting/          sites, their versions, releases and channels
 *     identity/         users who signed in, the key of their tokens
 *     run/              services, revisions, policies, operations
 *     logs/             what the services printed; server.log */
#ifndef LOCAL_CLOUD_H
#define LOCAL_CLOUD_H

#include "common/crypto/jwt.h"
#include "common/store/store.h"
#include "local/server/server.h"

struct hosting;
struct identity;
struct registry;
struct run;

struct local_settings {
    const char *state;      /* NULL: as above */
    const char *project;    /* NULL: what the state says, else "pl-local" */
    long long port;         /* -1: what the state says, else any */
    bool strict;            /* nobody calls a service without permission, not even who runs the cloud */
    long long startup_time; /* seconds until an instance must listen, unless a probe says otherwise; -1: 240 */
};

struct local_cloud {
    char *state;
    char *project;
    char *number; /* of the project */
    char *email;  /* of the one service account */
    char *key_id;
    char *origin; /* "http://127.0.0.1:PORT" */
    char *host;   /* "127.0.0.1:PORT" */
    unsigned port;
    unsigned startup_time;
    bool strict;
    int listener;
    struct jwt_key *server_key;
    struct jwt_key *account_key;
    struct store *store;
    struct registry *registry;
    struct run *run;
    struct hosting *hosting;
    struct identity *identity;
    struct server *server;
};

/* The state directory. The caller frees. */
char *local_state_path(const char *given);

/* Opens or makes the state and listens; the caller holds the lock. */
int local_cloud_open(struct local_cloud *cloud, const struct local_settings *settings, struct error *error) MUST_CHECK;
int local_cloud_serve(struct local_cloud *cloud, struct error *error) MUST_CHECK;
/* Stops serving, ends every instance, releases everything. */
void local_cloud_close(struct local_cloud *cloud);

/* Whose tokens: `type` is what they may be used for. */
enum token_type { TOKEN_ACCESS = 1, TOKEN_REGISTRY = 2, TOKEN_IDENTITY = 4 };
enum { TOKEN_SECONDS = 3600 };
/* A signed token. `access` (borrowed, may be NULL) goes in as it is; audience NULL: this cloud. The caller frees. */
char *token_mint(const struct local_cloud *cloud, enum token_type type, const char *email, const char *audience,
                 const struct json *access, struct error *error) MUST_CHECK;
/* Signature, times and type (a mask). *claims may be NULL. ERROR_PERMISSION. */
int token_check(const struct local_cloud *cloud, const char *token, unsigned types, struct json **claims,
                struct error *error) MUST_CHECK;
/* The bearer of an access token asks (or Firebase's tools of this user, without --strict): sets request->principal.
 * Else answers 401 as Google does and returns false. */
bool require_access(const struct local_cloud *cloud, struct request *request, struct reply *reply);

/* The parts that need no state of their own; each is told from the others by the path. They answer or set `handle`. */
void oauth_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
void metadata_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
void google_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

#endif
