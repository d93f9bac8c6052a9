#include "local/federation.h"

#include "common/http/http.h"
#include "common/json/json.h"
#include "local/control.h"

#include <ctype.h>
#include <string.h>

enum { DEADLINE = 30, PROVIDER_LENGTH = 26 };

#define ACCOUNT_ID "deployer"

struct setting_up {
    struct http *http;
    const struct federation_request *request;
    char *origin, *project, *number, *token;
    char *email, *provider, *pool; /* the last two: full names */
    const char *issuer;            /* "github" or "gitlab" */
};

static void setting_up_release(struct setting_up *work) {
    http_release(&work->http);
    if (work->token)
        memory_wipe(work->token, strlen(work->token));
    char *owned[] = {work->origin, work->project, work->number, work->token, work->email, work->provider, work->pool};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free(owned[i]);
}

/* *reply is the caller's; 409, it is there already, counts as done and gives an empty object. */
static int ask(struct setting_up *work, const char *path, const struct json *body, struct json **reply,
               struct error *error) {
    AUTO_FREE char *url = text_format("%s%s", work->origin, path);
    AUTO_FREE char *text = json_format(body, JSON_COMPACT_STYLE);
    AUTO_RESPONSE struct http_response response;
    struct http_request request = {.method = "POST",
                                   .url = url,
                                   .authorization = HTTP_BEARER,
                                   .secret = work->token,
                                   .content_type = "application/json",
                                   .body = text,
                                   .body_length = strlen(text)};
    if (http_perform(work->http, &request, &response, error) < 0)
        return error_wrap(error, "the local cloud does not answer");
    if (response.status == 409) {
        *reply = json_new_object();
        return 0;
    }
    *reply = json_parse_secret(buffer_text(&response.body), response.body.length, "the local cloud's answer", error);
    if (!*reply)
        return -1;
    if (response.status == 200)
        return 0;
    AUTO_FREE char *message = text_copy(json_get_text(json_get(*reply, "error"), "message", "no reason was given"));
    json_release(reply);
    return error_set(error, ERROR_DATA, "%s", message);
}

static int do_ask(struct setting_up *work, const char *path, const struct json *body, struct error *error) {
    AUTO_JSON struct json *reply = NULL;
    return ask(work, path, body, &reply, error);
}

/* The metadata server gives what is asked for to the user whose cloud this is. */
static int read_metadata(struct setting_up *work, const char *path, struct buffer *out, struct error *error) {
    AUTO_FREE char *url = text_format("%s/computeMetadata/v1/%s", work->origin, path);
    AUTO_LIST struct text_list headers = {0};
    AUTO_RESPONSE struct http_response response;
    text_list_add(&headers, "Metadata-Flavor: Google");
    struct http_request request = {.url = url, .headers = &headers};
    if (http_perform(work->http, &request, &response, error) < 0)
        return error_wrap(error, "the local cloud does not answer");
    if (response.status != 200)
        return error_set(error, ERROR_PERMISSION, "the local cloud belongs to another user");
    buffer_append(out, response.body.data, response.body.length);
    return buffer_check(out, "the local cloud's answer", error);
}

static int sign_in(struct setting_up *work, struct error *error) {
    AUTO_BUFFER struct buffer answer = BUFFER(64 << 10), number = BUFFER(256);
    if (read_metadata(work, "instance/service-accounts/default/token", &answer, error) < 0 ||
        read_metadata(work, "project/numeric-project-id", &number, error) < 0)
        return -1;
    AUTO_JSON struct json *document = json_parse_secret(buffer_text(&answer), answer.length, "the token", error);
    if (!document)
        return -1;
    work->token = text_copy(json_get_text(document, "access_token", ""));
    work->number = text_copy(buffer_text(&number));
    memory_wipe(answer.data, answer.length);
    return 0;
}

/* ---- pool, provider, account ---- */

/* "Shop_Corp" is "shop-corp-repos". */
static char *provider_id(const char *repository) {
    AUTO_BUFFER struct buffer id = BUFFER(64);
    size_t length = strcspn(repository, "/");
    for (size_t i = 0; i < length && i < PROVIDER_LENGTH; i++)
        buffer_append_byte(&id,
                           isalnum((unsigned char)repository[i]) ? (char)tolower((unsigned char)repository[i]) : '-');
    return text_format("%s%s-repos", isalnum((unsigned char)*repository) ? "" : "x", buffer_text(&id));
}

