/* Who may call a service. */
#include "local/run/internal.h"

#include <string.h>

static bool binding_has(const struct json *binding, const char *member) {
    const struct json *members = json_get(binding, "members");
    for (size_t i = 0; i < json_count(members); i++)
        if (text_equal(json_text(json_at(members, i)), member))
            return true;
    return false;
}

static bool is_invoker(const struct service *service, const char *member) {
    const struct json *bindings = json_get(service->policy, "bindings");
    for (size_t i = 0; i < json_count(bindings); i++) {
        const char *role = json_get_text(json_at(bindings, i), "role", "");
        bool invokes = text_equal(role, "roles/run.invoker") || text_equal(role, "roles/run.servicesInvoker") ||
                       text_equal(role, "roles/run.admin") || text_equal(role, "roles/owner");
        if (invokes && binding_has(json_at(bindings, i), member))
            return true;
    }
    return false;
}

bool policy_is_public(const struct service *service) {
    return json_get_bool(service->document, "invokerIamDisabled", false) || is_invoker(service, "allUsers");
}

static bool is_audience(const struct service *service, const char *audience) {
    const struct json *custom = json_get(service->document, "customAudiences");
    for (size_t i = 0; i < json_count(custom); i++)
        if (text_equal(json_text(json_at(custom, i)), audience))
            return true;
    const char *uri = json_get_text(service->document, "uri", "");
    size_t length = strlen(uri);
    return length && text_starts_with(audience, uri) && (audience[length] == '\0' || audience[length] == '/');
}

bool policy_admits(const struct run *run, const struct service *service, const char *token) {
    AUTO_JSON struct json *claims = NULL;
    if (!token || token_check(run->cloud, token, TOKEN_IDENTITY, &claims, NULL) < 0 ||
        !is_audience(service, json_get_text(claims, "aud", "")))
        return false;
    const char *email = json_get_text(claims, "email", "");
    AUTO_FREE char *member = text_format("serviceAccount:%s", email);
    /* The account of the cloud owns its project. */
    return text_equal(email, run->cloud->email) || is_invoker(service, member) ||
           is_invoker(service, "allAuthenticatedUsers");
}

static struct json *shown(const struct service *service) {
    struct json *policy = json_copy_deep(service->policy);
    if (!json_get(policy, "version"))
        json_set_integer(policy, "version", 1);
    return policy;
}

static int check_policy(const struct json *policy, struct error *error) {
    const struct json *bindings = json_get(policy, "bindings");
    if (bindings && !json_is_array(bindings))
        return error_set(error, ERROR_DATA, "Invalid value at 'policy.bindings'");
    for (size_t i = 0; i < json_count(bindings); i++) {
        const struct json *members = json_get(json_at(bindings, i), "members");
        const char *role = json_get_text(json_at(bindings, i), "role", "");
        if (!text_starts_with(role, "roles/") && !strstr(role, "/roles/"))
            return error_set(error, ERROR_DATA, "Role %.100s is not supported for this resource.", role);
        for (size_t j = 0; j < json_count(members); j++) {
            const char *member = json_text(json_at(members, j));
            if (!member || (!strchr(member, ':') && !text_equal(member, "allUsers") &&
                            !text_equal(member, "allAuthenticatedUsers")))
                return error_set(error, ERROR_DATA, "The member %.100s is of an unknown type.", member ? member : "");
        }
    }
    return 0;
}

static void next_etag(struct json *policy, const struct json *before) {
    uint64_t number = 0;
    const char *etag = json_get_text(before, "etag", "");
    if (strlen(etag) > 2)
        text_to_u64(etag + 2, INT32_MAX, &number);
    AUTO_FREE char *text = text_format("Bw%llu", (unsigned long long)number + 1);
    json_set_text(policy, "etag", text);
}

static void set_policy(struct run *run, struct service *service, const struct request *request, struct reply *reply) {
    struct error error = {0};
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", &error);
    struct json *policy = json_get(body, "policy");
    if (!json_is_object(policy)) {
        reply_google_error(reply, 400, "%s", body ? "The policy is missing." : error.text);
        return;
    }
    const char *etag = json_get_text(policy, "etag", NULL);
    if (etag && *etag && !text_equal(etag, json_get_text(service->policy, "etag", NULL))) {
        reply_google_status(reply, 409, "ABORTED", NULL,
                            "There were concurrent policy changes. Please retry the whole read-modify-write with "
                            "exponential backoff.");
        return;
    }
    if (check_policy(policy, &error) < 0) {
        reply_google_error(reply, 400, "%s", error.text);
        return;
    }
    struct json *taken = json_copy_deep(policy);
    next_etag(taken, service->policy);
    json_release(&service->policy);
    service->policy = taken;
    state_save(run, service);
    reply_json(reply, 200, shown(service));
}

void policy_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    pthread_mutex_lock(&run->lock);
    struct service *service = run_find(run, path->project, path->region, path->name);
    if (!service)
        reply_no_service(reply, path);
    else if (text_equal(path->verb, "getIamPolicy") && request_is(request, "GET"))
        reply_json(reply, 200, shown(service));
    else if (text_equal(path->verb, "setIamPolicy") && request_is(request, "POST"))
        set_policy(run, service, request, reply);
    else if (text_equal(path->verb, "testIamPermissions") && request_is(request, "POST")) {
        AUTO_JSON struct json *body =
            json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
        struct json *answer = json_new_object(), *asked = json_get(body, "permissions");
        if (json_is_array(asked))
            json_set(answer, "permissions", json_share(asked));
        reply_json(reply, 200, answer);
    }
    pthread_mutex_unlock(&run->lock);
}
