/* Compression, in: recognised by magic, limited in size and ratio, every check value verified. */
#include "common/archive/archive.h"
#include "common/base/text.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT = 64 * 1024, WINDOW_LOG_LIMIT = 27, RATIO_LIMIT = 1000 };
#define RATIO_FREE (64ULL << 20)

struct decompressor {
    archive_source *source;
    void *context;
    uint64_t limit, taken, given;
    unsigned char input[INPUT];
    size_t at, length; /* the part of input not used yet */
    bool is_known, source_ended, is_finished;
    enum compression compression;
    bool in_member; /* a member or frame has begun and has not ended */
    z_stream zlib;
    bool has_zlib;
    ZSTD_DCtx *zstd;
};

struct decompressor *decompressor_new(archive_source *source, void *context, uint64_t limit) {
    struct decompressor *decompressor = memory_allocate(1, sizeof(*decompressor));
    decompressor->source = source;
    decompressor->context = context;
    decompressor->limit = limit;
    return decompressor;
}

void decompressor_release(struct decompressor **decompressor) {
    if (!*decompressor)
        return;
    if ((*decompressor)->has_zlib)
        inflateEnd(&(*decompressor)->zlib);
    ZSTD_freeDCtx((*decompressor)->zstd);
    free(*decompressor);
    *decompressor = NULL;
}

/* Makes at least `wanted` bytes of input available, or all there are. */
static int fill(struct decompressor *d, size_t wanted, struct error *error) {
    if (d->at > 0 && d->length < wanted) {
        memmove(d->input, d->input + d->at, d->length);
        d->at = 0;
    }
    while (d->length < wanted && !d->source_ended) {
        ssize_t got = d->source(d->context, d->input + d->at + d->length, INPUT - d->at - d->length, error);
        if (got < 0)
            return -1;
        d->source_ended = got == 0;
        d->length += (size_t)got;
        d->taken += (uint64_t)got;
    }
    return 0;
}

static int recognise(struct decompressor *d, struct error *error) {
    if (fill(d, 6, error) < 0)
        return -1;
    static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    const unsigned char *start = d->input + d->at;
    d->is_known = true;
    if (d->length >= 2 && start[0] == 0x1f && start[1] == 0x8b)
        d->compression = COMPRESSION_GZIP;
    else if (d->length >= 4 && memcmp(start, zstd_magic, sizeof(zstd_magic)) == 0)
        d->compression = COMPRESSION_ZSTD;
    else if (d->length >= 6 && (memcmp(start,
                                       "\xfd"
                                       "7zXZ",
                                       6) == 0 ||
                                memcmp(start, "BZh", 3) == 0))
        return error_set(error, ERROR_DATA, "xz and bzip2 are not supported: use gzip or zstd");
    if (d->compression == COMPRESSION_GZIP) {
        if (inflateInit2(&d->zlib, 15 + 16) != Z_OK)
            return error_set(error, ERROR_INTERNAL, "no memory for zlib");
        d->has_zlib = true;
    } else if (d->compression == COMPRESSION_ZSTD) {
        if (!(d->zstd = ZSTD_createDCtx()))
            return error_set(error, ERROR_INTERNAL, "no memory for zstd");
        ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_LIMIT);
    }
    return 0;
}

static void use(struct decompressor *d, size_t count) {
    d->at += count;
    d->length -= count;
    if (d->length == 0)
        d->at = 0;
}

/* Between members: zero padding (tar's habit) and then the end, or another member. */
static int next_member(struct decompressor *d, struct error *error) {
    bool padded = false;
    for (;;) {
        if (fill(d, 1, error) < 0)
            return -1;
        if (d->length == 0) {
            d->is_finished = true;
            return 0;
        }
        if (d->input[d->at] != 0)
            break;
        padded = true;
        use(d, 1);
    }
    if (padded || d->input[d->at] != 0x1f)
        return error_set(error, ERROR_DATA, "foreign bytes after the compressed data");
    if (inflateReset(&d->zlib) != Z_OK)
        return error_set(error, ERROR_INTERNAL, "zlib cannot be reset");
    d->in_member = true;
    return 0;
}

static ssize_t read_gzip(struct decompressor *d, void *data, size_t size, struct error *error) {
    d->zlib.next_out = data;
    d->zlib.avail_out = (unsigned)size;
    while (d->zlib.avail_out == size && !d->is_finished) {
        if (!d->in_member) {
            if (next_member(d, error) < 0)
                return -1;
            continue;
        }
        if (fill(d, 1, error) < 0)
            return -1;
        if (d->length == 0)
            return error_set(error, ERROR_DATA, "the compressed data ends in the middle");
        d->zlib.next_in = d->input + d->at;
        d->zlib.avail_in = (unsigned)d->length;
        int result = inflate(&d->zlib, Z_NO_FLUSH);
        use(d, d->length - d->zlib.avail_in);
        if (result == Z_STREAM_END)
            d->in_member = false;
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return error_set(error, ERROR_DATA, "the gzip data is damaged (%s)", d->zlib.msg ? d->zlib.msg : "zlib");
    }
    return (ssize_t)(size - d->zlib.avail_out);
}

static ssize_t read_zstd(struct decompressor *d, void *data, size_t size, struct error *error) {
    ZSTD_outBuffer output = {data, size, 0};
    while (output.pos == 0) {
        if (fill(d, 1, error) < 0)
            return -1;
        if (d->length == 0 && !d->in_member)
            return 0;
        ZSTD_inBuffer input = {d->input + d->at, d->length, 0};
        size_t left = ZSTD_decompressStream(d->zstd, &output, &input);
        if (ZSTD_isError(left))
            return error_set(error, ERROR_DATA, "the zstd data is damaged or needs a window over 128 MiB (%s)",
                             ZSTD_getErrorName(left));
        if (d->length == 0 && output.pos == 0 && left != 0)
            return error_set(error, ERROR_DATA, "the compressed data ends in the middle");
        use(d, input.pos);
        d->in_member = left != 0;
    }
    return (ssize_t)output.pos;
}

static ssize_t read_plain(struct decompressor *d, void *data, size_t size, struct error *error) {
    if (fill(d, 1, error) < 0)
        return -1;
    size_t part = d->length < size ? d->length : size;
    memcpy(data, d->input + d->at, part);
    use(d, part);
    return (ssize_t)part;
}

ssize_t decompressor_read(void *decompressor, void *data, size_t size, struct error *error) {
    struct decompressor *d = decompressor;
    if (!d->is_known) {
        if (recognise(d, error) < 0)
            return -1;
        d->in_member = d->compression != COMPRESSION_NONE;
    }
    if (size > INPUT)
        size = INPUT;
    ssize_t got = d->compression == COMPRESSION_GZIP   ? read_gzip(d, data, size, error)
                  : d->compression == COMPRESSION_ZSTD ? read_zstd(d, data, size, error)
                                                       : read_plain(d, data, size, error);
    if (got <= 0)
        return got;
    d->given += (uint64_t)got;
    if (d->given > d->limit)
        return error_set(error, ERROR_DATA, "unpacks to more than %llu bytes", (unsigned long long)d->limit);
    if (d->given > RATIO_FREE && d->given / RATIO_LIMIT > d->taken)
        return error_set(error, ERROR_DATA, "unpacks to more than %d times its size", RATIO_LIMIT);
    return got;
}