static int make_pool(struct setting_up *work, struct error *error) {
    AUTO_JSON struct json *body = json_new_object();
    AUTO_FREE char *path = text_format(
        "/v1/projects/%s/locations/global/workloadIdentityPools?workloadIdentityPoolId=%s", work->number, work->issuer);
    json_set_text(body, "displayName", work->request->is_gitlab ? "GitLab" : "GitHub Actions");
    return do_ask(work, path, body, error);
}

static int make_provider(struct setting_up *work, const char *id, struct error *error) {
    AUTO_JSON struct json *body = json_new_object();
    struct json *mapping = json_new_object(), *oidc = json_new_object();
    bool gitlab = work->request->is_gitlab;
    const char *repository = work->request->repository;
    AUTO_FREE char *owner = text_copy_length(repository, strcspn(repository, "/"));
    AUTO_FREE char *condition = gitlab ? text_format("assertion.namespace_path.startsWith('%s')", owner)
                                       : text_format("assertion.repository_owner == '%s'", owner);
    AUTO_FREE char *path = text_format("/v1/%s/providers?workloadIdentityPoolProviderId=%s", work->pool, id);
    json_set_text(mapping, "google.subject", "assertion.sub");
    json_set_text(mapping, "attribute.repository", gitlab ? "assertion.project_path" : "assertion.repository");
    json_set_text(mapping, "attribute.ref", "assertion.ref");
    json_set_text(oidc, "issuerUri", gitlab ? "https://gitlab.com" : "https://token.actions.githubusercontent.com");
    json_set(body, "attributeMapping", mapping);
    json_set_text(body, "attributeCondition", condition);
    json_set(body, "oidc", oidc);
    return do_ask(work, path, body, error);
}

static int make_account(struct setting_up *work, struct error *error) {
    AUTO_JSON struct json *body = json_new_object();
    AUTO_FREE char *path = text_format("/v1/projects/%s/serviceAccounts", work->project);
    json_set_text(body, "accountId", ACCOUNT_ID);
    return do_ask(work, path, body, error);
}

/* ---- policies ---- */

static void bind(struct json *policy, const char *role, const char *member) {
    if (!json_is_array(json_get(policy, "bindings")))
        json_set(policy, "bindings", json_new_array());
    struct json *bindings = json_get(policy, "bindings"), *binding = NULL;
    for (size_t i = 0; i < json_count(bindings) && !binding; i++)
        if (text_equal(json_get_text(json_at(bindings, i), "role", NULL), role))
            binding = json_at(bindings, i);
    if (!binding) {
        binding = json_new_object();
        json_set_text(binding, "role", role);
        json_set(binding, "members", json_new_array());
        json_append(bindings, binding);
    }
    struct json *members = json_get(binding, "members");
    for (size_t i = 0; i < json_count(members); i++)
        if (text_equal(json_text(json_at(members, i)), member))
            return;
    json_append_text(members, member);
}

/* Read, change, write: `roles` ends with NULL. */
static int grant(struct setting_up *work, const char *resource, const char *const *roles, const char *member,
                 struct error *error) {
    AUTO_JSON struct json *nothing = json_new_object(), *policy = NULL, *body = json_new_object();
    AUTO_FREE char *get = text_format("/v1/%s:getIamPolicy", resource);
    AUTO_FREE char *set = text_format("/v1/%s:setIamPolicy", resource);
    if (ask(work, get, nothing, &policy, error) < 0)
        return -1;
    for (size_t i = 0; roles[i]; i++)
        bind(policy, roles[i], member);
    json_set(body, "policy", take_pointer(&policy));
    return do_ask(work, set, body, error);
}

static int grant_all(struct setting_up *work, struct error *error) {
    static const char *const impersonate[] = {"roles/iam.workloadIdentityUser", NULL};
    static const char *const deploy[] = {
        "roles/artifactregistry.writer", "roles/run.admin",
        "roles/firebasehosting.admin",   "roles/firebaseauth.admin", /* people sign in at previews */
        "roles/iam.serviceAccountUser",  "roles/serviceusage.serviceUsageConsumer",
        "roles/logging.viewer",          NULL};
    AUTO_FREE char *account = text_format("projects/%s/serviceAccounts/%s", work->project, work->email);
    AUTO_FREE char *project = text_format("projects/%s", work->project);
    AUTO_FREE char *member = text_format("serviceAccount:%s", work->email);
    AUTO_FREE char *jobs = text_format("principalSet://iam.googleapis.com/%s/attribute.repository/%s", work->pool,
                                       work->request->repository);
    if (work->request->is_direct)
        return grant(work, project, deploy, jobs, error);
    if (make_account(work, error) < 0 || grant(work, account, impersonate, jobs, error) < 0)
        return -1;
    return grant(work, project, deploy, member, error);
}

