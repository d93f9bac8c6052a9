#include "local/registry/internal.h"

#include <string.h>
#include <unistd.h>

/* "bytes=A-B", "bytes=A-", "bytes=-N" of `size`; 0: none or one that is ignored, 1: set, -1: not satisfiable */
static int parse_range(const char *range, uint64_t size, uint64_t *first, uint64_t *last) {
    if (!range || !text_starts_with(range, "bytes=") || strchr(range, ','))
        return 0;
    range += strlen("bytes=");
    const char *dash = strchr(range, '-');
    if (!dash)
        return 0;
    AUTO_FREE char *from = text_copy_length(range, (size_t)(dash - range));
    uint64_t begin = 0, end = size ? size - 1 : 0;
    if (*from && !text_to_u64(from, UINT64_MAX / 2, &begin))
        return 0;
    if (dash[1] && !text_to_u64(dash + 1, UINT64_MAX / 2, &end))
        return 0;
    if (!*from) {
        if (!dash[1] || end == 0)
            return dash[1] ? -1 : 0;
        begin = end < size ? size - end : 0;
        end = size ? size - 1 : 0;
    }
    if (begin >= size || end < begin)
        return -1;
    *first = begin;
    *last = end < size ? end : size - 1;
    return 1;
}

static void send_blob(const struct registry *registry, const struct request *request, const struct digest *digest,
                      struct reply *reply) {
    uint64_t size = 0, first = 0, last = 0;
    struct error error = {0};
    int fd = store_open_object(registry->store, digest, &size, &error);
    if (fd < 0) {
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error.text);
        return;
    }
    int range = parse_range(request_header(request, "Range"), size, &first, &last);
    if (range < 0) {
        close(fd);
        reply_header(reply, "Content-Range", "bytes */%llu", (unsigned long long)size);
        reply_oci_error(reply, 416, "RANGE_INVALID", "the blob has %llu bytes", (unsigned long long)size);
        return;
    }
    reply->fd = fd;
    reply->offset = first;
    reply->length = range ? last - first + 1 : size;
    reply->status = range ? 206 : 200;
    reply->content_type = "application/octet-stream";
    if (range)
        reply_header(reply, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
                     (unsigned long long)last, (unsigned long long)size);
    reply_header(reply, "Accept-Ranges", "bytes");
    reply_header(reply, "Docker-Content-Digest", "%s", digest_format(digest).text);
    reply_header(reply, "ETag", "\"%s\"", digest_format(digest).text);
}

void blob_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_TARGET struct target target = {0};
    struct digest digest;
    target_parse(request->path, &target);
    if (digest_parse(target.reference, &digest, NULL) < 0) {
        reply_oci_error(reply, 400, "DIGEST_INVALID", "the digest is not sha256 and 64 hexadecimal digits");
        return;
    }
    if (!registry_has(cloud->registry, target.repository, "_blobs", &digest)) {
        reply_oci_error(reply, 404, "BLOB_UNKNOWN", "the repository has no blob %s", digest_format(&digest).text);
        return;
    }
    if (request_is(request, "DELETE")) {
        AUTO_FREE char *path =
            registry_path(cloud->registry, target.repository, "_blobs", digest_format_hex(&digest).text);
        unlink(path);
        reply_empty(reply, 202);
    } else if (request_is(request, "GET") || request_is(request, "HEAD"))
        send_blob(cloud->registry, request, &digest, reply);
    else
        reply_oci_error(reply, 405, "UNSUPPORTED", "use GET, HEAD or DELETE");
}
