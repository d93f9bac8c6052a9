/* The upload endpoint: content comes gzipped, named by the SHA-256 of these bytes. */
#include "local/hosting/internal.h"

#include "common/archive/archive.h"

#include <string.h>

enum { BLOCK = 64 << 10 };

struct incoming {
    struct hosting *hosting;
    struct digest digest;
    struct store_writer *writer;
};

static int incoming_write(void *context, const void *data, size_t length, struct error *error) {
    struct incoming *incoming = context;
    return store_put_write(incoming->writer, data, length, error);
}

static void incoming_release(void *context) {
    struct incoming *incoming = context;
    store_put_abort(&incoming->writer);
    free(incoming);
}

static ssize_t read_descriptor(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    if (got < 0)
        error_set_errno(error, errno, "cannot read the upload");
    return got;
}

/* It must be gzip, to its end. */
static int measure(struct store *store, const struct digest *digest, struct content *content, struct error *error) {
    AUTO_CLOSE int fd = store_open_object(store, digest, &content->size, error);
    unsigned char magic[2];
    if (fd < 0)
        return -1;
    if (pread(fd, magic, sizeof(magic), 0) != 2 || magic[0] != 0x1f || magic[1] != 0x8b)
        return error_set(error, ERROR_DATA, "The content is not gzipped.");
    AUTO_DECOMPRESSOR struct decompressor *decompressor = decompressor_new(read_descriptor, &fd, HOSTED_FILE_LIMIT);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    content->plain = 0;
    for (ssize_t got; (got = decompressor_read(decompressor, block, BLOCK, error)) != 0;) {
        if (got < 0)
            return error_wrap(error, "The content is not gzipped");
        content->plain += (uint64_t)got;
    }
    return 0;
}

static int keep(struct incoming *incoming, struct error *error) {
    struct hosting *hosting = incoming->hosting;
    struct content content;
    if (store_put_commit(&incoming->writer, NULL, NULL, error) < 0) {
        if (error->kind == ERROR_PROTOCOL)
            return error_set(
                error, ERROR_DATA,
                "Uploaded content hash does not match the requested one, %s: the hash is the SHA-256 of the "
                "gzipped bytes as they are sent.",
                digest_format_hex(&incoming->digest).text);
        return -1;
    }
    if (measure(hosting->cloud->store, &incoming->digest, &content, error) < 0)
        return -1;
    return content_add(hosting->contents, &incoming->digest, &content, error);
}

static void upload_handle(void *context, struct request *request, struct reply *reply) {
    struct incoming *incoming = request->sink_context;
    struct error error = request->sink_error;
    (void)context;
    if (request->sink_failed || keep(incoming, &error) < 0) {
        bool full = error.kind == ERROR_CANNOT_WRITE;
        reply_google_error(reply, error.kind == ERROR_DATA ? 400 : full ? 507 : 500, "%s", error.text);
    } else
        reply_json(reply, 200, json_new_object());
}

static void take_upload(struct hosting *hosting, const struct digest *digest, struct request *request,
                        struct reply *reply) {
    struct incoming *incoming = memory_allocate(1, sizeof(*incoming));
    struct error error = {0};
    *incoming = (struct incoming){.hosting = hosting, .digest = *digest};
    request->sink = incoming_write;
    request->sink_release = incoming_release;
    request->sink_context = incoming;
    request->handle = upload_handle;
    incoming->writer = store_put_begin(hosting->cloud->store, digest, HOSTED_FILE_LIMIT, &error);
    if (!incoming->writer)
        reply_google_error(reply, 500, "%s", error.text);
}

/* /upload/sites/S/versions/V/files/HASH */
void content_upload_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    struct hosting *hosting = cloud->hosting;
    AUTO_LIST struct text_list parts = {0};
    struct digest digest;
    text_list_split(&parts, request->path, '/');
    if (parts.count != 8 || !text_equal(parts.items[4], "versions") || !text_equal(parts.items[6], "files")) {
        reply_google_error(reply, 404, "Requested entity was not found.");
        return;
    }
    if (!request_is(request, "POST") && !request_is(request, "PUT")) {
        reply_google_error(reply, 405, "use POST");
        return;
    }
    pthread_mutex_lock(&hosting->lock);
    AUTO_JSON struct json *version = version_read(hosting, parts.items[3], parts.items[5]);
    pthread_mutex_unlock(&hosting->lock);
    if (!version)
        reply_google_error(reply, 404, "Requested entity was not found.");
    else if (!text_equal(json_get_text(version, "status", NULL), "CREATED"))
        reply_google_status(reply, 400, "FAILED_PRECONDITION", NULL, "Version is %s: no files can be added.",
                            json_get_text(version, "status", ""));
    else if (digest_parse_hex(parts.items[7], &digest, NULL) < 0)
        reply_google_error(reply, 400, "Invalid content hash `%.100s`: 64 lower-case hexadecimal digits are expected.",
                           parts.items[7]);
    else
        take_upload(hosting, &digest, request, reply);
}
