/* What requests about services and about jobs have in common. */
#include "local/run/resource.h"

#include "common/crypto/random.h"
#include "local/iam/iam.h"

#include <string.h>

enum { PAGE_DEFAULT = 100, PAGE_MOST = 500 };

void resource_refuse(struct reply *reply, const struct error *error) {
    unsigned code = error->kind == ERROR_NO_INPUT       ? 404
                    : error->kind == ERROR_PERMISSION   ? 403
                    : error->kind == ERROR_TEMPORARY    ? 429
                    : error->kind == ERROR_DATA         ? 400
                    : error->kind == ERROR_CANNOT_WRITE ? 409
                                                        : 500;
    reply_google_error(reply, code, "%s", error->text);
}

void resource_list_page(struct json *answer, const char *key, struct json *all, const struct request *request) {
    uint64_t size = PAGE_DEFAULT, from = 0;
    const char *asked = request_query(request, "pageSize"), *token = request_query(request, "pageToken");
    if (asked)
        text_to_u64(asked, PAGE_MOST, &size);
    if (token)
        text_to_u64(token, INT32_MAX, &from);
    if (size == 0)
        size = PAGE_DEFAULT;
    struct json *page = json_new_array();
    for (uint64_t i = from; i < json_count(all) && i < from + size; i++)
        json_append(page, json_share(json_at(all, (size_t)i)));
    if (from + size < json_count(all)) {
        AUTO_FREE char *next = text_format("%llu", (unsigned long long)(from + size));
        json_set_text(answer, "nextPageToken", next);
    }
    if (json_count(page))
        json_set(answer, key, page);
    else
        json_release(&page);
    json_release(&all);
}

void resource_touch(struct json *document, const char *principal, bool is_new) {
    char now[40], etag[17];
    run_time_now(now, sizeof(now));
    random_hex(etag, sizeof(etag));
    AUTO_FREE char *quoted = text_format("\"%s\"", etag);
    json_set_text(document, "etag", quoted);
    json_set_text(document, "updateTime", now);
    json_set_text(document, "lastModifier", principal);
    if (is_new) {
        json_set_text(document, "createTime", now);
        json_set_text(document, "creator", principal);
    }
    const char *generation = json_get_text(document, "generation", "0");
    uint64_t number = 0;
    text_to_u64(generation, INT64_MAX, &number);
    AUTO_FREE char *next = text_format("%llu", (unsigned long long)number + 1);
    json_set_text(document, "generation", next);
}

void resource_reply_validated(const struct run_path *path, const char *type, struct json *after, struct reply *reply) {
    struct json *operation = json_new_object();
    AUTO_FREE char *name =
        text_format("projects/%s/locations/%s/operations/validate-only", path->project, path->region);
    json_set_text(operation, "name", name);
    json_set_bool(operation, "done", true);
    AUTO_FREE char *full = text_format("type.googleapis.com/google.cloud.run.v2.%s", type);
    json_set_text(after, "@type", full);
    json_set(operation, "response", after);
    reply_json(reply, 200, operation);
}

bool resource_etag_differs(const struct json *document, const char *etag) {
    return !text_is_empty(etag) && !text_equal(etag, json_get_text(document, "etag", NULL));
}

void resource_reply_conflict(const char *name, struct reply *reply) {
    reply_google_status(reply, 409, "ABORTED", NULL,
                        "Conflict for resource '%s': the etag that was specified is not the current one.", name);
}

bool resource_is_name(const char *name, size_t most) {
    size_t length = name ? strlen(name) : 0;
    return length > 0 && length <= most && name[0] >= 'a' && name[0] <= 'z' && name[length - 1] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

int resource_check_deployer(const struct run *run, const struct run_path *path, const struct deploying *deploying,
                            const struct request *request, struct error *error) {
    const char *account = deploying->account ? deploying->account : run->cloud->email;
    if (deploying->create && !request_may(run->cloud, request, deploying->create))
        return error_set(error, ERROR_PERMISSION,
                         "Permission '%s' denied on resource 'projects/%s/locations/%s' (or resource may not exist).",
                         deploying->create, path->project, path->region);
    if (iam_permits(run->cloud, &request->members, "iam.serviceAccounts.actAs", account))
        return 0;
    return error_set(error, ERROR_PERMISSION,
                     "Permission 'iam.serviceaccounts.actAs' denied on service account %s (or it may not exist).",
                     account);
}

bool resource_may_deploy(const struct run *run, const struct run_path *path, const struct deploying *deploying,
                         const struct request *request, struct reply *reply) {
    struct error error = {0};
    if (resource_check_deployer(run, path, deploying, request, &error) == 0)
        return true;
    resource_refuse(reply, &error);
    return false;
}
