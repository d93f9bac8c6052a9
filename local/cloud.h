/* The local cloud: its state on disk, its identity, its parts. One struct local_cloud per serving process.
 *
 *   ${PL_LOCAL_STATE:-${XDG_STATE_HOME:-~/.local/state}/pl-local}, mode 0700
 *     lock              flock held by the serving process for its life; its process id
 *     config.json       port and project, chosen at the first start and kept
 *     server.pem        the key that signs the tokens of this cloud
 *     credentials.json  a service account's key (GOOGLE_APPLICATION_CREDENTIALS), mode 0600
 *     user.json         a user's credentials with a refresh token, as gcloud keeps them, mode 0600; the same account
 *     store/            blobs, manifests, unpacked layers (common/store)
 *     registry/         which repository holds which blob, manifest and tag
 *     hosting/          sites, their versions, releases and channels
 *     identity/         users who signed in, the key of their tokens
 *     iam/              workload identity pools, service accounts, policies
 *     issuer.pem        the key of the issuer that plays GitHub's and GitLab's
 *     secrets/          Secret Manager's secrets
 *     run/              services, revisions, jobs, executions, policies, operations
 *     logs/             what services and jobs printed; server.log */
#ifndef LOCAL_CLOUD_H
#define LOCAL_CLOUD_H

#include "common/crypto/jwt.h"
#include "common/store/store.h"
#include "local/server/server.h"

struct hosting;
struct iam;
struct identity;
struct issuer;
struct registry;
struct run;
struct secrets;

struct local_settings {
    const char *state;          /* NULL: as above */
    const char *project;        /* NULL: what the state says, else "pl-local" */
    long long port;             /* -1: what the state says, else any */
    bool strict;                /* nobody calls a service without permission, not even who runs the cloud */
    long long token_time;       /* seconds that a token lives at most; -1: an hour */
    long long startup_time;     /* seconds until an instance must listen, unless a probe says otherwise; -1: 240 */
    long long idle_time;        /* seconds without a request after which an instance is stopped; -1: 15 minutes */
    long long queue_time;       /* seconds that a request waits for an instance; -1: 10 */
    struct text_list databases; /* as run_database_parse takes them; borrowed */
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
    unsigned idle_time;
    unsigned queue_time;
    struct text_list databases; /* which stand for Cloud SQL instances (local/run/run.h) */
    unsigned token_seconds;     /* how long a token lives at most */
    bool strict;
    int listener;
    struct jwt_key *server_key;
    struct jwt_key *account_key;
    struct store *store;
    struct registry *registry;
    struct run *run;
    struct hosting *hosting;
    struct identity *identity;
    struct iam *iam;
    struct issuer *issuer;
    struct secrets *secrets;
    struct server *server;
};

/* The id of cloud->email, and the OAuth client of user.json. */
#define LOCAL_ACCOUNT_ID "100000000000000000001"
#define LOCAL_CLIENT_ID "pl-local.apps.googleusercontent.com"
#define LOCAL_CLIENT_SECRET "pl-local"

/* The state directory. The caller frees. */
char *local_state_path(const char *given);

/* Opens or makes the state and listens; the caller holds the lock. */
int local_cloud_open(struct local_cloud *cloud, const struct local_settings *settings, struct error *error) MUST_CHECK;
int local_cloud_serve(struct local_cloud *cloud, struct error *error) MUST_CHECK;
/* Stops serving, ends every instance, releases everything. */
void local_cloud_close(struct local_cloud *cloud);

/* Reads the private key in a PEM file, or makes one there. */
struct jwt_key *local_key_open(const char *path, struct error *error) MUST_CHECK;

/* What a token may be used for. */
enum token_type { TOKEN_ACCESS = 1, TOKEN_REGISTRY = 2, TOKEN_IDENTITY = 4 };
enum { TOKEN_SECONDS = 3600 };

/* Who it is for: an e-mail address, or "principal://…" with its other members ("principalSet://…"). */
struct token_request {
    enum token_type type;
    const char *principal;
    const struct json *members; /* an array of texts, or NULL */
    const char *subject;        /* "sub"; NULL: the principal */
    const char *audience;       /* NULL: this cloud */
    const char *scope;          /* OAuth scopes; NULL: everything */
    const struct json *access;  /* goes in as it is; NULL: nothing */
    int64_t ends;               /* Unix seconds; 0: as late as tokens of this cloud do */
    bool without_email;         /* of an identity token */
};
/* A signed token. The caller frees. */
char *token_mint(const struct local_cloud *cloud, const struct token_request *request, struct error *error) MUST_CHECK;
/* Signature, times and type (a mask). *claims may be NULL. ERROR_PERMISSION. */
int token_check(const struct local_cloud *cloud, const char *token, unsigned types, struct json **claims,
                struct error *error) MUST_CHECK;
/* Who a checked token is for: an e-mail address or "principal://…", borrowed, and what policies may call it. */
const char *token_principal(const struct json *claims);
void token_members(const struct json *claims, struct text_list *members);
/* The bearer of an access token asks (or Firebase's tools of this user, without --strict): sets request->principal and
 * request->members. Else answers 401 as Google does and returns false. */
bool require_access(const struct local_cloud *cloud, struct request *request, struct reply *reply);
/* Whether whom require_access has found has this permission in the project. */
bool request_may(const struct local_cloud *cloud, const struct request *request, const char *permission);

/* The refresh token of user.json, which does not end. The caller wipes and frees. */
char *local_refresh_token(const struct local_cloud *cloud, struct error *error) MUST_CHECK;

/* The parts that need no state of their own; each is told from the others by the path. They answer or set `handle`. */
void oauth_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
void metadata_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
void google_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

#endif
