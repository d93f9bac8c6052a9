/* Who may call a service; the policies of services and jobs. */
#include "local/iam/policy.h"
#include "local/iam/iam.h"
#include "local/run/jobs.h"

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

/* ---- the policies ---- */

/* The policy of the service or job that a path names, and whose it is. NULL: there is none. */
static struct json **find_policy(const struct run *run, const struct run_path *path, struct service **service,
                                 struct job **job) {
    const char *project = run->cloud->project;
    *service = NULL;
    *job = NULL;
    if (path->name && text_equal(path->collection, "services"))
        *service = run_find(run, project, path->region, path->name);
    if (path->name && text_equal(path->collection, "jobs"))
        *job = job_find(run, project, path->region, path->name);
    return *service ? &(*service)->policy : *job ? &(*job)->policy : NULL;
}

const struct json *policy_find(const struct run *run, const struct run_path *path) {
    struct service *service;
    struct job *job;
    struct json *const *policy = find_policy(run, path, &service, &job);
    return policy ? *policy : NULL;
}

static bool set_policy(struct json **current, const struct json *body, struct reply *reply) {
    struct json *policy = *current ? json_share(*current) : NULL;
    bool taken = policy_take(&policy, body, reply);
    if (taken) {
        json_release(current);
        *current = policy;
        reply_json(reply, 200, policy_shown(policy));
    } else
        json_release(&policy);
    return taken;
}

struct question {
    const struct run *run;
    const struct json *policy;
    const struct request *request;
};

static bool may(void *context, const char *permission) {
    const struct question *question = context;
    return policy_permits(question->policy, &question->request->members, permission) ||
           request_may(question->run->cloud, question->request, permission);
}

static void handle(struct run *run, const struct run_path *path, const struct request *request, struct reply *reply) {
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    struct service *service;
    struct job *job;
    struct json **policy = find_policy(run, path, &service, &job);
    struct question question = {run, policy ? *policy : NULL, request};
    if (!policy)
        reply_missing(reply, path, text_equal(path->collection, "jobs") ? "JOB" : "SERVICE", path->name);
    else if (text_equal(path->verb, "getIamPolicy") && request_is(request, "GET"))
        reply_json(reply, 200, policy_shown(*policy));
    else if (text_equal(path->verb, "testIamPermissions") && request_is(request, "POST"))
        policy_test(body, may, &question, reply);
    else if (text_equal(path->verb, "setIamPolicy") && request_is(request, "POST") && set_policy(policy, body, reply)) {
        if (service)
            state_save(run, service);
        else
            job_state_save(run, job);
    }
}

void policy_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply) {
    pthread_mutex_lock(&run->lock);
    handle(run, path, request, reply);
    pthread_mutex_unlock(&run->lock);
}