/* ---- the environment of a job ---- */

static int claims_of(const struct federation_request *request, struct json *claims, struct error *error) {
    json_set_text(claims, request->is_gitlab ? "project_path" : "repository", request->repository);
    for (size_t i = 0; i < request->claims->count; i++) {
        const char *claim = request->claims->items[i], *equals = strchr(claim, '=');
        if (!equals || equals == claim)
            return error_set(error, ERROR_USAGE, "--claim takes NAME=VALUE, not \"%.100s\"", claim);
        AUTO_FREE char *name = text_copy_length(claim, (size_t)(equals - claim));
        json_set_text(claims, name, equals + 1);
    }
    return 0;
}

static int print_job(struct setting_up *work, struct buffer *out, struct error *error) {
    AUTO_JSON struct json *body = json_new_object(), *reply = NULL;
    struct json *claims = json_new_object();
    AUTO_FREE char *path = text_format("/%s/jobs", work->issuer);
    AUTO_FREE char *audience = text_format("https://iam.googleapis.com/%s", work->provider);
    json_set(body, "claims", claims);
    json_set_text(body, "audience", audience);
    if (claims_of(work->request, claims, error) < 0 || ask(work, path, body, &reply, error) < 0)
        return -1;
    if (local_environment(work->request->state, out, error) < 0)
        return -1;
    environment_append(out, "PL_WORKLOAD_IDENTITY_PROVIDER", work->provider);
    if (work->request->is_direct)
        buffer_append_text(out, "unset PL_IMPERSONATE_SERVICE_ACCOUNT\n");
    else
        environment_append(out, "PL_IMPERSONATE_SERVICE_ACCOUNT", work->email);
    if (work->request->is_gitlab) {
        environment_append(out, "GITLAB_OIDC_TOKEN", json_get_text(reply, "idToken", ""));
        environment_append(out, "PL_ID_TOKEN", "env:GITLAB_OIDC_TOKEN");
    } else {
        environment_append(out, "ACTIONS_ID_TOKEN_REQUEST_URL", json_get_text(reply, "requestUrl", ""));
        environment_append(out, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", json_get_text(reply, "requestToken", ""));
    }
    buffer_append_text(out, "unset GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE\n");
    return buffer_check(out, "the environment", error);
}

static int open_work(struct setting_up *work, struct error *error) {
    AUTO_STATUS struct local_status status = {0};
    if (local_status(work->request->state, &status, error) < 0)
        return -1;
    if (!status.running) {
        error_set(error, ERROR_UNAVAILABLE, "the local cloud does not run");
        return error_next(error, "start it: eval \"$(pl-local start)\"");
    }
    struct http_options options = {.deadline = DEADLINE};
    work->http = http_new(&options);
    work->origin = text_format("http://127.0.0.1:%u", status.port);
    work->project = text_copy(status.project);
    work->email = text_format(ACCOUNT_ID "@%s.iam.gserviceaccount.com", status.project);
    work->issuer = work->request->is_gitlab ? "gitlab" : "github";
    return sign_in(work, error);
}

static bool is_repository(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    const char *slash = text ? strchr(text, '/') : NULL;
    return slash && slash != text && slash[1] && strlen(text) <= 200 && strspn(text, letters) == strlen(text);
}

int federation_set_up(const struct federation_request *request, struct buffer *out, struct error *error) {
    AUTO(setting_up_release) struct setting_up work = {.request = request};
    if (!is_repository(request->repository)) {
        error_set(error, ERROR_USAGE, "for which repository?");
        return error_next(error, "give it: pl-local federation --repository OWNER/NAME");
    }
    if (open_work(&work, error) < 0)
        return -1;
    AUTO_FREE char *id = provider_id(request->repository);
    work.pool = text_format("projects/%s/locations/global/workloadIdentityPools/%s", work.number, work.issuer);
    work.provider = text_format("%s/providers/%s", work.pool, id);
    if (make_pool(&work, error) < 0 || make_provider(&work, id, error) < 0 || grant_all(&work, error) < 0)
        return -1;
    return print_job(&work, out, error);
}
