#include "common/record/record.h"

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "common/file/file.h"

#include <string.h>

static const char *const type_names[] = {"directory", "file",   "container",  "image", "service",
                                         "site",      "report", "credential", "job",   "error"};

const char *record_type_name(enum record_type type) {
    for (size_t i = 0; i < ARRAY_LENGTH(type_names); i++)
        if ((unsigned)type == 1u << i)
            return type_names[i];
    return "unknown";
}

void record_add_digest(struct record *record) {
    const char *ref = record_ref(record);
    size_t length = strlen(ref);
    struct digest digest;
    if (record->type == RECORD_ERROR || length < DIGEST_TEXT - 1 || json_get(record->json, "digest"))
        return;
    if (digest_parse(ref + length - (DIGEST_TEXT - 1), &digest, NULL) == 0)
        json_set_text(record->json, "digest", ref + length - (DIGEST_TEXT - 1));
}

struct record record_new(enum record_type type, const char *ref) {
    struct record record = {.type = type, .json = json_new_object()};
    json_set_integer(record.json, "pl", RECORD_MAJOR);
    json_set_text(record.json, "type", record_type_name(type));
    if (!ref)
        return record;
    json_set_text(record.json, "ref", ref);
    record_add_digest(&record);
    return record;
}

const char *record_ref(const struct record *record) {
    return json_get_text(record->json, "ref", "");
}

const char *record_text(const struct record *record, const char *key) {
    return json_get_text(record->json, key, NULL);
}

void record_release(struct record *record) {
    json_release(&record->json);
    *record = (struct record){0};
}

void record_list_release(struct record_list *list) {
    for (size_t i = 0; i < list->count; i++)
        record_release(&list->items[i]);
    free(list->items);
    *list = (struct record_list){0};
}

void record_list_add(struct record_list *list, struct record record) {
    list->items = memory_resize(list->items, list->count + 1, sizeof(record));
    list->items[list->count++] = record;
}

static int write_record(int fd, const struct record *record, struct error *error) {
    AUTO_BUFFER struct buffer line = BUFFER(RECORD_LIMIT);
    json_write(record->json, JSON_COMPACT_STYLE, &line);
    buffer_append_byte(&line, '\n');
    if (line.failed)
        return error_set(error, ERROR_INTERNAL, "the record of a %s is longer than %d bytes",
                         record_type_name(record->type), RECORD_LIMIT);
    if (fd_write_all(fd, line.data, line.length, error) == 0)
        return 0;
    if (error)
        error->kind = ERROR_CANNOT_WRITE;
    return error_wrap(error, "standard output");
}

int record_write_all(int fd, struct record_list *list, struct error *error) {
    char set[7];
    random_hex(set, sizeof(set));
    for (size_t i = 0; i < list->count; i++) {
        struct json *json = list->items[i].json;
        json_set_text(json, "set", set);
        json_set_integer(json, "seq", (int64_t)i + 1);
        json_set_integer(json, "of", (int64_t)list->count);
    }
    for (size_t i = 0; i < list->count; i++)
        if (write_record(fd, &list->items[i], error) < 0)
            return -1;
    return 0;
}

/* `length` bytes of the text, less the rest of a character that was cut in two. */
static char *cut_text(const char *text, size_t length) {
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return text_copy_length(text, length);
}

char *record_error_line(const char *stage, const struct error *failure) {
    AUTO_FREE char *message = text_scrub(failure->text, strlen(failure->text), false);
    for (size_t length = strlen(message);; length /= 2) {
        AUTO_FREE char *part = cut_text(message, length);
        struct record record = record_new(RECORD_ERROR, NULL);
        json_set_text(record.json, "stage", stage);
        json_set_integer(record.json, "code", error_exit_code(failure));
        json_set_text(record.json, "message", part);
        struct buffer line = BUFFER(RECORD_LIMIT);
        json_write(record.json, JSON_COMPACT_STYLE, &line);
        buffer_append_byte(&line, '\n');
        record_release(&record);
        if (!line.failed)
            return buffer_take(&line);
        buffer_release(&line);
    }
}

int record_write_error(int fd, const char *stage, const struct error *failure) {
    AUTO_FREE char *line = record_error_line(stage, failure);
    return fd_write_all(fd, line, strlen(line), NULL);
}
