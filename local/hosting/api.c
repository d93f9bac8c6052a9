/* The Hosting API: which request is which, and what all answers share. */
#include "local/field_mask.h"
#include "local/hosting/internal.h"

#include <stdarg.h>
#include <string.h>

enum { FIELDS_LIMIT = 64 };

/* '*' stands for one id. Behind "/v1beta1/" and without "projects/P/"; "projects" marks what needs one. */
static const struct route {
    const char *method, *pattern;
    void (*handle)(struct call *call);
} routes[] = {
    {"GET", "sites", site_list},
    {"POST", "sites", site_create},
    {"GET", "sites/*", site_get},
    {"PATCH", "sites/*", site_patch},
    {"DELETE", "sites/*", site_delete},
    {"GET", "sites/*/config", site_config_get},
    {"PATCH", "sites/*/config", site_config_patch},
    {"GET", "sites/*/versions", version_list},
    {"POST", "sites/*/versions", version_create},
    {"POST", "sites/*/versions:clone", version_clone},
    {"GET", "sites/*/versions/*", version_get},
    {"PATCH", "sites/*/versions/*", version_patch},
    {"DELETE", "sites/*/versions/*", version_delete},
    {"POST", "sites/*/versions/*:populateFiles", version_populate},
    {"GET", "sites/*/versions/*/files", version_files},
    {"GET", "sites/*/channels", channel_list},
    {"POST", "sites/*/channels", channel_create},
    {"GET", "sites/*/channels/*", channel_get},
    {"PATCH", "sites/*/channels/*", channel_patch},
    {"DELETE", "sites/*/channels/*", channel_delete},
    {"GET", "sites/*/channels/*/releases", release_list},
    {"POST", "sites/*/channels/*/releases", release_create},
    {"GET", "sites/*/channels/*/releases/*", release_get},
    {"GET", "sites/*/releases", release_list},
    {"POST", "sites/*/releases", release_create},
    {"GET", "sites/*/releases/*", release_get},
    {"GET", "sites/*/domains", domain_list},
    {"GET", "sites/*/customDomains", domain_list},
    {"GET", "operations/*", operation_get},
};

/* ---- answers ---- */

void call_fail(struct call *call, const struct error *error) {
    if (error->kind == ERROR_DATA)
        reply_google_error(call->reply, 400, "%s", error->text);
    else if (error->kind == ERROR_ANSWER_NO)
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "%s", error->text);
    else
        reply_google_error(call->reply, 500, "%s", error->text);
}

void call_not_found(struct call *call) {
    reply_google_error(call->reply, 404, "Requested entity was not found.");
}

void call_precondition(struct call *call, const char *format, ...) {
    struct error error = {.kind = ERROR_ANSWER_NO};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text, sizeof(error.text), format, arguments);
    va_end(arguments);
    call_fail(call, &error);
}

/* A page token is where the next page begins. */
void call_page(struct call *call, const char *name, struct json *items, size_t usual, size_t most) {
    const char *size_text = request_query(call->request, "pageSize");
    const char *token = request_query(call->request, "pageToken");
    AUTO_JSON struct json *owned = items;
    uint64_t size = usual, begin = 0;
    if ((!text_is_empty(size_text) && !text_to_u64(size_text, INT32_MAX, &size)) ||
        (!text_is_empty(token) && !text_to_u64(token, INT32_MAX, &begin))) {
        reply_google_error(call->reply, 400, "Request contains an invalid argument.");
        return;
    }
    size = size == 0 ? usual : size > most ? most : size;
    struct json *document = json_new_object(), *page = json_new_array();
    for (size_t i = begin; i < json_count(items) && i < begin + size; i++)
        json_append(page, json_share(json_at(items, i)));
    if (json_count(page))
        json_set(document, name, page);
    else
        json_release(&page);
    if (begin + size < json_count(items)) {
        AUTO_FREE char *next = text_format("%llu", (unsigned long long)(begin + size));
        json_set_text(document, "nextPageToken", next);
    }
    reply_json(call->reply, 200, document);
}

static bool is_known_field(const char *const *known, const char *field) {
    AUTO_FREE char *first = text_copy_length(field, strcspn(field, "."));
    for (size_t i = 0; known[i]; i++)
        if (text_equal(known[i], first))
            return true;
    return false;
}

bool call_mask(struct call *call, const char *const *known, struct text_list *fields) {
    const char *mask = request_query(call->request, "updateMask");
    mask = mask ? mask : request_query(call->request, "update_mask");
    AUTO_LIST struct text_list given = {0};
    if (!text_is_empty(mask))
        text_list_split(&given, mask, ',');
    else
        for (void *at = json_first(call->body); at; at = json_next(call->body, at))
            if (is_known_field(known, json_key(at)))
                text_list_add(&given, json_key(at));
    for (size_t i = 0; i < given.count && i < FIELDS_LIMIT; i++) {
        AUTO_FREE char *field = field_camel_case(given.items[i]);
        if (!is_known_field(known, field)) {
            reply_google_error(call->reply, 400, "Invalid field path in update_mask: %.100s", given.items[i]);
            return false;
        }
        text_list_add(fields, field);
    }
    return true;
}

