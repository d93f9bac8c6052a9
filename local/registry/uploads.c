/* Uploads of blobs in every style: one POST, POST and PUT, POST with PATCHes and PUT; mounts from another repository.
 */
#include "common/crypto/random.h"
#include "local/registry/internal.h"

#include <string.h>
#include <unistd.h>

static void upload_free(struct upload *upload) {
    store_put_abort(&upload->writer);
    free(upload->repository);
    free(upload->owner);
    free(upload);
}

void uploads_release(struct registry *registry) {
    for (size_t i = 0; i < registry->upload_count; i++)
        upload_free(registry->uploads[i]);
    free(registry->uploads);
}

/* With the lock held. */
static void drop_at(struct registry *registry, size_t index) {
    upload_free(registry->uploads[index]);
    registry->uploads[index] = registry->uploads[--registry->upload_count];
}

static struct upload *upload_new(struct registry *registry, const char *repository, const char *owner,
                                 struct error *error) {
    struct store_writer *writer = store_put_begin(registry->store, NULL, BLOB_LIMIT, error);
    if (!writer)
        return NULL;
    struct upload *upload = memory_allocate(1, sizeof(*upload));
    random_hex(upload->id, sizeof(upload->id));
    upload->repository = text_copy(repository);
    upload->owner = text_copy(owner);
    upload->writer = writer;
    upload->busy = true;
    upload->used = time(NULL);
    pthread_mutex_lock(&registry->lock);
    for (size_t i = registry->upload_count; i-- > 0;)
        if (!registry->uploads[i]->busy && registry->uploads[i]->used + UPLOAD_IDLE_SECONDS < upload->used)
            drop_at(registry, i);
    bool room = registry->upload_count < UPLOADS_LIMIT;
    if (room) {
        registry->uploads = memory_resize(registry->uploads, registry->upload_count + 1, sizeof(*registry->uploads));
        registry->uploads[registry->upload_count++] = upload;
    }
    pthread_mutex_unlock(&registry->lock);
    if (room)
        return upload;
    error_set(error, ERROR_TEMPORARY, "%d uploads are under way", UPLOADS_LIMIT);
    upload_free(upload);
    return NULL;
}

/* With the lock held. Another repository's or another person's upload does not exist. NULL: it is answered. */
static struct upload *find_upload(struct registry *registry, const struct target *target, const char *owner,
                                  struct reply *reply) {
    for (size_t i = 0; i < registry->upload_count; i++) {
        struct upload *upload = registry->uploads[i];
        if (!text_equal(upload->id, target->reference) || !text_equal(upload->repository, target->repository) ||
            !text_equal(upload->owner, owner))
            continue;
        if (!upload->busy)
            return upload;
        reply_oci_error(reply, 409, "BLOB_UPLOAD_INVALID", "another request works on this upload");
        return NULL;
    }
    reply_oci_error(reply, 404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload");
    return NULL;
}

/* Takes an upload for this request. NULL: it is answered. */
static struct upload *upload_take(struct registry *registry, const struct target *target, const char *owner,
                                  struct reply *reply) {
    pthread_mutex_lock(&registry->lock);
    struct upload *found = find_upload(registry, target, owner, reply);
    if (found)
        found->busy = true;
    pthread_mutex_unlock(&registry->lock);
    return found;
}

static void upload_give(struct registry *registry, struct upload *upload) {
    pthread_mutex_lock(&registry->lock);
    upload->busy = false;
    upload->used = time(NULL);
    pthread_mutex_unlock(&registry->lock);
}

static void upload_drop(struct registry *registry, struct upload *upload) {
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < registry->upload_count; i++)
        if (registry->uploads[i] == upload) {
            drop_at(registry, i);
            break;
        }
    pthread_mutex_unlock(&registry->lock);
}

/* One request's work on an upload. */
struct session {
    struct registry *registry;
    struct upload *upload; /* NULL once it is over */
};

static int session_write(void *context, const void *data, size_t length, struct error *error) {
    struct session *session = context;
    if (store_put_write(session->upload->writer, data, length, error) < 0)
        return -1;
    session->upload->size += length;
    return 0;
}

static void session_release(void *context) {
    struct session *session = context;
    if (session->upload)
        upload_give(session->registry, session->upload);
    free(session);
}

static struct session *session_open(struct registry *registry, struct request *request, struct upload *upload) {
    struct session *session = memory_allocate(1, sizeof(*session));
    *session = (struct session){registry, upload};
    request->sink = session_write;
    request->sink_release = session_release;
    request->sink_context = session;
    return session;
}

static void reply_upload(struct reply *reply, const struct upload *upload, unsigned status) {
    reply_header(reply, "Location", "/v2/%s/blobs/uploads/%s", upload->repository, upload->id);
    reply_header(reply, "Range", "0-%llu", (unsigned long long)(upload->size ? upload->size - 1 : 0));
    reply_header(reply, "Docker-Upload-UUID", "%s", upload->id);
    reply_empty(reply, status);
}

/* The next request may follow the reply at once: the upload is free before it is sent. */
static void session_pause(struct session *session, struct reply *reply, unsigned status) {
    reply_upload(reply, session->upload, status);
    upload_give(session->registry, take_pointer(&session->upload));
}

static void reply_created(struct reply *reply, const char *repository, const struct digest *digest) {
    reply_header(reply, "Location", "/v2/%s/blobs/%s", repository, digest_format(digest).text);
    reply_header(reply, "Docker-Content-Digest", "%s", digest_format(digest).text);
    reply_empty(reply, 201);
}

