/* Tar, out: ustar, with a pax header only for what ustar cannot say. */
#include "common/archive/archive.h"
#include "common/base/buffer.h"
#include "common/base/text.h"
#include <sys/stat.h>

#include <string.h>

enum { BLOCK = 512, PAX_LIMIT = 1024 * 1024, OCTAL_ID_LIMIT = 07777777 };
#define OCTAL_SIZE_LIMIT 077777777777ULL

struct tar_writer {
    archive_sink *sink;
    void *context;
    uint64_t left;    /* of the data of the entry before */
    uint64_t padding; /* to the next block */
};

/* POSIX.1-2001 ustar. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2];
    char user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a ustar header is one block");

struct tar_writer *tar_writer_new(archive_sink *sink, void *context) {
    struct tar_writer *writer = memory_allocate(1, sizeof(*writer));
    writer->sink = sink;
    writer->context = context;
    return writer;
}

void tar_writer_release(struct tar_writer **writer) {
    free(*writer);
    *writer = NULL;
}

static int put(struct tar_writer *writer, const void *data, size_t length, struct error *error) {
    return length ? writer->sink(writer->context, data, length, error) : 0;
}

static int put_padding(struct tar_writer *writer, uint64_t length, struct error *error) {
    static const char zeros[BLOCK];
    return put(writer, zeros, (size_t)length, error);
}

static void octal(char *field, size_t size, uint64_t value) {
    field[size - 1] = '\0';
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void seal(struct header *header) {
    memset(header->checksum, ' ', sizeof(header->checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)header)[i];
    octal(header->checksum, 7, sum);
    header->checksum[7] = ' ';
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void pax_record(struct buffer *pax, const char *key, const void *value, size_t length) {
    size_t body = strlen(key) + length + 3, total = body + 1;
    for (size_t digits = 1, limit = 10;; digits++, limit *= 10) {
        total = body + digits;
        if (total < limit)
            break;
    }
    buffer_append_format(pax, "%zu %s=", total, key);
    buffer_append(pax, value, length);
    buffer_append_byte(pax, '\n');
}

static void pax_number(struct buffer *pax, const char *key, uint64_t number) {
    char text[24];
    int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    pax_record(pax, key, text, (size_t)length);
}

static char type_of(const struct tar_entry *entry) {
    if (entry->is_hardlink)
        return '1';
    switch (entry->mode & S_IFMT) {
    case S_IFLNK:
        return '2';
    case S_IFCHR:
        return '3';
    case S_IFBLK:
        return '4';
    case S_IFDIR:
        return '5';
    case S_IFIFO:
        return '6';
    default:
        return '0';
    }
}

/* Puts the path into name, or prefix and name; false when it does not fit. */
static bool fit_path(struct header *header, const char *path, size_t length) {
    if (length <= sizeof(header->name)) {
        memcpy(header->name, path, length);
        return true;
    }
    for (size_t i = length - 1; i > 0; i--)
        if (i <= sizeof(header->prefix) && i + 1 < length && length - i - 1 <= sizeof(header->name) && path[i] == '/') {
            memcpy(header->prefix, path, i);
            memcpy(header->name, path + i + 1, length - i - 1);
            return true;
        }
    return false;
}

