#include "gcp/run/service.h"

#include "common/file/file.h"
#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum {
    NAME_MAXIMUM = 49,
    WAIT_SECONDS = 30,
    POLL_MILLISECONDS = 500,
    POLL_MAXIMUM = 5000,
    SERVICE_LIMIT = 4 << 20,
    DELETE_SECONDS = 300
};

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

const char *run_short_name(const char *resource) {
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    return slash ? slash + 1 : resource;
}

char *run_url(const char *path) {
    return text_format("%s/v2/%s", endpoint_url(ENDPOINT_RUN), path);
}

int run_service_get(struct cloud *cloud, const char *path, struct json **service, struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *url = run_url(path);
    AUTO_FREE char *what = text_format("cannot read service %s", run_short_name(path));
    struct cloud_request request = {.url = url, .what = what, .accept = missing, .response_limit = SERVICE_LIMIT};
    return cloud_call(cloud, &request, service, NULL, error);
}

int run_service_find(struct cloud *cloud, const char *path, struct json **service, struct error *error) {
    if (run_service_get(cloud, path, service, error) < 0)
        return -1;
    if (*service)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "there is no service %s in %s", path_base(path), cloud->region);
    return error_next(error, "what there is: pl-run-deploy --list --region %s", cloud->region);
}

int run_service_list(struct cloud *cloud, struct json **services, struct error *error) {
    AUTO_FREE char *path = text_format("projects/%s/locations/%s/services", cloud->project, cloud->region);
    AUTO_FREE char *url = run_url(path), *what = text_format("cannot list the services of %s", cloud->region);
    AUTO_JSON struct json *all = json_new_array();
    if (cloud_list(cloud, url, "services", what, all, error) < 0)
        return -1;
    *services = take_pointer(&all);
    return 0;
}

int run_service_delete(struct cloud *cloud, const char *path, bool *existed, struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *url = run_url(path), *what = text_format("cannot delete service %s", run_short_name(path));
    AUTO_JSON struct json *operation = NULL;
    struct cloud_request request = {.method = "DELETE", .url = url, .what = what, .accept = missing};
    long status = 0;
    if (cloud_call(cloud, &request, &operation, &status, error) < 0)
        return -1;
    *existed = status != 404;
    if (!*existed)
        return 0;
    if (run_operation_wait(cloud, &operation, DELETE_SECONDS, error) < 0)
        return -1;
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    const struct json *failure = json_get(operation, "error");
    return json_is_null(failure) ? 0 : google_status_set(error, what, failure, &subject);
}

int run_service_patch(struct cloud *cloud, const char *path, const struct json *service, const char *update_mask,
                      unsigned patch, struct json **operation, bool *conflict, struct error *error) {
    static const long conflicts[] = {409, 412, 0};
    AUTO_FREE char *mask = url_encode(update_mask);
    AUTO_FREE char *url = text_format("%s/v2/%s?allowMissing=true&updateMask=%s%s%s", endpoint_url(ENDPOINT_RUN), path,
                                      mask, patch & RUN_PATCH_VALIDATE ? "&validateOnly=true" : "",
                                      patch & RUN_PATCH_NEW_REVISION ? "&forceNewRevision=true" : "");
    AUTO_FREE char *what =
        text_format("cannot %s service %s", patch & RUN_PATCH_VALIDATE ? "validate" : "deploy", run_short_name(path));
    struct cloud_request request = {.method = "PATCH",
                                    .url = url,
                                    .body = service,
                                    .what = what,
                                    .idempotent = true,
                                    .accept = conflicts,
                                    .response_limit = SERVICE_LIMIT};
    long status = 0;
    if (cloud_call(cloud, &request, operation, &status, error) < 0)
        return -1;
    *conflict = status == 409 || status == 412;
    if (!*conflict && !json_is_object(*operation))
        return error_set(error, ERROR_PROTOCOL, "%s: the answer is no operation", what);
    return 0;
}

static int64_t now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void pause_milliseconds(long milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* One long poll, or one look when waiting is not offered. */
static int operation_ask(struct cloud *cloud, const char *name, bool *can_wait, struct json **operation,
                         struct error *error) {
    static const long not_offered[] = {400, 404, 405, 501, 0};
    AUTO_FREE char *what = text_format("cannot follow operation %s", run_short_name(name));
    if (*can_wait) {
        AUTO_FREE char *url = text_format("%s/v2/%s:wait", endpoint_url(ENDPOINT_RUN), name);
        AUTO_JSON struct json *body = json_new_object();
        AUTO_FREE char *timeout = text_format("%ds", WAIT_SECONDS);
        json_set_text(body, "timeout", timeout);
        struct cloud_request request = {.method = "POST",
                                        .url = url,
                                        .body = body,
                                        .what = what,
                                        .idempotent = true,
                                        .accept = not_offered,
                                        .response_limit = SERVICE_LIMIT};
        long status = 0;
        if (cloud_call(cloud, &request, operation, &status, error) < 0)
            return -1;
        if (*operation)
            return 0;
        *can_wait = false;
    }
    AUTO_FREE char *url = run_url(name);
    struct cloud_request request = {.url = url, .what = what, .response_limit = SERVICE_LIMIT};
    return cloud_call(cloud, &request, operation, NULL, error);
}

static bool is_operation_name(const char *name) {
    return name && text_starts_with(name, "projects/") && strstr(name, "/operations/") && !strstr(name, "..") &&
           strlen(name) < 400 && !strpbrk(name, "?#%\\ ");
}

int run_operation_wait(struct cloud *cloud, struct json **operation, unsigned seconds, struct error *error) {
    int64_t end = now_seconds() + seconds;
    bool can_wait = true;
    long pause = POLL_MILLISECONDS;
    AUTO_FREE char *name = text_copy(json_get_text(*operation, "name", NULL));
    while (!json_get_bool(*operation, "done", false)) {
        if (!is_operation_name(name))
            return error_set(error, ERROR_PROTOCOL, "Cloud Run's answer names no operation to wait for");
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while operation %s goes on", run_short_name(name));
        if (now_seconds() >= end) {
            error_set(error, ERROR_TIMEOUT, "operation %s did not end within %u seconds; it goes on",
                      run_short_name(name), seconds);
            return error_next(error, "run the same command again to see how it ended");
        }
        int64_t before = now_seconds();
        struct json *asked = NULL;
        if (operation_ask(cloud, name, &can_wait, &asked, error) < 0)
            return -1;
        json_release(operation);
        *operation = asked;
        /* A server that answers a long poll at once must not be asked in a tight loop. */
        if (!json_get_bool(asked, "done", false) && now_seconds() - before < 2) {
            pause_milliseconds(pause);
            pause = pause * 2 < POLL_MAXIMUM ? pause * 2 : POLL_MAXIMUM;
        }
    }
    return 0;
}

int run_service_settle(struct cloud *cloud, const char *path, struct json **service, unsigned seconds,
                       struct error *error) {
    int64_t end = now_seconds() + seconds;
    const char *name = path_base(path);
    while (json_get_bool(*service, "reconciling", false)) {
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while service %s is still being changed", name);
        if (now_seconds() >= end) {
            error_set(error, ERROR_TEMPORARY, "service %s has been changing for %u seconds", name, seconds);
            return error_next(error, "look at it: pl-run-deploy %s --describe --region %s", name, cloud->region);
        }
        pause_milliseconds(POLL_MILLISECONDS);
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
