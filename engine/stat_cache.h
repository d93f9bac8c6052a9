/* The stat cache: which content a file had when its status was last seen, so that an unchanged file is not read again.
 *
 * One file per source directory, statcache/SHA256-OF-PATH in the store. An entry is believed only while device, inode,
 * size, mtime and ctime are the same, and it is only kept when both times lay well before the moment of reading: a file
 * changed within the clock's granularity would look unchanged (git calls such entries racily clean). A damaged or
 * missing cache costs time, never correctness. */
#ifndef ENGINE_STAT_CACHE_H
#define ENGINE_STAT_CACHE_H

#include "common/crypto/digest.h"
#include "common/store/store.h"

#include <sys/stat.h>

struct stat_cache;

struct stat_cache_content {
    struct digest digest;
    uint32_t passed; /* the rules that it was looked at with and found harmless (struct tree_scan), or 0 */
};

/* Never fails: what cannot be read is empty. `directory` is absolute. */
struct stat_cache *stat_cache_load(struct store *store, const char *directory);
/* Whether the content of `path` with this status is known. Paths must be asked in ascending order of their bytes as far
 * as possible: then a lookup costs nothing. */
bool stat_cache_find(struct stat_cache *cache, const char *path, const struct stat *status,
                     struct stat_cache_content *content);
/* Remembers what was read at `read_ns` (CLOCK_REALTIME before the file was opened), or what stat_cache_find gave
 * (read_ns 0). */
void stat_cache_add(struct stat_cache *cache, const char *path, const struct stat *status,
                    const struct stat_cache_content *content, int64_t read_ns);
/* Writes what was added when it differs from what was loaded, and releases the cache. The contents that it promises
 * must be in the store first, so it is written when the store's batch is durable. Failure to write is not an error. */
void stat_cache_keep(struct stat_cache **cache);
void stat_cache_release(struct stat_cache **cache);
#define AUTO_STAT_CACHE AUTO(stat_cache_release)

#endif
