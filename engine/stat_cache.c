#include "engine/stat_cache.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <stdint.h>
#include <string.h>

/* The file: MAGIC, then records of struct fixed followed by the path, then the sha256 of all before. */
static const char magic[8] = "plstat1";
enum { FILE_LIMIT = 512 * 1024 * 1024, LARGE = 1024 * 1024 };
#define GRANULARITY_NS 100000000LL         /* clocks of today's file systems tick every 1 to 10 ms */
#define COARSE_GRANULARITY_NS 2100000000LL /* FAT: 2 s; also where times have whole seconds only */

struct fixed {
    uint64_t device, inode, size;
    int64_t mtime, ctime;
    struct digest digest;
    uint32_t path_length, passed;
};

struct stat_cache {
    struct store *store;
    char *file;
    struct buffer old, fresh;
    size_t cursor, end; /* of the records in old */
    size_t same;        /* up to here, what was added is what old has; from there on it is in fresh */
};

static int64_t nanoseconds(struct timespec time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct stat_cache *stat_cache_load(struct store *store, const char *directory) {
    struct stat_cache *cache = memory_allocate(1, sizeof(*cache));
    struct digest name = digest_of(directory, strlen(directory));
    cache->store = store;
    cache->file = text_format("%s/statcache/%s", store_path(store), digest_format_hex(&name).text);
    cache->old = BUFFER(FILE_LIMIT);
    cache->fresh = BUFFER(FILE_LIMIT);
    bool found;
    struct digest sum;
    cache->cursor = cache->end = cache->same = sizeof(magic);
    if (file_read(cache->file, &cache->old, &found, NULL) < 0 || !found ||
        cache->old.length < sizeof(magic) + sizeof(sum) || memcmp(cache->old.data, magic, sizeof(magic)) != 0)
        return cache;
    size_t end = cache->old.length - sizeof(sum);
    sum = digest_of(cache->old.data, end);
    if (memcmp(&sum, cache->old.data + end, sizeof(sum)) == 0)
        cache->end = end;
    return cache;
}

/* The record at the position, or false at the end or when it would leave the file. */
static bool record_at(const struct stat_cache *cache, size_t at, struct fixed *fixed, const char **path) {
    if (cache->end - at < sizeof(*fixed))
        return false;
    memcpy(fixed, cache->old.data + at, sizeof(*fixed));
    *path = cache->old.data + at + sizeof(*fixed);
    return fixed->path_length <= cache->end - at - sizeof(*fixed);
}

static int compare(const char *path, const char *other, size_t length) {
    int order = strncmp(path, other, length);
    return order ? order : path[length] != '\0';
}

bool stat_cache_find(struct stat_cache *cache, const char *path, const struct stat *status,
                     struct stat_cache_content *content) {
    struct fixed fixed;
    const char *other;
    for (; record_at(cache, cache->cursor, &fixed, &other); cache->cursor += sizeof(fixed) + fixed.path_length) {
        int order = compare(path, other, fixed.path_length);
        if (order < 0)
            return false;
        if (order > 0)
            continue;
        *content = (struct stat_cache_content){fixed.digest, fixed.passed};
        return fixed.device == status->st_dev && fixed.inode == status->st_ino &&
               fixed.size == (uint64_t)status->st_size && fixed.mtime == nanoseconds(status->st_mtim) &&
               fixed.ctime == nanoseconds(status->st_ctim);
    }
    return false;
}

static bool is_racy(const struct stat *status, int64_t read_ns) {
    bool coarse = status->st_mtim.tv_nsec == 0 && status->st_ctim.tv_nsec == 0;
    int64_t newest = nanoseconds(status->st_mtim);
    if (nanoseconds(status->st_ctim) > newest)
        newest = nanoseconds(status->st_ctim);
    return newest + (coarse ? COARSE_GRANULARITY_NS : GRANULARITY_NS) > read_ns;
}

/* Nothing is copied as long as everything is as it was. */
static bool is_next_of_old(struct stat_cache *cache, const struct fixed *fixed, const char *path) {
    struct fixed next;
    const char *next_path;
    if (cache->fresh.length > 0 || !record_at(cache, cache->same, &next, &next_path) ||
        memcmp(&next, fixed, sizeof(next)) != 0 || memcmp(next_path, path, fixed->path_length) != 0)
        return false;
    cache->same += sizeof(next) + next.path_length;
    return true;
}

static void begin_fresh(struct stat_cache *cache) {
    if (cache->fresh.length > 0)
        return;
    buffer_append(&cache->fresh, magic, sizeof(magic));
    if (cache->same > sizeof(magic))
        buffer_append(&cache->fresh, cache->old.data + sizeof(magic), cache->same - sizeof(magic));
}

void stat_cache_add(struct stat_cache *cache, const char *path, const struct stat *status,
                    const struct stat_cache_content *content, int64_t read_ns) {
    if (read_ns != 0 && is_racy(status, read_ns))
        return;
    struct fixed fixed = {.device = status->st_dev,
                          .inode = status->st_ino,
                          .size = (uint64_t)status->st_size,
                          .mtime = nanoseconds(status->st_mtim),
                          .ctime = nanoseconds(status->st_ctim),
                          .digest = content->digest,
                          .path_length = (uint32_t)strlen(path),
                          .passed = content->passed};
    if (is_next_of_old(cache, &fixed, path))
        return;
    begin_fresh(cache);
    buffer_append(&cache->fresh, &fixed, sizeof(fixed));
    buffer_append(&cache->fresh, path, fixed.path_length);
}

/* When it cannot be written, files are read once more: that is all. */
static void write_cache(void *context, bool is_durable) {
    struct stat_cache *cache = context;
    if (is_durable && !cache->fresh.failed)
        (void)!file_replace(cache->file, cache->fresh.data, cache->fresh.length, 0600, NULL);
    stat_cache_release(&cache);
}

void stat_cache_keep(struct stat_cache **kept) {
    struct stat_cache *cache = take_pointer(kept);
    if (cache->fresh.length == 0 && cache->same == cache->end) {
        stat_cache_release(&cache);
        return;
    }
    begin_fresh(cache);
    struct digest sum = digest_of(cache->fresh.data, cache->fresh.length);
    buffer_append(&cache->fresh, &sum, sizeof(sum));
    buffer_release(&cache->old);
    /* A large one is not kept in memory until the end. */
    if (cache->fresh.length > LARGE && store_batch_flush(cache->store, NULL) < 0)
        write_cache(cache, false);
    else
        store_batch_then(cache->store, write_cache, cache);
}

void stat_cache_release(struct stat_cache **cache) {
    if (!*cache)
        return;
    free((*cache)->file);
    buffer_release(&(*cache)->old);
    buffer_release(&(*cache)->fresh);
    free(*cache);
    *cache = NULL;
}
