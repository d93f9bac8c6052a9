#include "firebase/files/memory.h"

#include "common/archive/archive.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

static const char magic[8] = "plpack1";
#define MEMORY_LIMIT (256UL << 20)

struct memory_record {
    struct digest content, packed;
    uint64_t packed_size;
};

static char *memory_path(const struct site_files *files, const char *site) {
    AUTO_FREE char *name = text_format("%s\n%s", gzip_packer_name(), site);
    struct digest digest = digest_of(name, strlen(name));
    return text_format("%s/packed/%s", store_path(files->store), digest_format_hex(&digest).text);
}

static int compare_records(const void *left, const void *right) {
    return memcmp(left, right, sizeof(struct digest));
}

/* The records in the text of a memory file, or NULL. */
static const struct memory_record *records_in(const struct buffer *text, size_t *count) {
    struct digest sum;
    if (text->length < sizeof(magic) + sizeof(sum) || memcmp(text->data, magic, sizeof(magic)) != 0)
        return NULL;
    size_t end = text->length - sizeof(sum);
    sum = digest_of(text->data, end);
    if (memcmp(&sum, text->data + end, sizeof(sum)) != 0)
        return NULL;
    *count = (end - sizeof(magic)) / sizeof(struct memory_record);
    return (const struct memory_record *)(const void *)(text->data + sizeof(magic));
}

void memory_recall(struct site_files *files, const char *site) {
    AUTO_FREE char *path = memory_path(files, site);
    AUTO_BUFFER struct buffer text = BUFFER(MEMORY_LIMIT);
    bool found = false;
    size_t count = 0;
    if (file_read(path, &text, &found, NULL) < 0 || !found)
        return;
    const struct memory_record *records = records_in(&text, &count);
    for (size_t i = 0; records && count && i < files->count; i++) {
        struct site_file *file = &files->items[i];
        const struct memory_record *record = bsearch(&file->content, records, count, sizeof(*records), compare_records);
        if (!record)
            continue;
        file->packed = record->packed;
        file->packed_size = record->packed_size;
        file->is_packed = true;
    }
}

void memory_keep(const struct site_files *files, const char *site) {
    AUTO_BUFFER struct buffer text = BUFFER(MEMORY_LIMIT);
    AUTO_FREE struct memory_record *records = memory_allocate(files->count, sizeof(*records));
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].is_packed)
            records[count++] =
                (struct memory_record){files->items[i].content, files->items[i].packed, files->items[i].packed_size};
    qsort(records, count, sizeof(*records), compare_records);
    buffer_append(&text, magic, sizeof(magic));
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_records(&records[i - 1], &records[i]) != 0)
            buffer_append(&text, &records[i], sizeof(records[i]));
    struct digest sum = digest_of(text.data, text.length);
    buffer_append(&text, &sum, sizeof(sum));
    AUTO_FREE char *path = memory_path(files, site), *folder = path_join(store_path(files->store), "packed");
    if (buffer_check(&text, "the list of packed files", NULL) < 0 || directory_make(folder, 0700, NULL) < 0 ||
        file_replace(path, text.data, text.length, 0600, NULL) < 0)
        return;
}

void memory_forget(const struct site_files *files, const char *site) {
    AUTO_FREE char *path = memory_path(files, site);
    if (unlink(path) < 0)
        return;
}
