/* A file as one gzip member.
 *
 * Up to WHOLE_LIMIT bytes at once with libdeflate, level 7: the size of zlib's level 9 at twice its speed. Larger files
 * in pieces with zlib, so that memory stays bounded; what is that large is seldom text. */
#include "common/archive/archive.h"
#include "common/base/text.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { WHOLE_LIMIT = 2 * 1024 * 1024, PIECE = 128 * 1024, WHOLE_LEVEL = 7, STREAM_LEVEL = 6, GZIP_WINDOW = 15 + 16 };

struct gzip_packer {
    struct libdeflate_compressor *deflate;
    struct hasher *hasher;
    unsigned char *plain, *packed;
    size_t packed_size;
};

const char *gzip_packer_name(void) {
    return "gzip-file-1 libdeflate-" LIBDEFLATE_VERSION_STRING " zlib-" ZLIB_VERSION;
}

struct gzip_packer *gzip_packer_new(void) {
    struct gzip_packer *packer = memory_allocate(1, sizeof(*packer));
    packer->deflate = libdeflate_alloc_compressor(WHOLE_LEVEL);
    packer->hasher = hasher_new();
    packer->packed_size = libdeflate_gzip_compress_bound(NULL, WHOLE_LIMIT);
    packer->plain = memory_allocate(1, WHOLE_LIMIT + 1);
    packer->packed = memory_allocate(1, packer->packed_size);
    return packer;
}

void gzip_packer_release(struct gzip_packer **packer) {
    if (!*packer)
        return;
    libdeflate_free_compressor((*packer)->deflate);
    hasher_release(&(*packer)->hasher);
    free((*packer)->plain);
    free((*packer)->packed);
    free(*packer);
    *packer = NULL;
}

/* Reads until `size` bytes are there or the file ends. */
static ssize_t read_full(int fd, unsigned char *into, size_t size, struct error *error) {
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, into + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read");
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static int pack_whole(struct gzip_packer *packer, size_t length, archive_sink *sink, void *context,
                      struct error *error) {
    size_t packed = packer->deflate ? libdeflate_gzip_compress(packer->deflate, packer->plain, length, packer->packed,
                                                               packer->packed_size)
                                    : 0;
    if (!packed)
        return error_set(error, ERROR_INTERNAL, "compression failed");
    return sink(context, packer->packed, packed, error);
}

/* Everything that deflate() gives for the input that it has. */
static int drain(struct gzip_packer *packer, z_stream *stream, int flush, archive_sink *sink, void *context,
                 struct error *error) {
    do {
        stream->next_out = packer->packed;
        stream->avail_out = PIECE;
        if (deflate(stream, flush) == Z_STREAM_ERROR)
            return error_set(error, ERROR_INTERNAL, "compression failed");
        size_t made = PIECE - stream->avail_out;
        if (made && sink(context, packer->packed, made, error) < 0)
            return -1;
    } while (stream->avail_out == 0);
    return 0;
}

/* The first `length` bytes were read already. The cut into pieces does not show in what deflate makes of them. */
static int pack_stream(struct gzip_packer *packer, z_stream *stream, int fd, size_t length, archive_sink *sink,
                       void *context, struct error *error) {
    for (;;) {
        stream->next_in = packer->plain;
        stream->avail_in = (uInt)length;
        if (drain(packer, stream, length ? Z_NO_FLUSH : Z_FINISH, sink, context, error) < 0)
            return -1;
        if (!length)
            return 0;
        ssize_t got = read_full(fd, packer->plain, WHOLE_LIMIT, error);
        if (got < 0)
            return -1;
        length = (size_t)got;
        hasher_add(packer->hasher, packer->plain, length);
    }
}

int gzip_pack_file(struct gzip_packer *packer, int fd, archive_sink *sink, void *context, struct digest *content,
                   struct error *error) {
    ssize_t got = read_full(fd, packer->plain, WHOLE_LIMIT + 1, error);
    int result = got < 0 ? -1 : 0;
    if (result == 0)
        hasher_add(packer->hasher, packer->plain, (size_t)got);
    z_stream stream = {0};
    if (result == 0 && got <= WHOLE_LIMIT) {
        result = pack_whole(packer, (size_t)got, sink, context, error);
    } else if (result == 0) {
        if (deflateInit2(&stream, STREAM_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            result = error_set(error, ERROR_INTERNAL, "zlib does not start");
        else
            result = pack_stream(packer, &stream, fd, (size_t)got, sink, context, error);
        deflateEnd(&stream);
    }
    struct digest digest = hasher_finish(packer->hasher);
    if (content)
        *content = digest;
    return result;
}
