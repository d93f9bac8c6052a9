/* Compression, out: bytes that depend on the input alone.
 *
 * gzip: the input is cut into blocks of BLOCK bytes; each becomes a gzip member of its own (RFC 1952 allows any
 * number), made by libdeflate, whose output does not depend on the processor. Blocks of one batch are compressed by as
 * many threads as there are processors; the cut is fixed, so their number cannot show in the output. */
#include "common/archive/archive.h"
#include "common/base/text.h"

#include <libdeflate.h>
#include <pthread.h>
#include <string.h>
#include <zstd.h>

enum { BLOCK = 1024 * 1024, THREADS = 8, GZIP_LEVEL = 4, ZSTD_LEVEL = 3 };

struct job {
    unsigned char *plain, *packed;
    size_t length, packed_length;
    bool failed;
};

struct compressor {
    enum compression compression;
    archive_sink *sink;
    void *context;
    struct job jobs[THREADS];
    size_t threads, filled; /* jobs[filled] is being filled */
    bool has_written;
    ZSTD_CCtx *zstd;
};

const char *compressor_name(enum compression compression) {
    static const char *const names[] = {"none", "gzip-pl1-4", "zstd-pl1-3"};
    return names[compression];
}

static size_t packed_limit(enum compression compression) {
    return compression == COMPRESSION_GZIP ? libdeflate_gzip_compress_bound(NULL, BLOCK) : ZSTD_compressBound(BLOCK);
}

struct compressor *compressor_new(enum compression compression, archive_sink *sink, void *context) {
    struct compressor *compressor = memory_allocate(1, sizeof(*compressor));
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    compressor->compression = compression;
    compressor->sink = sink;
    compressor->context = context;
    compressor->threads = processors < 1 ? 1 : processors > THREADS ? THREADS : (size_t)processors;
    return compressor;
}

static void pack_gzip(struct job *job) {
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(GZIP_LEVEL);
    if (deflate)
        job->packed_length =
            libdeflate_gzip_compress(deflate, job->plain, job->length, job->packed, packed_limit(COMPRESSION_GZIP));
    job->failed = !deflate || job->packed_length == 0;
    libdeflate_free_compressor(deflate);
}

static void *pack_gzip_thread(void *job) {
    pack_gzip(job);
    return NULL;
}

static void pack_all(struct compressor *compressor, size_t count) {
    pthread_t threads[THREADS];
    bool started[THREADS] = {false};
    for (size_t i = 1; i < count; i++)
        started[i] = pthread_create(&threads[i], NULL, pack_gzip_thread, &compressor->jobs[i]) == 0;
    for (size_t i = 0; i < count; i++)
        if (!started[i])
            pack_gzip(&compressor->jobs[i]);
    for (size_t i = 1; i < count; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

/* Packs what is filled, writes it in order, empties the jobs. */
static int flush(struct compressor *compressor, size_t count, struct error *error) {
    pack_all(compressor, count);
    for (size_t i = 0; i < count; i++) {
        struct job *job = &compressor->jobs[i];
        if (job->failed)
            return error_set(error, ERROR_INTERNAL, "compression failed");
        if (compressor->sink(compressor->context, job->packed, job->packed_length, error) < 0)
            return -1;
        job->length = 0;
    }
    compressor->filled = 0;
    compressor->has_written = true;
    return 0;
}

static struct job *current_job(struct compressor *compressor) {
    struct job *job = &compressor->jobs[compressor->filled];
    if (!job->plain) {
        job->plain = memory_allocate(1, BLOCK);
        job->packed = memory_allocate(1, packed_limit(COMPRESSION_GZIP));
    }
    return job;
}

static int write_zstd(struct compressor *compressor, const void *data, size_t length, ZSTD_EndDirective end,
                      struct error *error) {
    if (!compressor->zstd && !(compressor->zstd = ZSTD_createCCtx()))
        return error_set(error, ERROR_INTERNAL, "no memory for zstd");
    ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    unsigned char out[16 * 1024];
    ZSTD_inBuffer input = {data, length, 0};
    for (;;) {
        ZSTD_outBuffer output = {out, sizeof(out), 0};
        size_t left = ZSTD_compressStream2(compressor->zstd, &output, &input, end);
        if (ZSTD_isError(left))
            return error_set(error, ERROR_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
        if (output.pos && compressor->sink(compressor->context, out, output.pos, error) < 0)
            return -1;
        if (end == ZSTD_e_end ? left == 0 : input.pos == input.size)
            return 0;
    }
}

int compressor_write(struct compressor *compressor, const void *data, size_t length, struct error *error) {
    if (compressor->compression == COMPRESSION_NONE)
        return length ? compressor->sink(compressor->context, data, length, error) : 0;
    if (compressor->compression == COMPRESSION_ZSTD)
        return write_zstd(compressor, data, length, ZSTD_e_continue, error);
    for (const unsigned char *at = data; length > 0;) {
        struct job *job = current_job(compressor);
        size_t part = BLOCK - job->length < length ? BLOCK - job->length : length;
        memcpy(job->plain + job->length, at, part);
        job->length += part;
        at += part;
        length -= part;
        if (job->length == BLOCK && ++compressor->filled == compressor->threads &&
            flush(compressor, compressor->filled, error) < 0)
            return -1;
    }
    return 0;
}

int compressor_finish(struct compressor *compressor, struct error *error) {
    if (compressor->compression == COMPRESSION_NONE)
        return 0;
    if (compressor->compression == COMPRESSION_ZSTD)
        return write_zstd(compressor, "", 0, ZSTD_e_end, error);
    size_t count = compressor->filled;
    if (count < compressor->threads &&
        (compressor->jobs[count].length > 0 || (count == 0 && !compressor->has_written))) {
        current_job(compressor);
        count++;
    }
    return count ? flush(compressor, count, error) : 0;
}

void compressor_release(struct compressor **compressor) {
    if (!*compressor)
        return;
    for (size_t i = 0; i < THREADS; i++) {
        free((*compressor)->jobs[i].plain);
        free((*compressor)->jobs[i].packed);
    }
    ZSTD_freeCCtx((*compressor)->zstd);
    free(*compressor);
    *compressor = NULL;
}