void operation_get(struct call *call) {
    AUTO_FREE char *ending = text_format("/operations/%s", call->names[0]);
    for (size_t i = 0; i < json_count(call->hosting->operations); i++) {
        struct json *operation = json_at(call->hosting->operations, i);
        if (text_ends_with(json_get_text(operation, "name", ""), ending)) {
            reply_json(call->reply, 200, json_share(operation));
            return;
        }
    }
    call_not_found(call);
}

/* ---- which request is which ---- */

/* Fills `names` with what stood at the '*'. */
static bool match_pattern(const char *pattern, const char *path, struct text_list *names) {
    AUTO_LIST struct text_list found = {0};
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*path++ != *pattern)
                return false;
            continue;
        }
        size_t length = strcspn(path, pattern[1] == ':' ? "/:" : "/");
        if (!length)
            return false;
        text_list_take(&found, text_copy_length(path, length));
        path += length;
    }
    if (*path)
        return false;
    text_list_add_all(names, &found);
    return true;
}

/* Behind the version and the project; NULL when it is no path of this API. `*project` may be NULL. Frees `*project`. */
static const char *strip_project(const char *path, char **project) {
    static const char version[] = "/v1beta1/", projects[] = "projects/";
    *project = NULL;
    if (!text_starts_with(path, version))
        return NULL;
    path += strlen(version);
    if (!text_starts_with(path, projects))
        return path;
    path += strlen(projects);
    size_t length = strcspn(path, "/");
    *project = text_copy_length(path, length);
    return path[length] == '/' ? path + length + 1 : path + length;
}

static bool is_resource(const char *rest, const char *word) {
    size_t length = strlen(word);
    return text_starts_with(rest, word) && (!rest[length] || rest[length] == '/');
}

bool hosting_is_path(const char *path) {
    AUTO_FREE char *project = NULL;
    const char *rest = strip_project(path, &project);
    return text_starts_with(path, "/upload/sites/") ||
           (rest && (is_resource(rest, "sites") || (project && is_resource(rest, "operations"))));
}

static bool is_our_project(const struct local_cloud *cloud, const char *project) {
    return !project || text_equal(project, "-") || text_equal(project, cloud->project) ||
           text_equal(project, cloud->number);
}

static const char *permission_for(const struct request *request, const char *rest) {
    bool of_sites = text_equal(rest, "sites"), of_site = text_starts_with(rest, "sites/") && !strchr(rest + 6, '/');
    if (request_is(request, "GET"))
        return of_sites ? "firebasehosting.sites.list" : "firebasehosting.sites.get";
    if (request_is(request, "POST") && of_sites)
        return "firebasehosting.sites.create";
    return request_is(request, "DELETE") && of_site ? "firebasehosting.sites.delete" : "firebasehosting.sites.update";
}

static void dispatch(struct call *call, const char *rest) {
    const char *method = call->request->method;
    bool other_method = false;
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        AUTO_LIST struct text_list names = {0};
        if (!match_pattern(routes[i].pattern, rest, &names))
            continue;
        other_method = true;
        if (!text_equal(routes[i].method, method))
            continue;
        for (size_t j = 0; j < names.count && j < ARRAY_LENGTH(call->names); j++)
            call->names[j] = names.items[j];
        pthread_mutex_lock(&call->hosting->lock);
        routes[i].handle(call);
        pthread_mutex_unlock(&call->hosting->lock);
        return;
    }
    reply_google_error(call->reply, other_method ? 405 : 404, "the local cloud's Hosting has no %s %.200s", method,
                       call->request->path);
}

static void hosting_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_FREE char *project = NULL;
    const char *rest = strip_project(request->path, &project);
    struct error error = {0};
    AUTO_JSON struct json *body =
        request->body.length ? json_parse(buffer_text(&request->body), request->body.length, "the request", &error)
                             : json_new_object();
    AUTO_FREE char *prefix = project ? text_format("projects/%s/", cloud->number) : text_copy("");
    struct call call = {.cloud = cloud,
                        .hosting = cloud->hosting,
                        .request = request,
                        .reply = reply,
                        .body = body,
                        .prefix = prefix,
                        .user = request->principal,
                        .now = timestamp_format(timestamp_now())};
    if (!rest)
        reply_google_error(reply, 404, "the local cloud has no %.200s", request->path);
    else if (!is_our_project(cloud, project) || !request_may(cloud, request, permission_for(request, rest)))
        reply_google_error(reply, 403, "The caller does not have permission");
    else if (!json_is_object(body))
        reply_google_error(reply, 400, "Invalid JSON payload received. %s", error.text);
    else
        dispatch(&call, rest);
}

void hosting_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = hosting_handle;
    if (!require_access(cloud, request, reply))
        return;
    if (!text_starts_with(request->path, "/upload/"))
        return;
    if (request_may(cloud, request, "firebasehosting.sites.update"))
        content_upload_begin(cloud, request, reply);
    else
        reply_google_error(reply, 403, "The caller does not have permission");
}
