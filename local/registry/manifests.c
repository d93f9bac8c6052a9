/* Manifests: stored as they came, only when all they refer to is there. */
#include "common/file/file.h"
#include "local/registry/internal.h"
#include "local/timestamp.h"

#include <string.h>
#include <unistd.h>

enum { TAGS_PER_PUSH = 10 };

static bool is_index(const char *media_type) {
    return text_equal(media_type, "application/vnd.oci.image.index.v1+json") ||
           text_equal(media_type, "application/vnd.docker.distribution.manifest.list.v2+json");
}

static bool is_manifest(const char *media_type) {
    return text_equal(media_type, "application/vnd.oci.image.manifest.v1+json") ||
           text_equal(media_type, "application/vnd.docker.distribution.manifest.v2+json");
}

/* 0, or the reason in *error. */
static int check_descriptor(const struct registry *registry, const char *repository, const struct json *descriptor,
                            const char *folder, struct error *error) {
    struct digest digest;
    const char *text = json_get_text(descriptor, "digest", "");
    if (digest_parse(text, &digest, error) < 0)
        return -1;
    if (json_count(json_get(descriptor, "urls")) > 0)
        return 0;
    if (!registry_has(registry, repository, folder, &digest))
        return error_set(error, ERROR_NO_INPUT, "the manifest refers to %s, which the repository does not have", text);
    uint64_t size = 0;
    AUTO_CLOSE int fd = store_open_object(registry->store, &digest, &size, error);
    if (fd < 0)
        return -1;
    if (json_get_integer(descriptor, "size", -1) != (int64_t)size)
        return error_set(error, ERROR_DATA, "the manifest gives %s another size than the %llu bytes that it has", text,
                         (unsigned long long)size);
    return 0;
}

static int check_list(const struct registry *registry, const char *repository, const struct json *list,
                      const char *folder, struct error *error) {
    if (!json_is_array(list))
        return error_set(error, ERROR_DATA, "the manifest has no list of what it consists of");
    for (size_t i = 0; i < json_count(list); i++)
        if (check_descriptor(registry, repository, json_at(list, i), folder, error) < 0)
            return -1;
    return 0;
}

static int check_manifest(const struct registry *registry, const char *repository, const char *media_type,
                          const struct json *manifest, struct error *error) {
    const char *own = json_get_text(manifest, "mediaType", NULL);
    if (json_get_integer(manifest, "schemaVersion", 0) != 2)
        return error_set(error, ERROR_DATA, "schemaVersion is not 2");
    if (own && !text_equal(own, media_type))
        return error_set(error, ERROR_DATA, "its mediaType is %.100s, but it was sent as %.100s", own, media_type);
    if (is_index(media_type))
        return check_list(registry, repository, json_get(manifest, "manifests"), "_manifests", error);
    if (!is_manifest(media_type))
        return error_set(error, ERROR_DATA, "\"%.100s\" is no media type of a manifest", media_type);
    if (check_descriptor(registry, repository, json_get(manifest, "config"), "_blobs", error) < 0)
        return error_wrap(error, "config");
    return check_list(registry, repository, json_get(manifest, "layers"), "_blobs", error);
}

/* What referrers and later reads want to know without the manifest itself. */
static char *record_text(const char *media_type, size_t size, const struct json *manifest, const char *time) {
    AUTO_JSON struct json *record = json_new_object();
    json_set_text(record, "uploadTime", time);
    json_set_text(record, "mediaType", media_type);
    json_set_integer(record, "size", (int64_t)size);
    const char *subject = json_get_text(json_get(manifest, "subject"), "digest", NULL);
    if (subject && strlen(subject) < DIGEST_TEXT) {
        const char *type = json_get_text(manifest, "artifactType", NULL);
        if (!type)
            type = json_get_text(json_get(manifest, "config"), "mediaType", NULL);
        json_set_text(record, "subject", subject);
        json_set_text(record, "artifactType", type);
        struct json *annotations = json_get(manifest, "annotations");
        if (json_is_object(annotations) && json_count(annotations) < 100)
            json_set(record, "annotations", json_copy_deep(annotations));
    }
    return json_format(record, JSON_COMPACT_STYLE);
}

