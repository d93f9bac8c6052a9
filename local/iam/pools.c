/* Workload identity pools, and what they and their providers have in common. */
#include "local/iam/internal.h"

#include "common/crypto/random.h"
#include "local/field_mask.h"
#include "local/timestamp.h"

#include <string.h>

#define POOL_TYPE "type.googleapis.com/google.iam.admin.v1.WorkloadIdentityPool"
static const int64_t KEPT = (int64_t)30 * 86400 * 1000000; /* what is deleted can be had back for 30 days */

bool federation_id_is_valid(const char *id) {
    size_t length = id ? strlen(id) : 0;
    return length >= 4 && length <= 32 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
           id[0] != '-' && id[length - 1] != '-' && !text_starts_with(id, "gcp-");
}

/* What is kept beside what is shown. */
static struct json *shown(const struct json *resource) {
    struct json *copy = json_copy_deep(resource);
    json_remove(copy, "providers");
    return copy;
}

void federation_list(struct iam_call *call, const struct json *parent, const char *key) {
    bool deleted = text_equal(request_query(call->request, "showDeleted"), "true");
    struct json *document = json_new_object(), *list = json_new_array();
    for (void *at = json_first(parent); at; at = json_next(parent, at))
        if (deleted || text_equal(json_get_text(json_value(at), "state", NULL), "ACTIVE"))
            json_append(list, shown(json_value(at)));
    if (json_count(list))
        json_set(document, key, list);
    else
        json_release(&list);
    reply_json(call->reply, 200, document);
}

void federation_operation(struct iam_call *call, const struct json *resource, const char *type, const char *id) {
    struct json *operation = json_new_object(), *response = json_new_object();
    AUTO_FREE char *name = text_format("%s/operations/%s", json_get_text(resource, "name", ""), id);
    json_set_text(response, "@type", type);
    for (void *at = json_first(resource); at; at = json_next(resource, at))
        if (!text_equal(json_key(at), "providers"))
            json_set(response, json_key(at), json_copy_deep(json_value(at)));
    json_set_text(operation, "name", name);
    json_set_bool(operation, "done", true);
    json_set(operation, "response", response);
    reply_json(call->reply, 200, operation);
}

static void finish(struct iam_call *call, const struct json *resource, const char *type) {
    char id[25];
    struct error error = {0};
    random_hex(id, sizeof(id));
    if (iam_save(call->iam, &error) < 0)
        reply_google_error(call->reply, 500, "%s", error.text);
    else
        federation_operation(call, resource, type, id);
}

void federation_delete(struct iam_call *call, struct json *resource, const char *type) {
    if (!text_equal(json_get_text(resource, "state", NULL), "ACTIVE")) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Precondition check failed.");
        return;
    }
    json_set_text(resource, "state", "DELETED");
    json_set_text(resource, "expireTime", timestamp_format(timestamp_now() + KEPT).text);
    finish(call, resource, type);
}

void federation_undelete(struct iam_call *call, struct json *resource, const char *type) {
    if (text_equal(json_get_text(resource, "state", NULL), "ACTIVE")) {
        reply_google_status(call->reply, 400, "FAILED_PRECONDITION", NULL, "Precondition check failed.");
        return;
    }
    json_set_text(resource, "state", "ACTIVE");
    json_remove(resource, "expireTime");
    finish(call, resource, type);
}

struct json *pool_find(struct iam_call *call) {
    struct json *pool = json_get(json_get(call->iam->state, "pools"), call->names[0]);
    if (!pool)
        reply_google_error(call->reply, 404, "Requested entity was not found.");
    return pool;
}

/* ---- the requests ---- */

static const char *const fields[] = {"displayName", "description", "disabled", NULL};

void pool_list(struct iam_call *call) {
    federation_list(call, json_get(call->iam->state, "pools"), "workloadIdentityPools");
}

void pool_create(struct iam_call *call) {
    const char *id = request_query(call->request, "workloadIdentityPoolId");
    struct json *pools = json_get(call->iam->state, "pools");
    const char *mode = json_get_text(call->body, "mode", "FEDERATION_ONLY");
    struct error error = {0};
    if (!federation_id_is_valid(id)) {
        reply_google_error(call->reply, 400,
                           "Invalid workload identity pool id: 4 to 32 lower-case letters, digits and hyphens");
        return;
    }
    if (!text_equal(mode, "FEDERATION_ONLY") && !text_equal(mode, "MODE_UNSPECIFIED")) {
        reply_google_error(call->reply, 400, "the local cloud has no pools of the mode %.60s", mode);
        return;
    }
    if (json_get(pools, id)) {
        reply_google_error(call->reply, 409, "Requested entity already exists");
        return;
    }
    struct json *pool = json_new_object();
    AUTO_FREE char *name =
        text_format("projects/%s/locations/global/workloadIdentityPools/%s", call->cloud->number, id);
    json_set_text(pool, "name", name);
    json_set_text(pool, "state", "ACTIVE");
    json_set(pool, "providers", json_new_object());
    if (field_mask_apply(pool, call->body, NULL, fields, &error) < 0) {
        json_release(&pool);
        reply_google_error(call->reply, 400, "%s", error.text);
        return;
    }
    json_set(pools, id, pool);
    finish(call, pool, POOL_TYPE);
}

void pool_get(struct iam_call *call) {
    const struct json *pool = pool_find(call);
    if (pool)
        reply_json(call->reply, 200, shown(pool));
}

void pool_patch(struct iam_call *call) {
    struct json *pool = pool_find(call);
    struct error error = {0};
    if (!pool)
        return;
    if (field_mask_apply(pool, call->body, request_query(call->request, "updateMask"), fields, &error) < 0)
        reply_google_error(call->reply, 400, "%s", error.text);
    else
        finish(call, pool, POOL_TYPE);
}

void pool_delete(struct iam_call *call) {
    struct json *pool = pool_find(call);
    if (pool)
        federation_delete(call, pool, POOL_TYPE);
}

void pool_undelete(struct iam_call *call) {
    struct json *pool = pool_find(call);
    if (pool)
        federation_undelete(call, pool, POOL_TYPE);
}

void pool_operation(struct iam_call *call) {
    const struct json *pool = pool_find(call);
    if (pool)
        federation_operation(call, pool, POOL_TYPE, call->names[1]);
}
