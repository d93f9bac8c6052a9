#include "local/registry/internal.h"

#include <string.h>
#include <unistd.h>

static void send_blob(const struct registry *registry, const struct request *request, const struct digest *digest,
                      struct reply *reply) {
    uint64_t size = 0, first = 0, last = 0;
    struct error error = {0};
    int fd = store_open_object(registry->store, digest, &size, &error);
    if (fd < 0) {
        reply_oci_error(reply, 500, "UNKNOWN", "%s", error.text);
        return;
    }
    enum range range = request_range(request, size, &first, &last);
    if (range == RANGE_NOT_SATISFIABLE) {
        close(fd);
        reply_header(reply, "Content-Range", "bytes */%llu", (unsigned long long)size);
        reply_oci_error(reply, 416, "RANGE_INVALID", "the blob has %llu bytes", (unsigned long long)size);
        return;
    }
    reply->fd = fd;
    reply->offset = first;
    reply->length = range == RANGE_SET ? last - first + 1 : size;
    reply->status = range == RANGE_SET ? 206 : 200;
    reply->content_type = "application/octet-stream";
    if (range == RANGE_SET)
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
