/* For the tests of hostile archives: archives written header by header, and one runner for a table of cases.
 *
 * Each case is unpacked beside a canary that must not change. `PROGRAM --write DIR CANARY` writes the archives of the
 * table as DIR/NN-NAME.LAYER.tar instead, with CANARY in the place of the canary's path, for the tests that bring them
 * to the tools (tests/engine/test_hostile_archives.sh). The cases are those of tests/hostile_inputs.txt. */
#ifndef UNIT_HOSTILE_ARCHIVE_H
#define UNIT_HOSTILE_ARCHIVE_H

#include "common/archive/archive.h"
#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "tests/unit/memory_source.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ARCHIVE_LIMIT = 64 * 1024 * 1024, LAYER_COUNT = 2, BLOCK = 512, PIECE = 7777 };

struct hostile {
    unsigned number;
    const char *name;
    const char *refused; /* a part of the message; NULL: it is accepted, and confined to the root */
    void (*write)(struct buffer *layers);
    void (*check)(void); /* what has come of it; may be NULL */
};

/* ---- archives ---- */

struct raw {
    const char *name;
    char type;
    const char *link, *content;
    size_t length;                                       /* of the content; 0: as a text */
    const char *mode, *uid, *gid, *size, *time, *device; /* the field as it is, in place of the usual */
    char magic[8];
};

static void put(char *block, size_t at, size_t size, const char *field, const char *usual) {
    memcpy(block + at, field ? field : usual, field ? size : strlen(usual));
}

static void raw_entry(struct buffer *out, struct raw raw) {
    char block[BLOCK] = {0}, size[16], sum_text[8];
    const char *content = raw.content ? raw.content : "";
    size_t length = raw.length ? raw.length : strlen(content);
    snprintf(size, sizeof(size), "%011zo", length);
    memcpy(block, raw.name, strnlen(raw.name, 100));
    put(block, 100, 8, raw.mode, "0000644");
    put(block, 108, 8, raw.uid, "0000000");
    put(block, 116, 8, raw.gid, "0000000");
    put(block, 124, 12, raw.size, size);
    put(block, 136, 12, raw.time, "00000000000");
    block[156] = raw.type;
    memcpy(block + 157, raw.link ? raw.link : "", strnlen(raw.link ? raw.link : "", 100));
    memcpy(block + 257, *raw.magic ? raw.magic : "ustar\00000", 8);
    put(block, 329, 16, raw.device, "");
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(sum_text, sizeof(sum_text), "%06o", sum & 0777777);
    memcpy(block + 148, sum_text, 7);
    static const char zeros[BLOCK];
    buffer_append(out, block, BLOCK);
    buffer_append(out, content, length);
    buffer_append(out, zeros, (BLOCK - length % BLOCK) % BLOCK);
}

static void entry(struct buffer *out, const char *name, char type, const char *link, const char *content) {
    raw_entry(out, (struct raw){.name = name, .type = type, .link = link, .content = content});
}
static void file(struct buffer *out, const char *name, const char *content) {
    entry(out, name, '0', "", content);
}
static void folder(struct buffer *out, const char *name) {
    raw_entry(out, (struct raw){.name = name, .type = '5', .mode = "0000755"});
}
static void symlink_entry(struct buffer *out, const char *name, const char *target) {
    entry(out, name, '2', target, "");
}
static void hardlink(struct buffer *out, const char *name, const char *target) {
    entry(out, name, '1', target, "");
}

/* A pax header with one record, whose length is right. */
__attribute__((unused)) static void pax(struct buffer *out, char type, const char *key, const char *value,
                                        size_t length) {
    AUTO_BUFFER struct buffer record = BUFFER(ARCHIVE_LIMIT);
    size_t total = strlen(key) + length + 3, digits = 1;
    while ((size_t)snprintf(NULL, 0, "%zu", total + digits) > digits)
        digits++;
    buffer_append_format(&record, "%zu %s=", total + digits, key);
    buffer_append(&record, value, length);
    buffer_append_byte(&record, '\n');
    raw_entry(out, (struct raw){.name = "pax", .type = type, .content = record.data, .length = record.length});
}

/* ---- where they are unpacked ---- */

static char outer[] = "/tmp/pl-hostile-XXXXXX";
static char root[64], canary[64], canary_file[80]; /* absolute */
static struct stat canary_status[2];

static int make_place(void **state) {
    (void)state;
    memcpy(outer + strlen(outer) - 6, "XXXXXX", 6);
    if (!mkdtemp(outer))
        return -1;
    snprintf(root, sizeof(root), "%s/root", outer);
    snprintf(canary, sizeof(canary), "%s/canary", outer);
    snprintf(canary_file, sizeof(canary_file), "%s/f", canary);
    if (mkdir(root, 0755) < 0 || mkdir(canary, 0700) < 0 || file_replace(canary_file, "alive", 5, 0600, NULL) < 0 ||
        stat(canary, &canary_status[0]) < 0)
        return -1;
    return stat(canary_file, &canary_status[1]);
}

static int remove_place(void **state) {
    (void)state;
    return tree_remove(outer, NULL);
}

static bool is_unchanged(const char *path, const struct stat *before) {
    struct stat now;
    return stat(path, &now) == 0 && now.st_ino == before->st_ino && now.st_mode == before->st_mode &&
           now.st_uid == before->st_uid && now.st_gid == before->st_gid && now.st_nlink == before->st_nlink &&
           now.st_size == before->st_size && memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) == 0 &&
           memcmp(&now.st_ctim, &before->st_ctim, sizeof(now.st_ctim)) == 0;
}

