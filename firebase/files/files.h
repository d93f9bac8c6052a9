/* The files of a site: what each path holds, and the gzip form of it that Hosting keeps.
 *
 * Contents are objects of the store, or files of a directory that are read when they are needed and must then still be
 * what they were when their digest was taken. Hosting names a file by the sha256 of its gzip form, which is made here:
 * by several threads, once for each content, and remembered in the store by content (never by name or time), so that an
 * unchanged file is neither read nor packed again. Packed bytes that were not remembered go to unnamed spool files,
 * from which they are uploaded; nothing is kept in memory. A list takes about 200 bytes for each file. */
#ifndef FIREBASE_FILES_FILES_H
#define FIREBASE_FILES_FILES_H

#include "common/base/progress.h"
#include "common/crypto/digest.h"
#include "common/store/store.h"

enum { SITE_SPOOLS = 4 };
#define SITE_FILE_LIMIT (2ULL << 30) /* bytes that Hosting takes of one file */

struct site_file {
    char *path;   /* without the slash at its beginning; owned */
    char *source; /* its path in the directory where that is another; owned */
    struct digest content;
    uint64_t size;
    struct digest packed; /* what Hosting calls its hash; valid once is_packed */
    uint64_t packed_size;
    uint64_t spool_offset;
    uint32_t order;    /* of its addition */
    signed char spool; /* which spool holds its packed bytes, -1: none yet */
    bool in_directory; /* else its content is in the store */
    bool is_packed;
    bool is_required; /* Hosting asked for its bytes */
};

struct site_files {
    struct store *store;
    char *directory; /* absolute, or NULL when everything is in the store; owned */
    struct site_file *items;
    size_t count, capacity;
    char *scratch; /* the directory of the spools */
    int spools[SITE_SPOOLS];
    uint64_t spool_sizes[SITE_SPOOLS];
    uint32_t *by_packed; /* indexes in the order of the packed digests, once packed */
    size_t packed_now;   /* contents that had to be packed */
};

void site_files_init(struct site_files *files, struct store *store);
void site_files_release(struct site_files *files);
#define AUTO_SITE_FILES AUTO(site_files_release)

/* Room for that many, so that a large list takes no more memory than it needs. */
void site_files_reserve(struct site_files *files, size_t count);
/* `path` is relative and is taken over, also on failure. `source` is the file's path in files->directory, or NULL: then
 * its content is in the store. ERROR_DATA, by name: no UTF-8, a control character, larger than SITE_FILE_LIMIT. */
int site_files_add(struct site_files *files, char *path, const char *source, const struct digest *content,
                   uint64_t size, struct error *error) MUST_CHECK;
/* The content of a file for reading, or -1. ERROR_DATA when it is not there any more. */
int site_files_open(const struct site_files *files, const struct site_file *file, struct error *error) MUST_CHECK;
/* Appends a small file's content to `out`. */
int site_files_read(const struct site_files *files, const struct site_file *file, struct buffer *out,
                    struct error *error) MUST_CHECK;
/* ERROR_DATA: what was read of the file has another digest than its content had. Always -1. */
int site_files_changed(const struct site_file *file, struct error *error);
/* By the bytes of the paths; must follow the last add. A path that was added twice keeps what came last. */
void site_files_sort(struct site_files *files);
/* NULL when there is none. The list must be sorted. */
const struct site_file *site_files_find(const struct site_files *files, const char *path);

/* Fills `packed` of every file, from what `site` (a name for the memory) is known to hold or by packing. */
int site_files_pack(struct site_files *files, const char *site, struct progress *progress,
                    struct error *error) MUST_CHECK;
/* Marks one file with this hash as required (others with the same bytes need no upload of their own); false when there
 * is none. The list must be packed. */
bool site_files_require(struct site_files *files, const struct digest *packed);
/* Makes the packed bytes of every required file available in a spool. ERROR_DATA when they come out differently than
 * they are remembered: they are forgotten then, and the next run packs them anew. */
int site_files_spool(struct site_files *files, const char *site, struct progress *progress,
                     struct error *error) MUST_CHECK;

#endif
