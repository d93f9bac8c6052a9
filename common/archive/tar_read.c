#include "common/archive/tar_read.h"

#include "common/base/text.h"

#include <limits.h>
#include <string.h>

enum { BLOCK = 512, EXTENSION_LIMIT = 1024 * 1024, ID_LIMIT = INT32_MAX, ATTRIBUTE_BYTES = 64 * 1024 };
#define SIZE_LIMIT (1ULL << 40)

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2];
    char user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};

static int read_exactly(struct tar_reader *reader, void *data, size_t length, size_t *got_all, struct error *error) {
    size_t done = 0;
    while (done < length) {
        ssize_t got = reader->source(reader->context, (char *)data + done, length - done, error);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *got_all = done;
    return 0;
}

static int need(struct tar_reader *reader, void *data, size_t length, struct error *error) {
    size_t got = 0;
    if (read_exactly(reader, data, length, &got, error) < 0)
        return -1;
    return got == length ? 0 : error_set(error, ERROR_DATA, "the archive is cut off");
}

static int skip(struct tar_reader *reader, uint64_t length, struct error *error) {
    char block[8 * BLOCK];
    while (length > 0) {
        size_t part = length < sizeof(block) ? (size_t)length : sizeof(block);
        if (need(reader, block, part, error) < 0)
            return -1;
        length -= part;
    }
    return 0;
}

/* Octal with spaces or NUL at its end, or base-256 with the top bit set; negative numbers are refused. */
static int number(const char *field, size_t size, uint64_t limit, const char *what, uint64_t *value,
                  struct error *error) {
    const unsigned char *at = (const unsigned char *)field;
    *value = 0;
    if (at[0] & 0x80) {
        if (at[0] != 0x80)
            return error_set(error, ERROR_DATA, "a tar header has a negative or huge %s", what);
        for (size_t i = 1; i < size; i++) {
            if (*value >> 55)
                return error_set(error, ERROR_DATA, "a tar header has a huge %s", what);
            *value = *value << 8 | at[i];
        }
    } else {
        size_t i = 0;
        while (i < size && at[i] == ' ')
            i++;
        for (; i < size && at[i] >= '0' && at[i] <= '7'; i++)
            *value = *value << 3 | (uint64_t)(at[i] - '0');
        for (; i < size; i++)
            if (at[i] != ' ' && at[i] != '\0')
                return error_set(error, ERROR_DATA, "a tar header has a %s that is no number", what);
    }
    return *value <= limit
               ? 0
               : error_set(error, ERROR_DATA, "a tar header has a %s over %llu", what, (unsigned long long)limit);
}

static int check_sum(const struct header *header, struct error *error) {
    uint64_t expected;
    if (number(header->checksum, sizeof(header->checksum), 1 << 20, "checksum", &expected, error) < 0)
        return -1;
    unsigned sum = 0;
    const unsigned char *bytes = (const unsigned char *)header;
    size_t begin = offsetof(struct header, checksum), end = begin + sizeof(header->checksum);
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= begin && i < end ? ' ' : bytes[i];
    return sum == expected ? 0 : error_set(error, ERROR_DATA, "a tar header has a wrong checksum");
}

static char *field_text(const char *field, size_t size) {
    return text_copy_length(field, strnlen(field, size));
}

static int read_extension(struct tar_reader *reader, uint64_t size, struct buffer *out, struct error *error) {
    if (size > EXTENSION_LIMIT)
        return error_set(error, ERROR_DATA, "a tar extension header is larger than 1 MiB");
    AUTO_FREE char *data = memory_allocate((size_t)size + 1, 1);
    if (need(reader, data, (size_t)size, error) < 0)
        return -1;
    buffer_append(out, data, (size_t)size);
    return skip(reader, (BLOCK - size % BLOCK) % BLOCK, error);
}

static int add_attribute(struct tar_read_entry *entry, const char *name, const char *value, size_t length,
                         struct error *error) {
    if (entry->attribute_count == TAR_ATTRIBUTE_LIMIT || strlen(name) > 255 || length > ATTRIBUTE_BYTES)
        return error_set(error, ERROR_DATA, "too many or too large extended attributes");
    if (text_starts_with(name, "trusted.overlay.") || text_starts_with(name, "user.overlay."))
        return error_set(error, ERROR_DATA, "the extended attribute %s belongs to overlayfs", name);
    entry->attributes[entry->attribute_count++] =
        (struct tar_read_attribute){text_copy(name), text_copy_length(value, length), length};
    return 0;
}

struct pax {
    char *path, *link;
    bool is_global; /* being read is one for all entries that follow: git writes its commit so */
    bool has_size, has_uid, has_gid;
    uint64_t size, uid, gid;
};

static int pax_number(const char *value, size_t length, uint64_t limit, const char *key, uint64_t *out,
                      struct error *error) {
    AUTO_FREE char *text = text_copy_length(value, length);
    if (!text_to_u64(text, limit, out))
        return error_set(error, ERROR_DATA, "a pax header has a bad %s", key);
    return 0;
}

static int pax_pair(struct pax *pax, struct tar_read_entry *entry, const char *key, const char *value, size_t length,
                    struct error *error) {
    if (pax->is_global && !text_equal(key, "comment") && !text_ends_with(key, "time"))
        return error_set(error, ERROR_DATA, "a global pax header with %s is not accepted", key);
    if (memchr(value, '\0', length) && !text_starts_with(key, "SCHILY.xattr."))
        return error_set(error, ERROR_DATA, "a pax header has a NUL byte in its %s", key);
    if (text_equal(key, "path") || text_equal(key, "linkpath")) {
        char **slot = *key == 'p' ? &pax->path : &pax->link;
        free(*slot);
        *slot = text_copy_length(value, length);
        return 0;
    }
    if (text_equal(key, "size")) {
        pax->has_size = true;
        return pax_number(value, length, SIZE_LIMIT, key, &pax->size, error);
    }
    if (text_equal(key, "uid")) {
        pax->has_uid = true;
        return pax_number(value, length, ID_LIMIT, key, &pax->uid, error);
    }
    if (text_equal(key, "gid")) {
        pax->has_gid = true;
        return pax_number(value, length, ID_LIMIT, key, &pax->gid, error);
    }
    if (text_starts_with(key, "GNU.sparse."))
        return error_set(error, ERROR_DATA, "sparse tar entries are not accepted");
    if (text_starts_with(key, "SCHILY.xattr."))
        return add_attribute(entry, key + strlen("SCHILY.xattr."), value, length, error);
    return 0;
}

/* "LENGTH KEY=VALUE\n" records; anything else is refused. */
static int read_pax(const struct buffer *text, struct pax *pax, struct tar_read_entry *entry, struct error *error) {
    const char *at = buffer_text(text), *end = at + text->length;
    while (at < end) {
        size_t length = 0, digits = 0;
        while (at + digits < end && at[digits] >= '0' && at[digits] <= '9' && digits < 8)
            length = length * 10 + (size_t)(at[digits++] - '0');
        const char *key = at + digits + 1;
        if (digits == 0 || length > (size_t)(end - at) || length < digits + 4 || at[digits] != ' ' ||
            at[length - 1] != '\n')
            return error_set(error, ERROR_DATA, "a pax header is malformed");
        const char *equals = memchr(key, '=', (size_t)(at + length - key));
        if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
            return error_set(error, ERROR_DATA, "a pax header is malformed");
        AUTO_FREE char *name = text_copy_length(key, (size_t)(equals - key));
        if (pax_pair(pax, entry, name, equals + 1, (size_t)(at + length - 1 - equals - 1), error) < 0)
            return -1;
        at += length;
    }
    return 0;
}

static int fill(const struct header *header, const struct pax *pax, struct tar_read_entry *entry, struct error *error) {
    uint64_t mode, uid, gid, mtime = 0, major, minor, size;
    if (number(header->mode, sizeof(header->mode), 0xFFFFFF, "mode", &mode, error) < 0 ||
        number(header->uid, sizeof(header->uid), ID_LIMIT, "uid", &uid, error) < 0 ||
        number(header->gid, sizeof(header->gid), ID_LIMIT, "gid", &gid, error) < 0 ||
        number(header->size, sizeof(header->size), SIZE_LIMIT, "size", &size, error) < 0 ||
        number(header->major, sizeof(header->major), 0xFFFFFF, "device number", &major, error) < 0 ||
        number(header->minor, sizeof(header->minor), 0xFFFFFF, "device number", &minor, error) < 0)
        return -1;
    /* A time that makes no sense is no reason to refuse an image. */
    if (number(header->mtime, sizeof(header->mtime), INT64_MAX, "time", &mtime, NULL) < 0)
        mtime = 0;
    entry->mode = (mode_t)mode & 07777;
    entry->uid = (uint32_t)(pax->has_uid ? pax->uid : uid);
    entry->gid = (uint32_t)(pax->has_gid ? pax->gid : gid);
    entry->size = pax->has_size ? pax->size : size;
    entry->mtime = (int64_t)mtime;
    entry->device_major = (unsigned)major;
    entry->device_minor = (unsigned)minor;
    entry->type = header->type == '\0' || header->type == '7' ? '0' : header->type;
    if (!strchr("0123456", entry->type))
        return error_set(error, ERROR_DATA, "tar entries of type '%c' are not accepted",
                         entry->type >= ' ' && entry->type < 127 ? entry->type : '?');
    if (entry->size > 0 && entry->type != '0')
        return error_set(error, ERROR_DATA, "only a regular file may have data");
    return 0;
}

static void take_names(const struct header *header, struct pax *pax, struct tar_read_entry *entry) {
    bool is_ustar = memcmp(header->magic, "ustar", 5) == 0 && header->magic[5] == '\0';
    AUTO_FREE char *name = field_text(header->name, sizeof(header->name));
    AUTO_FREE char *prefix = is_ustar ? field_text(header->prefix, sizeof(header->prefix)) : text_copy("");
    entry->path = pax->path ? take_pointer(&pax->path) : *prefix ? text_format("%s/%s", prefix, name) : text_copy(name);
    entry->target = pax->link ? take_pointer(&pax->link) : field_text(header->link, sizeof(header->link));
}

static bool is_zero(const struct header *header) {
    for (size_t i = 0; i < BLOCK; i++)
        if (((const char *)header)[i])
            return false;
    return true;
}

static int take_extension(const struct header *header, const struct buffer *text, struct pax *pax,
                          struct tar_read_entry *entry, struct error *error) {
    if (header->type == 'x' || header->type == 'g') {
        pax->is_global = header->type == 'g';
        return read_pax(text, pax, entry, error);
    }
    char **slot = header->type == 'L' ? &pax->path : &pax->link;
    free(*slot);
    *slot = text_copy(buffer_text(text));
    return 0;
}

/* 1 with a header whose checksum is right, 0 at the end. */
static int read_header(struct tar_reader *reader, struct header *header, struct error *error) {
    size_t got = 0;
    if (read_exactly(reader, header, BLOCK, &got, error) < 0)
        return -1;
    if (got == 0 || (got == BLOCK && is_zero(header)))
        return 0;
    if (got < BLOCK)
        return error_set(error, ERROR_DATA, "the archive is cut off");
    return check_sum(header, error) < 0 ? -1 : 1;
}

/* Reads headers until one is an entry; 0 at the end. */
static int next_header(struct tar_reader *reader, struct header *header, struct pax *pax, struct tar_read_entry *entry,
                       struct error *error) {
    for (bool is_extended = false;; is_extended = true) {
        int got = read_header(reader, header, error);
        if (got == 0 && is_extended && (pax->path || pax->link || pax->has_size))
            return error_set(error, ERROR_DATA, "the archive is cut off: a pax header has no entry");
        if (got <= 0 || !header->type || !strchr("xgLK", header->type))
            return got;
        uint64_t size;
        AUTO_BUFFER struct buffer text = BUFFER(EXTENSION_LIMIT);
        if (number(header->size, sizeof(header->size), SIZE_LIMIT, "size", &size, error) < 0 ||
            read_extension(reader, size, &text, error) < 0 || take_extension(header, &text, pax, entry, error) < 0)
            return -1;
    }
}

int tar_reader_next(struct tar_reader *reader, struct tar_read_entry *entry, struct error *error) {
    *entry = (struct tar_read_entry){0};
    if (skip(reader, reader->left + reader->padding, error) < 0)
        return -1;
    reader->left = reader->padding = 0;
    struct header header;
    struct pax pax = {0};
    int found = next_header(reader, &header, &pax, entry, error);
    if (found == 1) {
        take_names(&header, &pax, entry);
        if (fill(&header, &pax, entry, error) < 0)
            found = error_wrap(error, "%.200s", entry->path);
        reader->left = entry->size;
        reader->padding = (BLOCK - entry->size % BLOCK) % BLOCK;
    }
    free(pax.path);
    free(pax.link);
    if (found != 1)
        tar_read_entry_release(entry);
    return found;
}

ssize_t tar_reader_data(struct tar_reader *reader, void *data, size_t size, struct error *error) {
    if (reader->left == 0)
        return 0;
    size_t part = reader->left < size ? (size_t)reader->left : size;
    if (need(reader, data, part, error) < 0)
        return -1;
    reader->left -= part;
    return (ssize_t)part;
}

void tar_read_entry_release(struct tar_read_entry *entry) {
    for (size_t i = 0; i < entry->attribute_count; i++) {
        free(entry->attributes[i].name);
        free(entry->attributes[i].value);
    }
    free(entry->path);
    free(entry->target);
    *entry = (struct tar_read_entry){0};
}
