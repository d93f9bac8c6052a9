/* The metadata server (AIP-4115), for whoever runs as the user of this cloud. */
#include "local/cloud.h"

#include <string.h>

static void reply_value(struct reply *reply, const char *text) {
    reply_text(reply, 200, "application/text", text);
}

static void reply_token(const struct local_cloud *cloud, struct reply *reply) {
    struct error error = {0};
    struct token_request request = {.type = TOKEN_ACCESS, .principal = cloud->email};
    char *token = token_mint(cloud, &request, &error);
    if (!token) {
        reply_google_error(reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "access_token", token);
    json_set_integer(document, "expires_in", cloud->token_seconds - 1);
    json_set_text(document, "token_type", "Bearer");
    reply_json(reply, 200, document);
    free(token);
}

static void reply_identity(const struct local_cloud *cloud, const struct request *request, struct reply *reply) {
    const char *audience = request_query(request, "audience");
    struct error error = {0};
    if (text_is_empty(audience) || strlen(audience) > 1024) {
        reply_text(reply, 400, "text/html; charset=UTF-8", "non-empty audience parameter required");
        return;
    }
    struct token_request wanted = {
        .type = TOKEN_IDENTITY, .principal = cloud->email, .subject = LOCAL_ACCOUNT_ID, .audience = audience};
    AUTO_FREE char *token = token_mint(cloud, &wanted, &error);
    if (token)
        reply_text(reply, 200, "text/html", token);
    else
        reply_google_error(reply, 500, "%s", error.text);
}

static void reply_account(const struct local_cloud *cloud, struct reply *reply) {
    struct json *account = json_new_object(), *aliases = json_new_array(), *scopes = json_new_array();
    json_append_text(aliases, "default");
    json_append_text(scopes, "https://www.googleapis.com/auth/cloud-platform");
    json_set(account, "aliases", aliases);
    json_set_text(account, "email", cloud->email);
    json_set(account, "scopes", scopes);
    reply_json(reply, 200, account);
}

/* "default/token", "EMAIL/email"… */
static void reply_service_account(const struct local_cloud *cloud, const struct request *request, const char *path,
                                  struct reply *reply) {
    size_t length = strlen(cloud->email);
    if (text_starts_with(path, "default/"))
        path += strlen("default/");
    else if (text_starts_with(path, cloud->email) && path[length] == '/')
        path += length + 1;
    else if (!*path) {
        AUTO_FREE char *list = text_format("%s/\ndefault/\n", cloud->email);
        reply_value(reply, list);
        return;
    } else
        return;
    if (text_equal(path, "token"))
        reply_token(cloud, reply);
    else if (text_equal(path, "identity"))
        reply_identity(cloud, request, reply);
    else if (text_equal(path, "email"))
        reply_value(reply, cloud->email);
    else if (text_equal(path, "scopes"))
        reply_value(reply, "https://www.googleapis.com/auth/cloud-platform\n");
    else if (text_equal(path, "aliases"))
        reply_value(reply, "default\n");
    else if (!*path)
        reply_account(cloud, reply);
}

static void metadata_handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    const char *path = request->path + strspn(request->path, "/");
    static const char accounts[] = "computeMetadata/v1/instance/service-accounts/";
    if (text_equal(path, "computeMetadata/v1/instance/service-accounts")) {
        reply_service_account(cloud, request, "", reply);
    } else if (text_starts_with(path, accounts)) {
        reply_service_account(cloud, request, path + strlen(accounts), reply);
    } else if (text_equal(path, "computeMetadata/v1/project/project-id")) {
        reply_value(reply, cloud->project);
    } else if (text_equal(path, "computeMetadata/v1/project/numeric-project-id")) {
        reply_value(reply, cloud->number);
    } else if (text_equal(path, "computeMetadata/v1/instance/region")) {
        AUTO_FREE char *region = text_format("projects/%s/regions/us-central1", cloud->number);
        reply_value(reply, region);
    } else if (text_equal(path, "computeMetadata/v1/instance/zone")) {
        AUTO_FREE char *zone = text_format("projects/%s/zones/us-central1-1", cloud->number);
        reply_value(reply, zone);
    } else if (!*path || text_equal(path, "computeMetadata/") || text_equal(path, "computeMetadata/v1/") ||
               text_equal(path, "computeMetadata/v1/instance") || text_equal(path, "computeMetadata/v1/instance/")) {
        reply_value(reply, "instance/\nproject/\n");
    }
    if (!reply->status)
        reply_text(reply, 404, "text/html; charset=UTF-8", "not found");
}

void metadata_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    (void)cloud;
    reply_header(reply, "Metadata-Flavor", "Google");
    reply_header(reply, "Server", "Metadata Server for VM");
    if (!request_is(request, "GET") && !request_is(request, "HEAD"))
        reply_text(reply, 405, "text/html; charset=UTF-8", "method not allowed");
    else if (request_header(request, "X-Forwarded-For"))
        reply_text(reply, 403, "text/html; charset=UTF-8", "forbidden: X-Forwarded-For");
    else if (!text_equal(request_header(request, "Metadata-Flavor"), "Google") && !text_equal(request->path, "/"))
        reply_text(reply, 403, "text/html; charset=UTF-8", "missing required header \"Metadata-Flavor\": \"Google\"");
    else {
        int64_t user = request_peer_user(request);
        if (user != 0 && user != (int64_t)geteuid())
            reply_text(reply, 403, "text/html; charset=UTF-8", "this local cloud belongs to another user");
    }
    request->handle = metadata_handle;
}