static int write_tag(const struct registry *registry, const char *repository, const char *tag,
                     const struct digest *digest, struct error *error) {
    AUTO_FREE char *folder = registry_path(registry, repository, "_tags", NULL);
    AUTO_FREE char *path = registry_path(registry, repository, "_tags", tag);
    const char *text = digest_format(digest).text;
    if (directory_make(folder, 0700, error) < 0)
        return -1;
    return file_write_atomic(path, text, strlen(text), 0600, error);
}

/* The object, then the record, then the tags: a reader never finds a name before what it means. */
static int store_manifest(struct registry *registry, const char *repository, const struct request *request,
                          const char *media_type, const struct json *manifest, const struct text_list *tags,
                          struct digest *digest, struct error *error) {
    if (store_put(registry->store, request->body.data, request->body.length, digest, error) < 0)
        return -1;
    pthread_mutex_lock(&registry->lock);
    AUTO_JSON struct json *earlier = manifest_record(registry, repository, digest);
    const char *time = json_get_text(earlier, "uploadTime", NULL);
    AUTO_FREE char *record =
        record_text(media_type, request->body.length, manifest, time ? time : timestamp_format(timestamp_now()).text);
    int result = registry_link(registry, repository, "_manifests", digest, record, error);
    for (size_t i = 0; result == 0 && i < tags->count; i++)
        result = write_tag(registry, repository, tags->items[i], digest, error);
    pthread_mutex_unlock(&registry->lock);
    return result;
}

static int collect_tags(const struct request *request, const char *reference, struct text_list *tags,
                        struct error *error) {
    if (strchr(reference, ':')) {
        struct digest wanted, got = digest_of(request->body.data, request->body.length);
        request_query_all(request, "tag", tags);
        if (digest_parse(reference, &wanted, error) < 0)
            return -1;
        if (!digest_equal(&wanted, &got))
            return error_set(error, ERROR_PROTOCOL, "the manifest has the digest %s, not %s", digest_format(&got).text,
                             reference);
    } else
        text_list_add(tags, reference);
    if (tags->count > TAGS_PER_PUSH)
        return error_set(error, ERROR_DATA, "more than %d tags", TAGS_PER_PUSH);
    for (size_t i = 0; i < tags->count; i++)
        if (!tag_is_valid(tags->items[i]))
            return error_set(error, ERROR_DATA, "the tag is not valid");
    return 0;
}

static void refuse_put(struct reply *reply, const struct error *error) {
    if (error->kind == ERROR_NO_INPUT)
        reply_oci_error(reply, 400, "MANIFEST_BLOB_UNKNOWN", "%s", error->text);
    else if (error->kind == ERROR_PROTOCOL)
        reply_oci_error(reply, 400, "DIGEST_INVALID", "%s", error->text);
    else if (error->kind == ERROR_DATA)
        reply_oci_error(reply, 400, "MANIFEST_INVALID", "%s", error->text);
    else
        reply_oci_error(reply, error->kind == ERROR_CANNOT_WRITE ? 507 : 500, "UNKNOWN", "%s", error->text);
}

static void put_manifest(struct registry *registry, const struct target *target, struct request *request,
                         struct reply *reply) {
    AUTO_LIST struct text_list tags = {0};
    struct error error = {0};
    struct digest digest;
    const char *header = request_header(request, "Content-Type");
    AUTO_FREE char *type = text_copy_length(header ? header : "", header ? strcspn(header, "; ") : 0);
    AUTO_JSON struct json *manifest =
        json_parse(buffer_text(&request->body), request->body.length, "the manifest", &error);
    if (!manifest || collect_tags(request, target->reference, &tags, &error) < 0 ||
        check_manifest(registry, target->repository, type, manifest, &error) < 0 ||
        store_manifest(registry, target->repository, request, type, manifest, &tags, &digest, &error) < 0) {
        refuse_put(reply, &error);
        return;
    }
    reply_header(reply, "Location", "/v2/%s/manifests/%s", target->repository, digest_format(&digest).text);
    reply_header(reply, "Docker-Content-Digest", "%s", digest_format(&digest).text);
    const char *subject = json_get_text(json_get(manifest, "subject"), "digest", NULL);
    if (subject)
        reply_header(reply, "OCI-Subject", "%.*s", DIGEST_TEXT, subject);
    for (size_t i = 0; i < tags.count && request_query(request, "tag"); i++)
        reply_header(reply, "OCI-Tag", "%s", tags.items[i]);
    reply_empty(reply, 201);
}