/* The canary is as it was, and beside it lies nothing but the root. */
static void assert_nothing_outside(void) {
    AUTO_LIST struct text_list names = {0}, above = {0};
    assert_true(is_unchanged(canary, &canary_status[0]));
    assert_true(is_unchanged(canary_file, &canary_status[1]));
    assert_int_equal(directory_list(canary, &names, NULL), 0);
    assert_int_equal(names.count, 1);
    assert_int_equal(directory_list(outer, &above, NULL), 0);
    assert_int_equal(above.count, 2);
}

static uint64_t skipped;

/* `options` may be NULL: as the engine unpacks a layer, for whoever runs the test. */
static int unpack_layer(const struct buffer *archive, const struct unpack *options, struct error *error) {
    struct unpack usual = {.whiteouts = geteuid() == 0 ? WHITEOUTS_OVERLAY : WHITEOUTS_USER,
                           .keep_owners = geteuid() == 0,
                           .skipped_devices = &skipped};
    struct reading reading = {archive->data, archive->length, PIECE};
    AUTO_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(from_memory, &reading, 1ULL << 34);
    return tar_unpack(decompressor_read, plain, fd, options ? options : &usual, error);
}

/* ---- what has come of it ---- */

/* A path below the root; not allocated. An absolute one is that of the host, inside the root. */
static const char *inside(const char *path) {
    static char full[4200];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    return full;
}
static struct stat status_of(const char *path) {
    struct stat status = {0};
    if (lstat(inside(path), &status) < 0)
        fail_msg("%s is missing", path);
    return status;
}
static void assert_content(const char *path, const char *expected) {
    AUTO_BUFFER struct buffer content = BUFFER(ARCHIVE_LIMIT);
    struct error error;
    if (file_read(inside(path), &content, NULL, &error) < 0)
        fail_msg("%s", error.text);
    assert_string_equal(buffer_text(&content), expected);
}

/* ---- the runner ---- */

static void write_layers(const struct hostile *hostile, struct buffer *layers) {
    for (size_t i = 0; i < LAYER_COUNT; i++)
        layers[i] = (struct buffer)BUFFER(ARCHIVE_LIMIT);
    hostile->write(layers);
}

static void run_hostile(void **state) {
    const struct hostile *hostile = *state;
    struct buffer layers[LAYER_COUNT];
    struct error error = {0};
    int result = 0;
    skipped = 0;
    write_layers(hostile, layers);
    for (size_t i = 0; result == 0 && i < LAYER_COUNT && layers[i].length; i++)
        result = unpack_layer(&layers[i], NULL, &error);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        buffer_release(&layers[i]);
    assert_nothing_outside();
    if (hostile->refused && (result == 0 || error.kind != ERROR_DATA || !strstr(error.text, hostile->refused)))
        fail_msg("not refused because of \"%s\": %s", hostile->refused, result == 0 ? "accepted" : error.text);
    if (!hostile->refused && result < 0)
        fail_msg("refused: %s", error.text);
    if (hostile->check)
        hostile->check();
    assert_nothing_outside();
}

static int write_archives(const struct hostile *table, size_t count, const char *folder) {
    for (size_t i = 0; i < count; i++) {
        struct buffer layers[LAYER_COUNT];
        write_layers(&table[i], layers);
        for (size_t k = 0; k < LAYER_COUNT; k++) {
            AUTO_FREE char *name = text_format("%02u %s.%zu.tar", table[i].number, table[i].name, k + 1);
            for (char *at = name; *at; at++)
                *at = *at == ' ' || *at == '/' ? '-' : *at;
            AUTO_FREE char *path = path_join(folder, name);
            if (layers[k].length && file_write_atomic(path, layers[k].data, layers[k].length, 0644, NULL) < 0)
                return 1;
            buffer_release(&layers[k]);
        }
        printf("%02u|%s|%s\n", table[i].number, table[i].name, table[i].refused ? table[i].refused : "");
    }
    return 0;
}

/* Main program of a table, with `more` tests that are no archives to write. */
static int hostile_main(int argc, char **argv, const struct hostile *table, size_t count, const struct CMUnitTest *more,
                        size_t more_count) {
    if (argc == 4 && text_equal(argv[1], "--write")) {
        snprintf(canary, sizeof(canary), "%s", argv[3]);
        snprintf(canary_file, sizeof(canary_file), "%s/f", canary);
        return write_archives(table, count, argv[2]);
    }
    struct CMUnitTest *tests = memory_allocate(count + more_count, sizeof(*tests));
    AUTO_LIST struct text_list names = {0};
    for (size_t i = 0; i < count; i++) {
        text_list_add_format(&names, "unpack %02u: %s", table[i].number, table[i].name);
        tests[i] = (struct CMUnitTest){NULL, run_hostile, make_place, remove_place, (void *)(uintptr_t)&table[i]};
    }
    for (size_t i = 0; i < count; i++)
        tests[i].name = names.items[i];
    memcpy(tests + count, more, more_count * sizeof(*tests));
    int result = _cmocka_run_group_tests("hostile archives", tests, count + more_count, NULL, NULL);
    free(tests);
    return result;
}

#endif
