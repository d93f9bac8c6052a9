/* The requests of Secret Manager's API. */
#include "local/secrets/internal.h"

#include "common/crypto/base64.h"
#include "local/timestamp.h"

#include <string.h>

enum { LABELS_MOST = 64, PARTS_MOST = 7, ASK_LIMIT = 256 << 10 };

/* One request; the lock is held. */
struct call {
    struct secrets *secrets;
    struct request *request;
    struct reply *reply;
    const struct json *body; /* an object */
    const char *name;        /* the secret's; NULL: the collection */
    struct json *secret;     /* NULL: there is none */
    const char *version;
    const char *verb;
};

/* ---- what is shown ---- */

static struct json *show_secret(const struct call *call, const char *name, const struct json *secret) {
    struct json *shown = json_copy_deep(secret);
    AUTO_FREE char *full = text_format("projects/%s/secrets/%s", call->secrets->cloud->number, name);
    json_remove(shown, "versions");
    json_remove(shown, "made");
    json_set_text(shown, "name", full);
    return shown;
}

static char *version_name(const struct call *call, const struct json *version) {
    return text_format("projects/%s/secrets/%s/versions/%lld", call->secrets->cloud->number, call->name,
                       (long long)json_get_integer(version, "number", 0));
}

static struct json *show_version(const struct call *call, const struct json *version) {
    struct json *shown = json_copy_deep(version);
    AUTO_FREE char *full = version_name(call, version);
    json_remove(shown, "number");
    json_remove(shown, "data");
    json_set_text(shown, "name", full);
    return shown;
}

/* Saves and answers with `value` (taken). */
static void answer_saved(const struct call *call, struct json *value) {
    struct error error = {0};
    if (secrets_save(call->secrets, &error) == 0) {
        reply_json(call->reply, 200, value);
        return;
    }
    json_release(&value);
    reply_google_error(call->reply, 500, "%s", error.text);
    error_clear(&error);
}

/* ---- secrets ---- */

static void list_secrets(const struct call *call) {
    struct json *answer = json_new_object(), *list = json_new_array();
    for (void *i = json_first(call->secrets->state); i; i = json_next(call->secrets->state, i))
        json_append(list, show_secret(call, json_key(i), json_value(i)));
    json_set_integer(answer, "totalSize", (int64_t)json_count(list));
    json_set(answer, "secrets", list);
    reply_json(call->reply, 200, answer);
}

static void create_secret(const struct call *call) {
    const char *id = request_query(call->request, "secretId");
    if (!id || !secret_name_is_valid(id)) {
        reply_google_error(call->reply, 400,
                           "The provided Secret ID [%.60s] does not match the expected format "
                           "[[a-zA-Z_0-9]+]",
                           id ? id : "");
        return;
    }
    if (json_get(call->secrets->state, id)) {
        reply_google_error(call->reply, 409, "Secret [projects/%s/secrets/%s] already exists.",
                           call->secrets->cloud->number, id);
        return;
    }
    if (!json_is_object(json_get(call->body, "replication"))) {
        reply_google_error(call->reply, 400, "The Secret's Replication policy must be specified.");
        return;
    }
    struct json *secret = json_new_object();
    struct timestamp now = timestamp_format(timestamp_now());
    json_set(secret, "replication", json_copy_deep(json_get(call->body, "replication")));
    json_set_text(secret, "createTime", now.text);
    if (json_is_object(json_get(call->body, "labels")) && json_count(json_get(call->body, "labels")) <= LABELS_MOST)
        json_set(secret, "labels", json_copy_deep(json_get(call->body, "labels")));
    json_set(secret, "versions", json_new_array());
    json_set(call->secrets->state, id, secret);
    answer_saved(call, show_secret(call, id, secret));
}

static void get_secret(const struct call *call) {
    reply_json(call->reply, 200, show_secret(call, call->name, call->secret));
}

