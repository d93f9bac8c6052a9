/* Answering with a file of the store: gzipped or plain, whole, a part of it, or not at all. */
#include "local/hosting/serve.h"

#include "common/archive/archive.h"
#include "common/file/file.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { BLOCK = 64 << 10 };

/* ---- what the visitor has and takes ---- */

/* "gzip", "gzip;q=0.5", "*", not "gzip;q=0". */
static bool takes_gzip(const struct request *request) {
    const char *list = request_header(request, "Accept-Encoding");
    bool takes = false;
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        at += strspn(at, " \t");
        size_t length = strcspn(at, ",; \t");
        bool gzip = (length == 4 && !strncasecmp(at, "gzip", 4)), any = length == 1 && *at == '*';
        const char *weight = at + length + strspn(at + length, " \t;");
        bool refused = !strncmp(weight, "q=0", 3) && strspn(weight + 3, ".0") == strcspn(weight + 3, ", ");
        if (gzip)
            return !refused;
        takes = takes || (any && !refused);
    }
    return takes;
}

/* If-None-Match holds one of the tags of this content, weak or not. */
static bool has_tag(const struct request *request, const char *hash) {
    const char *list = request_header(request, "If-None-Match");
    return list && (strstr(list, hash) || text_equal(list, "*"));
}

static bool is_unmodified(const struct request *request, int64_t modified) {
    const char *since = request_header(request, "If-Modified-Since");
    struct tm parts = {0};
    if (!since || request_header(request, "If-None-Match") || !strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &parts))
        return false;
    return (int64_t)timegm(&parts) >= modified / 1000000;
}

/* ---- bytes ---- */

static ssize_t read_descriptor(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    if (got < 0)
        error_set_errno(error, errno, "cannot read the store");
    return got;
}

/* The unpacked bytes in a file without a name, or -1. */
static int unpack(const struct hosting *hosting, const struct digest *digest, struct error *error) {
    AUTO_CLOSE int packed = store_open_object(hosting->cloud->store, digest, NULL, error);
    AUTO_CLOSE int plain = open(hosting->root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (packed < 0)
        return -1;
    if (plain < 0)
        return error_set_errno(error, errno, "cannot write to %s", hosting->root);
    AUTO_DECOMPRESSOR struct decompressor *decompressor = decompressor_new(read_descriptor, &packed, HOSTED_FILE_LIMIT);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    for (ssize_t got; (got = decompressor_read(decompressor, block, BLOCK, error)) != 0;)
        if (got < 0 || fd_write_all(plain, block, (size_t)got, error) < 0)
            return -1;
    return take_fd(&plain);
}

static void fail(struct visit *visit, const struct error *error) {
    reply_text(visit->reply, 500, "text/plain; charset=utf-8", error->text);
}

/* A part of the plain bytes, or all. */
static void send_plain(struct visit *visit, const struct digest *digest, uint64_t size, unsigned status) {
    struct reply *reply = visit->reply;
    struct error error = {0};
    uint64_t first = 0, last = 0;
    enum range range = status == 200 ? request_range(visit->request, size, &first, &last) : RANGE_NONE;
    if (range == RANGE_NOT_SATISFIABLE) {
        visit_header(visit, "Content-Range", "bytes */%llu", (unsigned long long)size);
        reply_empty(reply, 416);
        return;
    }
    reply->status = range == RANGE_SET ? 206 : status;
    reply->offset = first;
    reply->length = range == RANGE_SET ? last - first + 1 : size;
    if (range == RANGE_SET)
        visit_header(visit, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
                     (unsigned long long)last, (unsigned long long)size);
    if (request_is(visit->request, "HEAD")) {
        reply->has_length = true;
        return;
    }
    reply->fd = unpack(visit->cloud->hosting, digest, &error);
    if (reply->fd < 0)
        fail(visit, &error);
}

static void send_packed(struct visit *visit, const struct digest *digest, unsigned status) {
    struct error error = {0};
    visit->reply->fd = store_open_object(visit->cloud->store, digest, &visit->reply->length, &error);
    visit->reply->status = status;
    visit_header(visit, "Content-Encoding", "gzip");
    if (visit->reply->fd < 0)
        fail(visit, &error);
}

static void add_headers(struct visit *visit, const char *hash, bool packed, const char *path, unsigned status) {
    char modified[40];
    time_t seconds = visit->served->released / 1000000;
    struct tm parts;
    strftime(modified, sizeof(modified), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &parts));
    visit_header(visit, "Content-Type", "%s", media_type(path));
    visit_header(visit, "Cache-Control", "max-age=3600");
    visit_header(visit, "Vary", "x-fh-requested-host, accept-encoding");
    visit_header(visit, "ETag", "\"%s%s\"", hash, packed ? "-gzip" : "");
    visit_header(visit, "Last-Modified", "%s", modified);
    if (status == 200)
        visit_header(visit, "Accept-Ranges", "bytes");
}

void content_answer(struct visit *visit, const struct hosted_file *file, const char *path, unsigned status) {
    struct digest_hex hash = digest_format_hex(&file->digest);
    struct content content;
    if (!content_find(visit->cloud->hosting, &file->digest, &content)) {
        struct error error = {0};
        error_set(&error, ERROR_INTERNAL, "the content of %s is not in the store any more", path);
        fail(visit, &error);
        return;
    }
    bool packed =
        takes_gzip(visit->request) && content.size < content.plain && !request_header(visit->request, "Range");
    add_headers(visit, hash.text, packed, path, status);
    visit_add_configured(visit, visit->raw);
    if (status == 200 && (has_tag(visit->request, hash.text) || is_unmodified(visit->request, visit->served->released)))
        reply_empty(visit->reply, 304);
    else if (packed)
        send_packed(visit, &file->digest, status);
    else
        send_plain(visit, &file->digest, content.plain, status);
}

void content_answer_text(struct visit *visit, unsigned status, const char *type, const char *text) {
    visit_header(visit, "Content-Type", "%s", type);
    visit_header(visit, "Cache-Control", "max-age=3600");
    if (visit->served)
        visit_add_configured(visit, visit->raw);
    reply_text(visit->reply, status, NULL, text);
}
