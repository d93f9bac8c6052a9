/* Who may call a service. */
#include "local/iam/policy.h"
#include "local/iam/iam.h"
#include "local/run/internal.h"

#include <string.h>

static bool is_invoker(const struct service *service, const struct text_list *members) {
    return policy_permits(service->policy, members, "run.routes.invoke");
}

bool policy_is_public(const struct service *service) {
    static const struct text_list nobody = {0};
    return json_get_bool(service->document, "invokerIamDisabled", false) || is_invoker(service, &nobody);
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
    AUTO_LIST struct text_list members = {0};
    token_members(claims, &members);
    return is_invoker(service, &members) || iam_permits(run->cloud, &members, "run.routes.invoke", NULL);
}

static void set_policy(struct run *run, struct service *service, const struct json *body, struct reply *reply) {
    struct json *policy = service->policy ? json_share(service->policy) : NULL;
    if (policy_take(&policy, body, reply)) {
        json_release(&service->policy);
        service->policy = policy;
        state_save(run, service);
        reply_json(reply, 200, policy_shown(policy));
    } else
        json_release(&policy);
}

struct question {
    const struct run *run;
    const struct service *service;
    const struct request *request;
};

static bool may(void *context, const char *permission) {
    const struct question *question = context;
    return policy_permits(question->service->policy, &question->request->members, permission) ||
           request_may(question->run->cloud, question->request, permission);
}

void policy_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    pthread_mutex_lock(&run->lock);
    struct service *service = run_find(run, path->project, path->region, path->name);
    struct question question = {run, service, request};
    if (!service)
        reply_no_service(reply, path);
    else if (text_equal(path->verb, "getIamPolicy") && request_is(request, "GET"))
        reply_json(reply, 200, policy_shown(service->policy));
    else if (text_equal(path->verb, "setIamPolicy") && request_is(request, "POST"))
        set_policy(run, service, body, reply);
    else if (text_equal(path->verb, "testIamPermissions") && request_is(request, "POST"))
        policy_test(body, may, &question, reply);
    pthread_mutex_unlock(&run->lock);
}