static void delete_secret(const struct call *call) {
    json_remove(call->secrets->state, call->name);
    answer_saved(call, json_new_object());
}

/* ---- versions ---- */

static void list_versions(const struct call *call) {
    const struct json *versions = json_get(call->secret, "versions");
    struct json *answer = json_new_object(), *list = json_new_array();
    for (size_t i = json_count(versions); i-- > 0;)
        json_append(list, show_version(call, json_at(versions, i)));
    json_set_integer(answer, "totalSize", (int64_t)json_count(list));
    json_set(answer, "versions", list);
    reply_json(call->reply, 200, answer);
}

static void add_version(const struct call *call) {
    const char *data = json_get_text(json_get(call->body, "payload"), "data", NULL);
    AUTO_BUFFER struct buffer value = BUFFER(2 * SECRET_LIMIT);
    struct error error = {0};
    if (!data || base64_decode(BASE64_STANDARD, data, strlen(data), &value, &error) < 0 || value.failed ||
        value.length > SECRET_LIMIT || value.length == 0) {
        reply_google_error(call->reply, 400, "The provided payload is empty, no base64, or larger than 65536 bytes.");
        error_clear(&error);
        return;
    }
    int64_t number = json_get_integer(call->secret, "made", 0) + 1;
    struct timestamp now = timestamp_format(timestamp_now());
    struct json *version = json_new_object();
    AUTO_BUFFER struct buffer encoded = BUFFER(4 * SECRET_LIMIT);
    base64_encode(BASE64_STANDARD, value.data, value.length, &encoded);
    json_set_integer(call->secret, "made", number);
    json_set_integer(version, "number", number);
    json_set_text(version, "createTime", now.text);
    json_set_text(version, "state", "ENABLED");
    json_set_text(version, "data", buffer_text(&encoded));
    json_append(json_get(call->secret, "versions"), version);
    memory_wipe(value.data, value.length);
    memory_wipe(encoded.data, encoded.length);
    answer_saved(call, show_version(call, version));
}

static void access_version(const struct call *call, const struct json *version) {
    const char *data = json_get_text(version, "data", NULL), *state = json_get_text(version, "state", "");
    AUTO_FREE char *name = version_name(call, version);
    if (!data || !text_equal(state, "ENABLED")) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Secret Version [%s] is in %s state.", name,
                            state);
        return;
    }
    struct json *answer = json_new_object(), *payload = json_new_object();
    json_set_text(payload, "data", data);
    json_set_text(answer, "name", name);
    json_set(answer, "payload", payload);
    reply_json(call->reply, 200, answer);
}

static void set_state(const struct call *call, struct json *version, const char *state) {
    if (text_equal(json_get_text(version, "state", NULL), "DESTROYED")) {
        AUTO_FREE char *name = version_name(call, version);
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Secret Version [%s] is in DESTROYED state.",
                            name);
        return;
    }
    json_set_text(version, "state", state);
    if (text_equal(state, "DESTROYED")) {
        struct timestamp now = timestamp_format(timestamp_now());
        json_remove(version, "data");
        json_set_text(version, "destroyTime", now.text);
    }
    answer_saved(call, show_version(call, version));
}

static void handle_version(const struct call *call) {
    struct json *version = secret_version(call->secret, call->version);
    bool post = request_is(call->request, "POST");
    if (!version)
        reply_google_error(call->reply, 404, "Secret Version [projects/%s/secrets/%s/versions/%.40s] not found.",
                           call->secrets->cloud->number, call->name, call->version);
    else if (!call->verb && request_is(call->request, "GET"))
        reply_json(call->reply, 200, show_version(call, version));
    else if (text_equal(call->verb, "access") && request_is(call->request, "GET"))
        access_version(call, version);
    else if (post && text_equal(call->verb, "disable"))
        set_state(call, version, "DISABLED");
    else if (post && text_equal(call->verb, "enable"))
        set_state(call, version, "ENABLED");
    else if (post && text_equal(call->verb, "destroy"))
        set_state(call, version, "DESTROYED");
}

