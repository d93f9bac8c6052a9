#include "local/cloud.h"

#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/hosting/hosting.h"
#include "local/iam/iam.h"
#include "local/identity/identity.h"
#include "local/issuer/issuer.h"
#include "local/knative/knative.h"
#include "local/network/network.h"
#include "local/registry/registry.h"
#include "local/run/run.h"
#include "local/secrets/secrets.h"

#include <signal.h>
#include <string.h>

enum { CONFIG_LIMIT = 64 << 10, STARTUP_SECONDS = 240, ACCOUNT_KEY_ID = 41 };

char *local_state_path(const char *given) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (!text_is_empty(given)) {
        AUTO_FREE char *here = *given == '/' ? NULL : getcwd(NULL, 0);
        return here ? path_join(here, given) : text_copy(given);
    }
    if (!text_is_empty(state) && *state == '/')
        return path_join(state, "pl-local");
    return path_join(text_is_empty(home) ? "/root" : home, ".local/state/pl-local");
}

static bool is_project(const char *project) {
    size_t length = strlen(project);
    return length >= 6 && length <= 30 && project[0] >= 'a' && project[0] <= 'z' && project[length - 1] != '-' &&
           strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* What was chosen at the first start stays, unless it is given again. */
static int read_config(struct local_cloud *cloud, const struct local_settings *settings, struct error *error) {
    AUTO_FREE char *path = path_join(cloud->state, "config.json");
    AUTO_JSON struct json *config = file_exists(path) ? json_parse_file(path, CONFIG_LIMIT, error) : json_new_object();
    if (!config)
        return error_next(error, "remove this file, or all of the local cloud: pl-local reset");
    const char *project = settings->project ? settings->project : json_get_text(config, "project", "pl-local");
    int64_t port = settings->port >= 0 ? settings->port : json_get_integer(config, "port", 0);
    if (!is_project(project))
        return error_set(error, ERROR_USAGE, "\"%.60s\" is no project id: 6 to 30 lower-case letters, digits, hyphens",
                         project);
    if (port < 0 || port > 65535)
        return error_set(error, ERROR_USAGE, "the port %lld is not between 0 and 65535", (long long)port);
    cloud->project = text_copy(project);
    cloud->number = text_copy("100000000001");
    cloud->email = text_format("developer@%s.iam.gserviceaccount.com", project);
    cloud->port = (unsigned)port;
    cloud->strict = settings->strict;
    cloud->startup_time = settings->startup_time > 0 ? (unsigned)settings->startup_time : STARTUP_SECONDS;
    cloud->idle_time = settings->idle_time >= 0 ? (unsigned)settings->idle_time : IDLE_SECONDS;
    for (size_t i = 0; i < settings->databases.count; i++) {
        struct run_database ignored;
        if (run_database_parse(settings->databases.items[i], &ignored, error) < 0)
            return -1;
    }
    text_list_add_all(&cloud->databases, &settings->databases);
    cloud->queue_time = settings->queue_time >= 0 ? (unsigned)settings->queue_time : QUEUE_SECONDS;
    cloud->token_seconds = settings->token_time > 0 ? (unsigned)settings->token_time : TOKEN_SECONDS;
    cloud->listener = loopback_listen(&cloud->port, settings->port <= 0, error);
    if (cloud->listener < 0)
        return error_next(error, "another program has this port: give another one with --port");
    cloud->host = text_format("127.0.0.1:%u", cloud->port);
    cloud->origin = text_format("http://%s", cloud->host);
    json_set_text(config, "project", project);
    json_set_integer(config, "port", cloud->port);
    AUTO_FREE char *text = json_format(config, JSON_PRETTY);
    return file_write_atomic(path, text, strlen(text), 0600, error);
}

struct jwt_key *local_key_open(const char *path, struct error *error) {
    AUTO_BUFFER struct buffer pem = BUFFER(CONFIG_LIMIT);
    bool found = false;
    if (file_read(path, &pem, &found, error) < 0)
        return NULL;
    AUTO_JWT_KEY struct jwt_key *key =
        found ? jwt_key_private(buffer_text(&pem), pem.length, error) : jwt_key_generate(error);
    char *text = key ? jwt_key_private_pem(key, error) : NULL;
    int result = !text   ? error_wrap(error, "%s", path)
                 : found ? 0
                         : file_write_atomic(path, text, strlen(text), 0600, error);
    if (text)
        memory_wipe(text, strlen(text));
    if (pem.data)
        memory_wipe(pem.data, pem.length);
    free(text);
    return result < 0 ? NULL : take_pointer(&key);
}

static int open_server_key(struct local_cloud *cloud, struct error *error) {
    AUTO_FREE char *path = path_join(cloud->state, "server.pem");
    cloud->server_key = local_key_open(path, error);
    return cloud->server_key ? 0 : -1;
}

static int write_credentials(const struct local_cloud *cloud, const char *path, const char *pem, struct error *error) {
    AUTO_JSON struct json *document = json_new_object();
    AUTO_FREE char *token_uri = text_format("%s/token", cloud->origin);
    json_set_text(document, "type", "service_account");
    json_set_text(document, "project_id", cloud->project);
    json_set_text(document, "private_key_id", cloud->key_id);
    json_set_text(document, "private_key", pem);
    json_set_text(document, "client_email", cloud->email);
    json_set_text(document, "client_id", LOCAL_ACCOUNT_ID);
    json_set_text(document, "auth_uri", "https://accounts.google.com/o/oauth2/auth");
    json_set_text(document, "token_uri", token_uri);
    json_set_text(document, "universe_domain", "googleapis.com");
    char *text = json_format(document, JSON_PRETTY);
    int result = file_write_atomic(path, text, strlen(text), 0600, error);
    memory_wipe(text, strlen(text));
    free(text);
    return result;
}

/* The key stays; the file follows the port and the project. */
static int open_credentials(struct local_cloud *cloud, struct error *error) {
    AUTO_FREE char *path = path_join(cloud->state, "credentials.json");
    AUTO_JSON struct json *document = file_exists(path) ? json_parse_file(path, CONFIG_LIMIT, error) : NULL;
    const char *pem = json_get_text(document, "private_key", NULL);
    const char *id = json_get_text(document, "private_key_id", NULL);
    char random[ACCOUNT_KEY_ID];
    random_hex(random, sizeof(random));
    cloud->key_id = text_copy(id ? id : random);
    cloud->account_key = pem ? jwt_key_private(pem, strlen(pem), error) : jwt_key_generate(error);
    char *text = cloud->account_key ? jwt_key_private_pem(cloud->account_key, error) : NULL;
    if (!text)
        return error_wrap(error, "%s", path);
    int result = write_credentials(cloud, path, text, error);
    memory_wipe(text, strlen(text));
    free(text);
    return result;
}

static int write_user(const struct local_cloud *cloud, struct error *error) {
    AUTO_FREE char *path = path_join(cloud->state, "user.json");
    AUTO_JSON struct json *document = json_new_object();
    char *token = local_refresh_token(cloud, error);
    if (!token)
        return -1;
    json_set_text(document, "type", "authorized_user");
    json_set_text(document, "client_id", LOCAL_CLIENT_ID);
    json_set_text(document, "client_secret", LOCAL_CLIENT_SECRET);
    json_set_text(document, "refresh_token", token);
    json_set_text(document, "quota_project_id", cloud->project);
    json_set_text(document, "universe_domain", "googleapis.com");
    AUTO_FREE char *text = json_format(document, JSON_PRETTY);
    int result = file_write_atomic(path, text, strlen(text), 0600, error);
    memory_wipe(text, strlen(text));
    memory_wipe(token, strlen(token));
    free(token);
    return result;
}

int local_cloud_open(struct local_cloud *cloud, const struct local_settings *settings, struct error *error) {
    *cloud = (struct local_cloud){.listener = -1, .state = local_state_path(settings->state)};
    AUTO_FREE char *store = path_join(cloud->state, "store");
    if (read_config(cloud, settings, error) < 0 || open_server_key(cloud, error) < 0 ||
        open_credentials(cloud, error) < 0 || write_user(cloud, error) < 0)
        return -1;
    cloud->store = store_open(store, error);
    if (!cloud->store)
        return -1;
    cloud->registry = registry_open(cloud, error);
    if (!cloud->registry)
        return -1;
    cloud->secrets = secrets_open(cloud, error);
    if (!cloud->secrets)
        return -1;
    cloud->run = run_open(cloud, error);
    if (!cloud->run)
        return -1;
    cloud->hosting = hosting_open(cloud, error);
    if (!cloud->hosting)
        return -1;
    cloud->identity = identity_open(cloud, error);
    if (!cloud->identity)
        return -1;
    cloud->iam = iam_open(cloud, error);
    if (!cloud->iam)
        return -1;
    cloud->issuer = issuer_open(cloud, error);
    return cloud->issuer ? 0 : -1;
}

static bool is_oauth_path(const char *path) {
    return text_equal(path, "/token") || text_equal(path, "/oauth2/v4/token") || text_equal(path, "/o/oauth2/token") ||
           text_equal(path, "/v1/oauthtoken");
}

static bool is_metadata_path(const char *path) {
    return text_starts_with(path, "/computeMetadata") || text_equal(path, "/");
}

static bool is_entries_path(const char *path) {
    return text_equal(path, "/v2/entries:list");
}

static bool is_functions_path(const char *path) {
    return text_starts_with(path, "/v2/projects/") && text_ends_with(path, "/functions");
}

static bool is_registry_path(const char *path) {
    return text_starts_with(path, "/v2/") || text_equal(path, "/v2");
}

static bool is_sts_path(const char *path) {
    return text_equal(path, "/v1/token");
}

/* The first that takes a path has it. */
static const struct {
    bool (*is_path)(const char *path);
    void (*begin)(struct local_cloud *cloud, struct request *request, struct reply *reply);
} parts[] = {
    {hosting_is_path, hosting_begin},  {identity_is_path, identity_begin}, {iam_is_path, iam_begin},
    {iam_is_key_path, iam_keys_begin}, {issuer_is_path, issuer_begin},     {secrets_is_path, secrets_begin},
    {run_is_path, run_begin},          {knative_is_path, knative_begin},   {is_entries_path, run_entries_begin},
    {is_functions_path, google_begin}, {is_registry_path, registry_begin}, {is_sts_path, sts_begin},
    {is_oauth_path, oauth_begin},      {is_metadata_path, metadata_begin},
};

static void begin(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    if (hosting_is_host(request->host)) {
        hosting_serve_begin(cloud, request, reply);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (parts[i].is_path(request->path)) {
            parts[i].begin(cloud, request, reply);
            return;
        }
    google_begin(cloud, request, reply);
}

int local_cloud_serve(struct local_cloud *cloud, struct error *error) {
    signal(SIGPIPE, SIG_IGN);
    cloud->server = server_start(take_fd(&cloud->listener), begin, cloud, error);
    return cloud->server ? 0 : -1;
}

void local_cloud_close(struct local_cloud *cloud) {
    run_close(&cloud->run);
    server_stop(&cloud->server);
    issuer_close(&cloud->issuer);
    iam_close(&cloud->iam);
    identity_close(&cloud->identity);
    hosting_close(&cloud->hosting);
    secrets_close(&cloud->secrets);
    registry_close(&cloud->registry);
    store_close(&cloud->store);
    jwt_key_release(&cloud->server_key);
    jwt_key_release(&cloud->account_key);
    cleanup_close(&cloud->listener);
    text_list_release(&cloud->databases);
    free(cloud->state);
    free(cloud->project);
    free(cloud->number);
    free(cloud->email);
    free(cloud->key_id);
    free(cloud->origin);
    free(cloud->host);
    *cloud = (struct local_cloud){.listener = -1};
}
