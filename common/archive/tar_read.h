/* Tar, in: a strict reader of headers. Unknown types, malformed pax records, sizes that disagree and wrong checksums
 * are refused, never skipped. Internal to common/archive. */
#ifndef ARCHIVE_TAR_READ_H
#define ARCHIVE_TAR_READ_H

#include "common/archive/archive.h"
#include "common/base/buffer.h"

enum { TAR_ATTRIBUTE_LIMIT = 64 };

struct tar_read_attribute {
    char *name;
    char *value;
    size_t length;
};

struct tar_read_entry {
    char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' FIFO */
    char *path;
    char *target;
    mode_t mode;
    uint32_t uid, gid;
    uint64_t size;
    int64_t mtime;
    unsigned device_major, device_minor;
    struct tar_read_attribute attributes[TAR_ATTRIBUTE_LIMIT];
    size_t attribute_count;
};

struct tar_reader {
    archive_source *source;
    void *context;
    uint64_t left;    /* data of the current entry not yet read */
    uint64_t padding; /* after it */
};

/* 1 with an entry (release it), 0 at the end of the archive, -1. */
int tar_reader_next(struct tar_reader *reader, struct tar_read_entry *entry, struct error *error);
/* Up to `size` bytes of the current entry's data; 0 at its end. */
ssize_t tar_reader_data(struct tar_reader *reader, void *data, size_t size, struct error *error);
void tar_read_entry_release(struct tar_read_entry *entry);

#endif