/* ---- which request it is ---- */

static const char *permission_for(const struct call *call, bool versions) {
    bool get = request_is(call->request, "GET");
    if (versions || text_equal(call->verb, "addVersion")) {
        if (text_equal(call->verb, "addVersion"))
            return "secretmanager.versions.add";
        return text_equal(call->verb, "access") ? "secretmanager.versions.access"
               : !call->version                 ? "secretmanager.versions.list"
               : get                            ? "secretmanager.versions.get"
                                                : "secretmanager.versions.enable";
    }
    return !call->name ? (get ? "secretmanager.secrets.list" : "secretmanager.secrets.create")
           : get       ? "secretmanager.secrets.get"
                       : "secretmanager.secrets.delete";
}

static void dispatch(const struct call *call, bool versions) {
    if (call->name && !call->secret)
        reply_google_error(call->reply, 404, "Secret [projects/%s/secrets/%.255s] not found.",
                           call->secrets->cloud->number, call->name);
    else if (call->version)
        handle_version(call);
    else if (versions && request_is(call->request, "GET"))
        list_versions(call);
    else if (call->name && text_equal(call->verb, "addVersion") && request_is(call->request, "POST"))
        add_version(call);
    else if (call->name && !call->verb && request_is(call->request, "GET"))
        get_secret(call);
    else if (call->name && !call->verb && request_is(call->request, "DELETE"))
        delete_secret(call);
    else if (!call->name && request_is(call->request, "GET"))
        list_secrets(call);
    else if (!call->name && request_is(call->request, "POST"))
        create_secret(call);
}

/* "v1/projects/P/secrets[/NAME[:verb]|/NAME/versions[/VERSION[:verb]]]" */
static void handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_LIST struct text_list parts = {0};
    struct error error = {0};
    text_list_split(&parts, request->path + 1, '/');
    char *last = parts.items[parts.count - 1], *colon = strchr(last, ':');
    if (colon)
        *colon = '\0';
    bool versions = parts.count > 5;
    AUTO_JSON struct json *body =
        request->body.length > 0
            ? json_parse_secret(buffer_text(&request->body), request->body.length, "the request", &error)
            : json_new_object();
    struct call call = {.secrets = cloud->secrets,
                        .request = request,
                        .reply = reply,
                        .body = body,
                        .name = parts.count > 4 ? parts.items[4] : NULL,
                        .version = parts.count > 6 ? parts.items[6] : NULL,
                        .verb = colon ? colon + 1 : NULL};
    const char *permission = permission_for(&call, versions);
    if (!json_is_object(body)) {
        reply_google_error(reply, 400, "Invalid JSON payload received.");
    } else if (parts.count > PARTS_MOST || (versions && !text_equal(parts.items[5], "versions"))) {
        reply_google_error(reply, 404, "Not found");
    } else if (!request_may(cloud, request, permission)) {
        reply_google_error(reply, 403,
                           "Permission '%s' denied for resource 'projects/%s/secrets/%.255s' (or it may not "
                           "exist).",
                           permission, cloud->project, call.name ? call.name : "");
    } else {
        pthread_mutex_lock(&cloud->secrets->lock);
        call.secret = call.name ? json_get(cloud->secrets->state, call.name) : NULL;
        dispatch(&call, versions);
        pthread_mutex_unlock(&cloud->secrets->lock);
    }
    error_clear(&error);
}

bool secrets_is_path(const char *path) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, path + strspn(path, "/"), '/');
    return parts.count >= 4 && text_equal(parts.items[0], "v1") && text_equal(parts.items[1], "projects") &&
           (text_equal(parts.items[3], "secrets"));
}

void secrets_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = handle;
    request->body.limit = ASK_LIMIT;
    require_access(cloud, request, reply);
}
