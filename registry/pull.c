/* Pulling: a reference to one manifest, a blob into the store. */
#include "registry/manifest.h"
#include "registry/session.h"

#include <string.h>

enum { INDEX_DEPTH = 4 };

static const char accepted[] = "Accept: " MEDIA_TYPE_OCI_INDEX ", " MEDIA_TYPE_OCI_MANIFEST ", " MEDIA_TYPE_DOCKER_INDEX
                               ", " MEDIA_TYPE_DOCKER_MANIFEST;

/* GET of one manifest by tag or digest; the bytes are hashed here, and what the registry says their digest is must be
 * the same. */
static int get_manifest(struct session *session, const struct reference *reference, const char *name,
                        const struct digest *expected, struct http_response *response, struct digest *digest,
                        struct error *error) {
    AUTO_FREE char *scope = session_scope(reference->repository, false);
    AUTO_FREE char *rest = text_format("manifests/%s", name);
    AUTO_FREE char *url = session_path(session, reference->repository, rest);
    AUTO_LIST struct text_list headers = {0};
    text_list_add(&headers, accepted);
    struct http_request request = {
        .url = url, .headers = &headers, .follow_redirects = true, .response_limit = REGISTRY_MANIFEST_LIMIT};
    if (session_perform(session, scope, &request, response, error) < 0)
        return -1;
    if (response->status != 200)
        return session_refused(session, "find the image", response, error);
    *digest = digest_of(response->body.data, response->body.length);
    const char *claimed = http_header(response, "docker-content-digest");
    struct digest_text own = digest_format(digest);
    if (expected && !digest_equal(expected, digest))
        return error_set(error, ERROR_PROTOCOL, "%s sent another manifest than the one asked for: %s, not %s",
                         session->host, own.text, digest_format(expected).text);
    if (claimed && text_starts_with(claimed, "sha256:") && !text_equal(claimed, own.text))
        return error_set(error, ERROR_PROTOCOL, "%s says the digest of the manifest is %.80s, but it is %s",
                         session->host, claimed, own.text);
    return 0;
}

/* Follows indexes until there is one manifest for the platform. */
static int resolve(struct session *session, const struct reference *reference, const char *platform,
                   struct buffer *manifest, struct digest *digest, struct error *error) {
    AUTO_FREE char *name = reference->has_digest ? text_copy(digest_format(&reference->digest).text)
                                                 : text_copy(reference->tag ? reference->tag : "latest");
    struct digest wanted = reference->digest;
    bool by_digest = reference->has_digest;
    struct descriptor entry = {0};
    for (int depth = 0; depth <= INDEX_DEPTH; depth++) {
        AUTO_RESPONSE struct http_response response = {0};
        if (get_manifest(session, reference, name, by_digest ? &wanted : NULL, &response, digest, error) < 0)
            return -1;
        if (depth && entry.size != response.body.length)
            return error_set(error, ERROR_PROTOCOL, "%s: the manifest has %zu bytes, not the %llu that its index says",
                             session->host, response.body.length, (unsigned long long)entry.size);
        bool is_index = false;
        AUTO_JSON struct json *document = manifest_read(response.body.data, response.body.length,
                                                        http_header(&response, "content-type"), &is_index, error);
        if (!document)
            return -1;
        if (!is_index) {
            buffer_append(manifest, response.body.data, response.body.length);
            return buffer_check(manifest, "the manifest", error);
        }
        if (index_find(document, platform, &entry, error) < 0)
            return -1;
        wanted = entry.digest;
        by_digest = true;
        free(name);
        name = text_copy(digest_format(&wanted).text);
    }
    return error_set(error, ERROR_PROTOCOL, "%s: its indexes are nested more than %d deep", session->host, INDEX_DEPTH);
}

static int find_manifest(void *context, const char *text, const char *platform, struct buffer *manifest,
                         char **canonical, struct error *error) {
    AUTO_REFERENCE struct reference reference = {0};
    *canonical = NULL;
    if (reference_parse(text, &reference, error) < 0)
        return -1;
    struct digest digest;
    if (resolve(session_of(context, reference.host), &reference, platform, manifest, &digest, error) < 0)
        return error_wrap(error, "image %s", text);
    *canonical = text_format("%s/%s@%s", reference.host, reference.repository, digest_format(&digest).text);
    return 0;
}

/* ---- blobs ---- */

struct download {
    struct store_writer *writer;
    bool restart_failed;
    struct error error;
};

static int write_piece(void *context, const char *data, size_t length, struct error *error) {
    struct download *download = context;
    if (download->restart_failed) {
        if (error)
            *error = download->error;
        return -1;
    }
    return store_put_write(download->writer, data, length, error);
}

static void start_over(void *context) {
    struct download *download = context;
    download->restart_failed = store_put_restart(download->writer, &download->error) < 0;
}

static int fetch_into(struct session *session, const struct reference *reference, const struct digest *digest,
                      uint64_t size, struct download *download, struct error *error) {
    AUTO_FREE char *scope = session_scope(reference->repository, false);
    AUTO_FREE char *rest = text_format("blobs/%s", digest_format(digest).text);
    AUTO_FREE char *url = session_path(session, reference->repository, rest);
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request request = {.url = url,
                                   .follow_redirects = true,
                                   .response_limit = 65536,
                                   .sink = write_piece,
                                   .sink_restart = start_over,
                                   .sink_context = download,
                                   .sink_limit = size,
                                   .resumable = true};
    if (session_perform(session, scope, &request, &response, error) < 0)
        return -1;
    return response.status == 200 ? 0 : session_refused(session, "fetch a blob", &response, error);
}

static int fetch_and_commit(struct session *session, const struct reference *reference, const struct digest *digest,
                            uint64_t size, struct store *store, struct error *error) {
    AUTO_WRITER struct store_writer *writer = store_put_begin(store, digest, size, error);
    if (!writer)
        return -1;
    struct download download = {.writer = writer};
    if (fetch_into(session, reference, digest, size, &download, error) < 0)
        return -1;
    uint64_t got = 0;
    struct digest stored;
    if (store_put_commit(&writer, &stored, &got, error) < 0)
        return -1;
    if (got != size)
        return error_set(error, ERROR_PROTOCOL, "it has %llu bytes, not the %llu of its descriptor",
                         (unsigned long long)got, (unsigned long long)size);
    return 0;
}

static int fetch_blob(void *context, const char *canonical, const struct digest *digest, uint64_t size,
                      struct store *store, struct error *error) {
    struct registry *registry = context;
    AUTO_REFERENCE struct reference reference = {0};
    if (store_has(store, digest))
        return 0;
    if (reference_parse(canonical, &reference, error) < 0)
        return -1;
    int result = fetch_and_commit(session_of(registry, reference.host), &reference, digest, size, store, error);
    if (result < 0)
        return error_wrap(error, "blob %s of %s/%s", digest_format(digest).text, reference.host, reference.repository);
    return 0;
}

struct image_source registry_image_source(struct registry *registry) {
    return (struct image_source){.context = registry, .manifest = find_manifest, .blob = fetch_blob};
}