static bool is_ascii(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static int put_pax(struct tar_writer *writer, const struct buffer *pax, struct error *error) {
    struct header header = {.type = 'x', .magic = "ustar", .version = {'0', '0'}};
    memcpy(header.name, "././@PaxHeader", 14);
    octal(header.mode, sizeof(header.mode), 0644);
    octal(header.uid, sizeof(header.uid), 0);
    octal(header.gid, sizeof(header.gid), 0);
    octal(header.size, sizeof(header.size), pax->length);
    octal(header.mtime, sizeof(header.mtime), 0);
    seal(&header);
    if (put(writer, &header, BLOCK, error) < 0 || put(writer, pax->data, pax->length, error) < 0)
        return -1;
    return put_padding(writer, (BLOCK - pax->length % BLOCK) % BLOCK, error);
}

static void fill_names(struct header *header, const struct tar_entry *entry, struct buffer *pax) {
    bool is_directory = S_ISDIR(entry->mode) && !entry->is_hardlink;
    size_t path_length = strlen(entry->path);
    AUTO_FREE char *path = text_copy_length(entry->path, path_length + 1); /* room for the slash */
    if (is_directory)
        path[path_length++] = '/';
    if (!fit_path(header, path, path_length) || !is_ascii(path))
        pax_record(pax, "path", path, path_length);
    if (!entry->target)
        return;
    size_t length = strlen(entry->target);
    memcpy(header->link, entry->target, length < sizeof(header->link) ? length : sizeof(header->link));
    if (length > sizeof(header->link) || !is_ascii(entry->target))
        pax_record(pax, "linkpath", entry->target, length);
}

static void fill_numbers(struct header *header, const struct tar_entry *entry, uint64_t size, struct buffer *pax) {
    octal(header->mode, sizeof(header->mode), entry->mode & 07777);
    octal(header->uid, sizeof(header->uid), entry->uid <= OCTAL_ID_LIMIT ? entry->uid : 0);
    octal(header->gid, sizeof(header->gid), entry->gid <= OCTAL_ID_LIMIT ? entry->gid : 0);
    octal(header->size, sizeof(header->size), size <= OCTAL_SIZE_LIMIT ? size : 0);
    octal(header->mtime, sizeof(header->mtime), entry->mtime > 0 ? (uint64_t)entry->mtime : 0);
    octal(header->major, sizeof(header->major), entry->device_major & OCTAL_ID_LIMIT);
    octal(header->minor, sizeof(header->minor), entry->device_minor & OCTAL_ID_LIMIT);
    if (entry->uid > OCTAL_ID_LIMIT)
        pax_number(pax, "uid", entry->uid);
    if (entry->gid > OCTAL_ID_LIMIT)
        pax_number(pax, "gid", entry->gid);
    if (size > OCTAL_SIZE_LIMIT)
        pax_number(pax, "size", size);
}

int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *error) {
    if (writer->left > 0)
        return error_set(error, ERROR_INTERNAL, "%llu bytes of a tar entry are missing",
                         (unsigned long long)writer->left);
    struct header header = {.type = type_of(entry), .magic = "ustar", .version = {'0', '0'}};
    uint64_t size = header.type == '0' ? entry->size : 0;
    AUTO_BUFFER struct buffer pax = BUFFER(PAX_LIMIT);
    fill_names(&header, entry, &pax);
    fill_numbers(&header, entry, size, &pax);
    for (const struct tar_attribute *attribute = entry->attributes; attribute && attribute->name; attribute++) {
        AUTO_FREE char *key = text_format("SCHILY.xattr.%s", attribute->name);
        pax_record(&pax, key, attribute->value, attribute->length);
    }
    if (buffer_check(&pax, "a tar header", error) < 0)
        return -1;
    if (put_padding(writer, writer->padding, error) < 0 || (pax.length > 0 && put_pax(writer, &pax, error) < 0))
        return -1;
    writer->left = size;
    writer->padding = (BLOCK - size % BLOCK) % BLOCK;
    seal(&header);
    return put(writer, &header, BLOCK, error);
}

int tar_writer_data(struct tar_writer *writer, const void *data, size_t length, struct error *error) {
    if (length > writer->left)
        return error_set(error, ERROR_INTERNAL, "a tar entry has more bytes than its header says");
    writer->left -= length;
    return put(writer, data, length, error);
}

int tar_writer_finish(struct tar_writer *writer, struct error *error) {
    if (writer->left > 0)
        return error_set(error, ERROR_INTERNAL, "%llu bytes of a tar entry are missing",
                         (unsigned long long)writer->left);
    if (put_padding(writer, writer->padding, error) < 0)
        return -1;
    return put_padding(writer, BLOCK, error) < 0 || put_padding(writer, BLOCK, error) < 0 ? -1 : 0;
}
