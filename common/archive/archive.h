/* Tar and compression, deterministic on the way out and strict on the way in. libarchive, zlib and the other
 * compressors are included only in this folder. */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include "common/base/error.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where bytes go and come from; return -1 with *error, read returns 0 at the end. */
typedef int archive_sink(void *context, const void *data, size_t length, struct error *error);
typedef ssize_t archive_source(void *context, void *data, size_t size, struct error *error);

/* ---- tar, out ---- */

struct tar_entry {
    const char *path; /* relative, no leading "./", no trailing slash */
    mode_t mode;      /* type and permission bits, set-id and sticky included */
    uint32_t uid, gid;
    uint64_t size;      /* of a regular file */
    const char *target; /* of a symbolic link, or of a hard link when is_hardlink */
    bool is_hardlink;
    int64_t mtime; /* seconds, already clamped by the caller */
    unsigned device_major, device_minor;
    /* extended attributes, in the order given (the caller sorts): name, value, length; ends with a NULL name */
    const struct tar_attribute {
        const char *name;
        const void *value;
        size_t length;
    } * attributes;
};

/* ustar where it suffices, pax headers only where needed; two zero blocks at the end, no padding beyond. The bytes
 * depend on the entries alone. */
struct tar_writer;
struct tar_writer *tar_writer_new(archive_sink *sink, void *context);
int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *error) MUST_CHECK;
/* Exactly entry.size bytes after the entry of a regular file, in any pieces. */
int tar_writer_data(struct tar_writer *writer, const void *data, size_t length, struct error *error) MUST_CHECK;
int tar_writer_finish(struct tar_writer *writer, struct error *error) MUST_CHECK;
void tar_writer_release(struct tar_writer **writer);
#define AUTO_TAR_WRITER AUTO(tar_writer_release)

/* ---- tar, in ---- */

enum whiteouts {
    WHITEOUTS_NONE,    /* plain extraction of a whole root file system; ".wh." names are refused */
    WHITEOUTS_OVERLAY, /* into overlayfs form: character device 0:0 and the xattr trusted.overlay.opaque=y */
    WHITEOUTS_USER,    /* the same with user.overlay.opaque, for an overlay mounted with userxattr */
};

enum devices {
    DEVICES_EMPTY, /* become empty files */
    DEVICES_MADE,  /* are made where the kernel allows it, else become empty files */
    DEVICES_LEFT_OUT,
};

struct unpack {
    enum whiteouts whiteouts;
    bool keep_owners;     /* chown to the archive's ids; else everything belongs to the caller */
    uint64_t size_limit;  /* unpacked bytes; 0: 20 GiB */
    uint64_t entry_limit; /* 0: 5 million */
    enum devices devices;
    uint64_t *skipped_devices; /* counts those that were not made; may be NULL */
};

/* Unpacks a tar stream below the directory at `root_fd` (openat2 RESOLVE_IN_ROOT, the final part never followed).
 * Links lead no further than the root; below one that leads to what is not there yet, that is made. A name that occurs
 * twice is what it was last. Whiteouts hide what lower layers have, never what the same archive holds. Hostile input
 * (tests/hostile_inputs.txt has the cases) is ERROR_DATA naming the entry and the rule; nothing outside the root is
 * touched, and what was unpacked until then is the caller's to remove. Paths may lead 1000 deep by their names. */
int tar_unpack(archive_source *source, void *context, int root_fd, const struct unpack *options,
               struct error *error) MUST_CHECK;

/* ---- compression ---- */

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* The name of the encoder with its level and version of our choice of blocks, as kept beside compressed digests:
 * same name, same bytes on every processor. "gzip-pl1-6" for example. */
const char *compressor_name(enum compression compression);
struct compressor;
struct compressor *compressor_new(enum compression compression, archive_sink *sink, void *context);
int compressor_write(struct compressor *compressor, const void *data, size_t length, struct error *error) MUST_CHECK;
int compressor_finish(struct compressor *compressor, struct error *error) MUST_CHECK;
void compressor_release(struct compressor **compressor);
#define AUTO_COMPRESSOR AUTO(compressor_release)

/* A file as a single gzip member without name and time, as a web server sends it: browsers stop after the first member,
 * so what `struct compressor` makes is not for them. Same bytes for the same content; a packer is used by one thread at
 * a time (it holds about 5 MiB) and for any number of files. */
struct gzip_packer;
/* The name of encoder and level, as kept beside the hashes of what it made. */
const char *gzip_packer_name(void);
struct gzip_packer *gzip_packer_new(void); /* never NULL */
/* Reads `fd` from its offset to its end. *content (may be NULL) is the digest of what was read. */
int gzip_pack_file(struct gzip_packer *packer, int fd, archive_sink *sink, void *context, struct digest *content,
                   struct error *error) MUST_CHECK;
void gzip_packer_release(struct gzip_packer **packer);
#define AUTO_GZIP_PACKER AUTO(gzip_packer_release)

/* Wraps a source of compressed bytes (none, gzip with concatenated members, zstd with a window of at most 128 MiB;
 * recognised by their magic) as a source of plain bytes, with a limit on size and on the ratio (1000:1 after 64 MiB).
 */
struct decompressor;
struct decompressor *decompressor_new(archive_source *source, void *context, uint64_t limit);
ssize_t decompressor_read(void *decompressor, void *data, size_t size, struct error *error);
void decompressor_release(struct decompressor **decompressor);
#define AUTO_DECOMPRESSOR AUTO(decompressor_release)

#endif
