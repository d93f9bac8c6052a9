/* Compression, out: bytes that depend on the input alone.
 *
 * gzip: the input is cut into blocks of BLOCK bytes; each becomes a gzip member of its own (RFC 1952 allows any
 * number), made by libdeflate, whose output does not depend on the processor. A full block is compressed by a thread
 * while the next one is filled, as many at a time as there are processors; the cut is fixed and the order kept, so
 * their number cannot show in the output. */
#include "common/archive/archive.h"
#include "common/base/processors.h"
#include "common/base/text.h"

#include <libdeflate.h>
#include <pthread.h>
#include <string.h>
#include <zstd.h>

enum { BLOCK = 1024 * 1024, THREADS = 8, GZIP_LEVEL = 4, ZSTD_LEVEL = 3 };

struct job {
    unsigned char *plain, *packed;
    size_t length, packed_length;
    struct libdeflate_compressor *deflate;
    pthread_t thread;
    bool has_thread;
};

struct compressor {
    enum compression compression;
    archive_sink *sink;
    void *context;
    struct job jobs[THREADS + 1]; /* a ring: `running` of them from `first`, then the one that is being filled */
    size_t slots, first, running;
    bool has_begun;
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
    unsigned processors = processors_usable();
    compressor->compression = compression;
    compressor->sink = sink;
    compressor->context = context;
    compressor->slots = processors == 1 ? 1 : processors < THREADS ? processors + 1 : THREADS + 1;
    return compressor;
}

static void *pack_gzip(void *context) {
    struct job *job = context;
    if (!job->deflate)
        job->deflate = libdeflate_alloc_compressor(GZIP_LEVEL);
    job->packed_length = job->deflate ? libdeflate_gzip_compress(job->deflate, job->plain, job->length, job->packed,
                                                                 packed_limit(COMPRESSION_GZIP))
                                      : 0;
    return NULL;
}

static struct job *current_job(struct compressor *compressor) {
    struct job *job = &compressor->jobs[(compressor->first + compressor->running) % compressor->slots];
    if (!job->plain) {
        job->plain = memory_allocate(1, BLOCK);
        job->packed = memory_allocate(1, packed_limit(COMPRESSION_GZIP));
    }
    return job;
}

/* Waits for the oldest block and writes it. */
static int finish_first(struct compressor *compressor, struct error *error) {
    struct job *job = &compressor->jobs[compressor->first];
    if (job->has_thread)
        pthread_join(job->thread, NULL);
    job->has_thread = false;
    compressor->first = (compressor->first + 1) % compressor->slots;
    compressor->running--;
    if (job->packed_length == 0)
        return error_set(error, ERROR_INTERNAL, "compression failed");
    job->length = 0;
    return compressor->sink(compressor->context, job->packed, job->packed_length, error);
}

/* The current job is full, or the last. */
static int start_current(struct compressor *compressor, struct error *error) {
    struct job *job = current_job(compressor);
    job->has_thread = compressor->slots > 1 && pthread_create(&job->thread, NULL, pack_gzip, job) == 0;
    if (!job->has_thread)
        pack_gzip(job);
    compressor->has_begun = true;
    return ++compressor->running == compressor->slots ? finish_first(compressor, error) : 0;
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
        if (job->length == BLOCK && start_current(compressor, error) < 0)
            return -1;
    }
    return 0;
}

int compressor_finish(struct compressor *compressor, struct error *error) {
    if (compressor->compression == COMPRESSION_NONE)
        return 0;
    if (compressor->compression == COMPRESSION_ZSTD)
        return write_zstd(compressor, "", 0, ZSTD_e_end, error);
    /* Nothing at all is an empty member. */
    if ((!compressor->has_begun || current_job(compressor)->length > 0) && start_current(compressor, error) < 0)
        return -1;
    while (compressor->running > 0)
        if (finish_first(compressor, error) < 0)
            return -1;
    return 0;
}

void compressor_release(struct compressor **compressor) {
    if (!*compressor)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH((*compressor)->jobs); i++) {
        struct job *job = &(*compressor)->jobs[i];
        if (job->has_thread)
            pthread_join(job->thread, NULL);
        libdeflate_free_compressor(job->deflate);
        free(job->plain);
        free(job->packed);
    }
    ZSTD_freeCCtx((*compressor)->zstd);
    free(*compressor);
    *compressor = NULL;
}
