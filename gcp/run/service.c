#include "gcp/run/service.h"

#include "common/file/file.h"
#include "gcp/run/plan.h"

#include <string.h>
#include <time.h>

enum { NAME_MAXIMUM = 49, POLL_MILLISECONDS = 500 };

int run_service_name_check(const char *name, struct error *error) {
    size_t length = strlen(name);
    if (length >= 1 && length <= NAME_MAXIMUM && name[0] >= 'a' && name[0] <= 'z' && name[length - 1] != '-' &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
        return 0;
    error_set(error, ERROR_DATA, "\"%.80s\" is no name of a Cloud Run service", name);
    return error_next(error,
                      "give one with --name: lower-case letters, digits and hyphens, beginning with a letter, "
                      "at most %d characters",
                      NAME_MAXIMUM);
}

char *run_service_path(const struct cloud *cloud, const char *service) {
    return text_format("projects/%s/locations/%s/services/%s", cloud->project, cloud->region, service);
}

const struct run_kind run_service_kind = {.noun = "service",
                                          .collection = "services",
                                          .tool = "pl-run-deploy",
                                          .masked = true,
                                          .writable = run_service_writable};

int run_service_get(struct cloud *cloud, const char *path, struct json **service, struct error *error) {
    return run_resource_get(cloud, &run_service_kind, path, service, error);
}

int run_service_find(struct cloud *cloud, const char *path, struct json **service, struct error *error) {
    return run_resource_find(cloud, &run_service_kind, path, service, error);
}

int run_service_list(struct cloud *cloud, struct json **services, struct error *error) {
    return run_resource_list(cloud, &run_service_kind, services, error);
}

int run_service_delete(struct cloud *cloud, const char *path, bool *existed, struct error *error) {
    return run_resource_delete(cloud, &run_service_kind, path, existed, error);
}

int run_service_settle(struct cloud *cloud, const char *path, struct json **service, unsigned seconds,
                       struct error *error) {
    int64_t end = run_seconds_now() + seconds;
    const char *name = path_base(path);
    while (json_get_bool(*service, "reconciling", false)) {
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while service %s is still being changed", name);
        if (run_seconds_now() >= end) {
            error_set(error, ERROR_TEMPORARY, "service %s has been changing for %u seconds", name, seconds);
            return error_next(error, "look at it: pl-run-deploy %s --describe --region %s", name, cloud->region);
        }
        run_pause(POLL_MILLISECONDS);
        json_release(service);
        if (run_service_get(cloud, path, service, error) < 0)
            return -1;
    }
    return 0;
}

static bool is_public_binding(const struct json *binding) {
    return text_equal(json_get_text(binding, "role", NULL), "roles/run.invoker") && !json_get(binding, "condition");
}

/* Adds or removes allUsers; false when nothing had to change. */
static bool policy_set_public(struct json *policy, bool is_public) {
    if (!json_is_array(json_get(policy, "bindings")))
        json_set(policy, "bindings", json_new_array());
    struct json *bindings = json_get(policy, "bindings");
    bool found = false;
    for (size_t i = json_count(bindings); i-- > 0;) {
        struct json *members = json_get(json_at(bindings, i), "members");
        for (size_t j = json_count(members); is_public_binding(json_at(bindings, i)) && j-- > 0;) {
            if (!text_equal(json_text(json_at(members, j)), "allUsers"))
                continue;
            found = true;
            if (!is_public)
                json_remove_at(members, j);
        }
        if (!is_public && found && json_count(members) == 0)
            json_remove_at(bindings, i);
    }
    if (found == is_public)
        return false;
    if (is_public) {
        struct json *binding = json_new_object(), *members = json_new_array();
        json_set_text(binding, "role", "roles/run.invoker");
        json_append_text(members, "allUsers");
        json_set(binding, "members", members);
        json_append(bindings, binding);
    }
    return true;
}

static int policy_read(struct cloud *cloud, const char *path, struct json **policy, struct error *error) {
    AUTO_FREE char *url =
        text_format("%s/v2/%s:getIamPolicy?options.requestedPolicyVersion=3", endpoint_url(ENDPOINT_RUN), path);
    AUTO_FREE char *what = text_format("cannot read who may call service %s", run_short_name(path));
    struct cloud_request request = {.url = url, .what = what};
    if (cloud_call(cloud, &request, policy, NULL, error) < 0)
        return -1;
    return json_is_object(*policy) ? 0 : error_set(error, ERROR_PROTOCOL, "%s: the answer is no policy", what);
}

int run_service_is_public(struct cloud *cloud, const struct json *service, bool *is_public, struct error *error) {
    AUTO_JSON struct json *policy = NULL;
    *is_public = json_get_bool(service, "invokerIamDisabled", false);
    if (*is_public)
        return 0;
    if (policy_read(cloud, json_get_text(service, "name", ""), &policy, error) < 0)
        return -1;
    *is_public = !policy_set_public(policy, true);
    return 0;
}

int run_service_set_public(struct cloud *cloud, const char *path, bool is_public, bool *changed, struct error *error) {
    AUTO_JSON struct json *policy = NULL;
    if (policy_read(cloud, path, &policy, error) < 0)
        return -1;
    bool differs = policy_set_public(policy, is_public);
    if (changed)
        *changed = differs;
    if (!differs)
        return 0;
    AUTO_FREE char *set_url = text_format("%s/v2/%s:setIamPolicy", endpoint_url(ENDPOINT_RUN), path);
    AUTO_FREE char *set_what =
        text_format("cannot %s to everybody: service %s", is_public ? "open" : "close", run_short_name(path));
    AUTO_JSON struct json *body = json_new_object();
    json_set(body, "policy", take_pointer(&policy));
    struct cloud_request set = {.method = "POST", .url = set_url, .body = body, .what = set_what, .idempotent = true};
    if (cloud_call(cloud, &set, NULL, NULL, error) == 0)
        return 0;
    if (error && is_public && strstr(error->text, "organization policy"))
        error_next(error, "an organization policy (iam.allowedPolicyMemberDomains) forbids allUsers: leave "
                          "--allow-unauthenticated out, or ask its administrator");
    return -1;
}

const char *run_service_serving_revision(const struct json *service) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *status = json_at(statuses, i);
        if (json_get_integer(status, "percent", 0) != 100)
            continue;
        const char *revision = json_get_text(status, "revision", NULL);
        return run_short_name(revision ? revision : json_get_text(service, "latestReadyRevision", NULL));
    }
    return NULL;
}

bool run_template_is_ready(const struct json *service) {
    const char *created = json_get_text(service, "latestCreatedRevision", NULL);
    return created && !json_get_bool(service, "reconciling", false) &&
           text_equal(created, json_get_text(service, "latestReadyRevision", NULL));
}
