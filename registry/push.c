/* Pushing: what is missing, then the manifest, then the tags. */
#include "registry/transfer_blobs.h"

#include "common/json/json.h"

#include <string.h>

enum { REMEMBERED_BLOBS = 1000, SMALL_BLOB = 64 * 1024 };

/* ---- what a repository is known to have ---- */

static struct digest_hex memory_key(const struct reference *target) {
    AUTO_FREE char *name = text_format("%s/%s", target->host, target->repository);
    struct digest digest = digest_of(name, strlen(name));
    return digest_format_hex(&digest);
}

static struct json *memory_read(const struct push *push) {
    struct json *memory = NULL;
    if (store_name_read(push->store, "pushed", memory_key(push->target).text, &memory, NULL) < 0 || !memory)
        memory = json_new_object();
    if (!json_is_object(json_get(memory, "blobs")) || json_count(json_get(memory, "blobs")) > REMEMBERED_BLOBS)
        json_set(memory, "blobs", json_new_object());
    return memory;
}

static int memory_write(const struct push *push, const struct blob_group *group, struct json *memory,
                        struct error *error) {
    struct json *blobs = json_get(memory, "blobs");
    bool is_new = false;
    for (size_t i = 0; i < group->count; i++) {
        struct digest_text digest = digest_format(&group->jobs[i].blob->digest);
        if (json_get(blobs, digest.text))
            continue;
        is_new = true;
        json_set_bool(blobs, digest.text, true);
    }
    if (!is_new)
        return 0;
    AUTO_FREE char *name = text_format("%s/%s", push->target->host, push->target->repository);
    json_set_text(memory, "repository", name);
    return store_hint_write(push->store, "pushed", memory_key(push->target).text, memory, error);
}

/* ---- scopes ---- */

/* Also reading where the blobs could be mounted from. */
static char *push_scope(const struct push *push) {
    AUTO_LIST struct text_list scopes = {0};
    text_list_take(&scopes, session_scope(push->target->repository, true));
    for (size_t i = 0; i < push->blob_count && scopes.count < 4; i++) {
        AUTO_REFERENCE struct reference origin = {0};
        if (!push->blobs[i].origin || reference_parse(push->blobs[i].origin, &origin, NULL) < 0 ||
            !text_equal(origin.host, push->target->host) || text_equal(origin.repository, push->target->repository))
            continue;
        AUTO_FREE char *scope = session_scope(origin.repository, false);
        if (!text_list_contains(&scopes, scope))
            text_list_add(&scopes, scope);
    }
    AUTO_BUFFER struct buffer joined = BUFFER(4096);
    for (size_t i = 0; i < scopes.count; i++)
        buffer_append_format(&joined, "%s%s", i ? " " : "", scopes.items[i]);
    return buffer_take(&joined);
}

/* ---- blobs ---- */

static bool is_unknown(const struct blob_job *job) {
    return job->result == BLOB_UNKNOWN;
}

static bool is_missing(const struct blob_job *job) {
    return job->result == BLOB_MISSING;
}

/* Asking for a small blob costs as much as sending it. */
static void skip_questions(struct blob_group *group, const struct json *known) {
    for (size_t i = 0; i < group->count; i++) {
        struct blob_job *job = &group->jobs[i];
        if (json_get(known, digest_format(&job->blob->digest).text))
            job->result = BLOB_EXISTS;
        else if (job->blob->size <= SMALL_BLOB && !job->blob->origin)
            job->result = BLOB_MISSING;
    }
}

/* Opens what is to be sent, and hashes it once more: this is where it leaves the machine. */
static int open_blob(const struct push *push, struct blob_job *job, struct error *error) {
    const struct push_blob *blob = job->blob;
    size_t index = (size_t)(blob - push->blobs);
    if (!store_has(push->store, &blob->digest) && push->fetch && push->fetch(push->context, index, error) < 0)
        return -1;
    uint64_t size = 0;
    job->fd = store_open_object(push->store, &blob->digest, &size, error);
    if (job->fd < 0)
        return -1;
    struct digest digest;
    if (digest_of_fd(job->fd, &digest, NULL, error) < 0)
        return -1;
    if (size == blob->size && digest_equal(&digest, &blob->digest))
        return 0;
    error_set(error, ERROR_DATA, "%s in the store is damaged", digest_format(&blob->digest).text);
    return error_next(error, "run pl-cache verify, then build again");
}

static int open_missing(const struct push *push, struct blob_group *group, struct error *error) {
    for (size_t i = 0; i < group->count; i++)
        if (is_missing(&group->jobs[i]) && group->jobs[i].fd < 0 && open_blob(push, &group->jobs[i], error) < 0)
            return -1;
    return 0;
}