static void reply_failure(struct reply *reply, const struct error *error) {
    if (error->kind == ERROR_PROTOCOL)
        reply_oci_error(reply, 400, "DIGEST_INVALID", "%s", error->text);
    else if (error->kind == ERROR_DATA)
        reply_oci_error(reply, 413, "SIZE_INVALID", "%s", error->text);
    else if (error->kind == ERROR_CANNOT_WRITE)
        reply_oci_error(reply, 507, "UNKNOWN", "%s", error->text);
    else if (error->kind == ERROR_TEMPORARY)
        reply_oci_error(reply, 429, "TOOMANYREQUESTS", "%s", error->text);
    else
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error->text);
}

/* Ends an upload by its digest. A wrong one ends it too: what was sent cannot become right. */
static void session_finish(struct session *session, const char *text, struct reply *reply) {
    struct registry *registry = session->registry;
    struct upload *upload = session->upload;
    struct digest expected;
    struct error error = {0};
    if (!text || digest_parse(text, &expected, NULL) < 0) {
        reply_oci_error(reply, 400, "DIGEST_INVALID", "the digest is not sha256 and 64 hexadecimal digits");
        return;
    }
    store_put_expect(upload->writer, &expected);
    if (store_put_commit(&upload->writer, NULL, NULL, &error) < 0 ||
        registry_link(registry, upload->repository, "_blobs", &expected, "", &error) < 0)
        reply_failure(reply, &error);
    else
        reply_created(reply, upload->repository, &expected);
    session->upload = NULL;
    upload_drop(registry, upload);
}

static void start_handle(void *context, struct request *request, struct reply *reply) {
    struct session *session = request->sink_context;
    (void)context;
    const char *digest = request_query(request, "digest");
    if (request->sink_failed) {
        reply_failure(reply, &request->sink_error);
        upload_drop(session->registry, take_pointer(&session->upload));
    } else if (digest) {
        session_finish(session, digest, reply);
        if (session->upload)
            upload_drop(session->registry, take_pointer(&session->upload));
    } else {
        session_pause(session, reply, 202);
    }
}

/* POST …/uploads/?mount=DIGEST&from=NAME: a blob of another repository that the bearer may read. */
static bool mount(struct local_cloud *cloud, const struct request *request, const struct target *target,
                  struct reply *reply) {
    const char *text = request_query(request, "mount"), *from = request_query(request, "from");
    struct digest digest;
    if (!text || !from || digest_parse(text, &digest, NULL) < 0 || !repository_is_valid(from) ||
        !registry_may(cloud, request, from, ACTION_PULL) || !registry_has(cloud->registry, from, "_blobs", &digest) ||
        registry_link(cloud->registry, target->repository, "_blobs", &digest, "", NULL) < 0)
        return false;
    reply_created(reply, target->repository, &digest);
    return true;
}

void uploads_begin(struct local_cloud *cloud, struct request *request, const struct target *target,
                   struct reply *reply) {
    struct error error = {0};
    if (!request_is(request, "POST")) {
        reply_oci_error(reply, 405, "UNSUPPORTED", "use POST");
        return;
    }
    if (mount(cloud, request, target, reply))
        return;
    struct upload *upload = upload_new(cloud->registry, target->repository, request->principal, &error);
    if (!upload) {
        reply_failure(reply, &error);
        return;
    }
    session_open(cloud->registry, request, upload);
    request->handle = start_handle;
}

/* "A-B", both included: the piece begins where the upload ends, and is as long as its request. */
static bool range_continues(const char *range, uint64_t size, int64_t length) {
    const char *dash = strchr(range, '-');
    AUTO_FREE char *first = text_copy_length(range, dash ? (size_t)(dash - range) : 0);
    uint64_t begin, end;
    if (!dash || !text_to_u64(first, BLOB_LIMIT, &begin) || !text_to_u64(dash + 1, BLOB_LIMIT, &end))
        return false;
    return begin == size && end >= begin && (length < 0 || end - begin + 1 == (uint64_t)length);
}

static void piece_handle(void *context, struct request *request, struct reply *reply) {
    struct session *session = request->sink_context;
    (void)context;
    if (request->sink_failed) {
        reply_failure(reply, &request->sink_error);
        upload_drop(session->registry, take_pointer(&session->upload));
    } else if (request_is(request, "PUT"))
        session_finish(session, request_query(request, "digest"), reply);
    else
        session_pause(session, reply, 202);
}

static void cancel_handle(void *context, struct request *request, struct reply *reply) {
    struct session *session = request->sink_context;
    (void)context;
    upload_drop(session->registry, take_pointer(&session->upload));
    reply_empty(reply, 204);
}

/* Asking does not take the upload: a PATCH that comes at the same time must not find it busy. */
static void tell_status(struct registry *registry, const struct target *target, const struct request *request,
                        struct reply *reply) {
    pthread_mutex_lock(&registry->lock);
    const struct upload *upload = find_upload(registry, target, request->principal, reply);
    if (upload)
        reply_upload(reply, upload, 204);
    pthread_mutex_unlock(&registry->lock);
}

void upload_begin(struct local_cloud *cloud, struct request *request, const struct target *target,
                  struct reply *reply) {
    bool writes = request_is(request, "PATCH") || request_is(request, "PUT");
    if (!writes && !request_is(request, "GET") && !request_is(request, "DELETE")) {
        reply_oci_error(reply, 405, "UNSUPPORTED", "use PATCH, PUT, GET or DELETE");
        return;
    }
    if (request_is(request, "GET")) {
        tell_status(cloud->registry, target, request, reply);
        return;
    }
    struct upload *upload = upload_take(cloud->registry, target, request->principal, reply);
    if (!upload)
        return;
    session_open(cloud->registry, request, upload);
    request->handle = writes ? piece_handle : cancel_handle;
    const char *range = request_header(request, "Content-Range");
    if (writes && range && !range_continues(range, upload->size, request->content_length))
        reply_upload(reply, upload, 416);
}