static void get_manifest(struct registry *registry, const struct target *target, struct reply *reply) {
    struct digest digest;
    struct error error = {0};
    if (!registry_resolve(registry, target->repository, target->reference, &digest)) {
        if (repository_exists(registry, target->repository))
            reply_oci_error(reply, 404, "MANIFEST_UNKNOWN", "Failed to fetch \"%s\"", target->reference);
        else
            reply_oci_error(reply, 404, "NAME_UNKNOWN", "Repository \"%s\" not found", target->repository);
        return;
    }
    AUTO_JSON struct json *record = manifest_record(registry, target->repository, &digest);
    const char *type = json_get_text(record, "mediaType", "application/vnd.oci.image.manifest.v1+json");
    static const char *const known[] = {
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"};
    reply->body.limit = MANIFEST_LIMIT;
    if (store_read(registry->store, &digest, &reply->body, &error) < 0) {
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error.text);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (text_equal(known[i], type))
            reply->content_type = known[i];
    reply->status = 200;
    reply_header(reply, "Docker-Content-Digest", "%s", digest_format(&digest).text);
    reply_header(reply, "ETag", "\"%s\"", digest_format(&digest).text);
}

/* The tags of a deleted manifest go with it. */
static void remove_tags_of(const struct registry *registry, const char *repository, const struct digest *digest) {
    AUTO_FREE char *folder = registry_path(registry, repository, "_tags", NULL);
    AUTO_LIST struct text_list tags = {0};
    if (directory_list(folder, &tags, NULL) < 0)
        return;
    for (size_t i = 0; i < tags.count; i++) {
        AUTO_FREE char *path = path_join(folder, tags.items[i]);
        AUTO_BUFFER struct buffer text = BUFFER(DIGEST_TEXT);
        if (file_read(path, &text, NULL, NULL) == 0 && text_equal(buffer_text(&text), digest_format(digest).text))
            unlink(path);
    }
}

bool registry_delete_manifest(struct registry *registry, const char *repository, const struct digest *digest) {
    AUTO_FREE char *path = registry_path(registry, repository, "_manifests", digest_format_hex(digest).text);
    pthread_mutex_lock(&registry->lock);
    bool found = file_exists(path);
    if (found)
        remove_tags_of(registry, repository, digest);
    unlink(path);
    pthread_mutex_unlock(&registry->lock);
    return found;
}

static bool delete_tag(struct registry *registry, const struct target *target) {
    AUTO_FREE char *path = registry_path(registry, target->repository, "_tags", target->reference);
    struct digest digest;
    pthread_mutex_lock(&registry->lock);
    bool found = registry_resolve(registry, target->repository, target->reference, &digest) && unlink(path) == 0;
    pthread_mutex_unlock(&registry->lock);
    return found;
}

static void delete_manifest(struct registry *registry, const struct target *target, struct reply *reply) {
    struct digest digest;
    bool by_digest = strchr(target->reference, ':') != NULL;
    bool found = by_digest ? digest_parse(target->reference, &digest, NULL) == 0 &&
                                 registry_delete_manifest(registry, target->repository, &digest)
                           : delete_tag(registry, target);
    if (found)
        reply_empty(reply, 202);
    else
        reply_oci_error(reply, 404, "MANIFEST_UNKNOWN", "there is no such manifest");
}

void manifest_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_TARGET struct target target = {0};
    target_parse(request->path, &target);
    if (request_is(request, "GET") || request_is(request, "HEAD"))
        get_manifest(cloud->registry, &target, reply);
    else if (request_is(request, "PUT"))
        put_manifest(cloud->registry, &target, request, reply);
    else if (request_is(request, "DELETE"))
        delete_manifest(cloud->registry, &target, reply);
    else
        reply_oci_error(reply, 405, "UNSUPPORTED", "use GET, HEAD, PUT or DELETE");
}