static int move_blobs(const struct push *push, struct blob_group *group, struct error *error) {
    group->begin = blob_check;
    group->wanted = is_unknown;
    if (blob_group_run(group, error) < 0 || open_missing(push, group, error) < 0)
        return -1;
    group->begin = blob_upload;
    group->wanted = is_missing;
    return blob_group_run(group, error);
}

static void count_blobs(const struct blob_group *group, struct push_outcome *outcome) {
    for (size_t i = 0; i < group->count; i++) {
        outcome->uploaded += group->jobs[i].result == BLOB_UPLOADED;
        outcome->mounted += group->jobs[i].result == BLOB_MOUNTED;
        outcome->existing += group->jobs[i].result == BLOB_EXISTS;
        if (group->jobs[i].result == BLOB_UPLOADED)
            outcome->uploaded_bytes += group->jobs[i].blob->size;
    }
}

/* ---- manifest and tags ---- */

/* Returns 1 when the registry misses a blob. */
static int put_manifest(struct session *session, const struct push *push, const char *scope, const char *name,
                        const struct digest *digest, struct error *error) {
    AUTO_FREE char *rest = text_format("manifests/%s", name);
    AUTO_FREE char *url = session_path(session, push->target->repository, rest);
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.method = "PUT",
                                   .url = url,
                                   .content_type = push->media_type,
                                   .body = push->manifest,
                                   .body_length = push->manifest_length,
                                   .response_limit = 65536};
    if (session_perform(session, scope, &request, &response, error) < 0)
        return -1;
    struct digest_text own = digest_format(digest);
    const char *claimed = http_header(&response, "docker-content-digest");
    if (response.status == 201 || response.status == 200) {
        if (claimed && text_starts_with(claimed, "sha256:") && !text_equal(claimed, own.text))
            return error_set(error, ERROR_PROTOCOL, "%s stored the manifest as %.80s, but it is %s", session->host,
                             claimed, own.text);
        return 0;
    }
    session_refused(session, "store the manifest", &response, error);
    return strstr(buffer_text(&response.body), "BLOB_UNKNOWN") ? 1 : -1;
}

static int put_tags(struct session *session, const struct push *push, const char *scope, const struct digest *digest,
                    struct error *error) {
    if (!push->tags || !push->tags->count)
        return put_manifest(session, push, scope, digest_format(digest).text, digest, error);
    for (size_t i = 0; i < push->tags->count; i++) {
        int result = put_manifest(session, push, scope, push->tags->items[i], digest, error);
        if (result)
            return result < 0 ? error_wrap(error, "tag %s", push->tags->items[i]) : result;
    }
    return 0;
}

static struct blob_group new_group(struct session *session, const struct push *push, const char *scope) {
    struct blob_group group = {.session = session,
                               .repository = push->target->repository,
                               .scope = scope,
                               .count = push->blob_count,
                               .jobs = memory_allocate(push->blob_count, sizeof(struct blob_job))};
    for (size_t i = 0; i < group.count; i++)
        group.jobs[i] = (struct blob_job){.blob = &push->blobs[i], .fd = -1};
    return group;
}

static int push_once(struct session *session, const struct push *push, const char *scope, struct json *memory,
                     bool trust_memory, struct push_outcome *outcome, struct error *error) {
    struct blob_group group = new_group(session, push, scope);
    for (size_t i = 0; i < group.count; i++)
        group.jobs[i].group = &group;
    group.no_mounts = !trust_memory;
    if (trust_memory)
        skip_questions(&group, json_get(memory, "blobs"));
    int result = move_blobs(push, &group, error);
    if (result == 0)
        result = put_tags(session, push, scope, &outcome->digest, error);
    if (result == 0) {
        count_blobs(&group, outcome);
        result = memory_write(push, &group, memory, error);
    }
    blob_group_release(&group);
    return result;
}

int registry_push(struct registry *registry, const struct push *push, struct push_outcome *outcome,
                  struct error *error) {
    struct session *session = session_of(registry, push->target->host);
    AUTO_FREE char *scope = push_scope(push);
    AUTO_JSON struct json *memory = memory_read(push);
    *outcome = (struct push_outcome){.digest = digest_of(push->manifest, push->manifest_length)};
    if (push->manifest_length > REGISTRY_MANIFEST_LIMIT)
        return error_set(error, ERROR_DATA, "the manifest is larger than %d bytes", REGISTRY_MANIFEST_LIMIT);
    if (session_prepare(session, scope, error) < 0)
        return -1;
    int result = push_once(session, push, scope, memory, true, outcome, error);
    if (result <= 0)
        return result;
    /* What was remembered is not there any more: ask for everything. */
    json_set(memory, "blobs", json_new_object());
    return push_once(session, push, scope, memory, false, outcome, error) == 0 ? 0 : -1;
}

int registry_check_access(struct registry *registry, const struct reference *reference, bool push,
                          struct error *error) {
    AUTO_FREE char *scope = session_scope(reference->repository, push);
    return session_prepare(session_of(registry, reference->host), scope, error);
}
