/* The unpack cases 30 to 54 of tests/hostile_inputs.txt: types, attributes, sizes, compression, limits and races. */
#include "tests/unit/hostile_archive.h"

#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <zlib.h>

/* Base-256, as GNU tar writes what octal digits cannot say. */
static const char NEGATIVE[12] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x9c";
static const char HUGE_SIZE[12] = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
static const char OVERFLOW_SIZE[12] = "\x80\1\0\0\0\0\0\0\0\0\0\0";
static const char ID_2_31[8] = "\x80\0\0\0\x80\0\0\0";
static const char ID_2_32[8] = "\x80\0\0\0\xff\xff\xff\xff";

/* ---- types and attributes ---- */

static void devices(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "mem", .type = '3', .device = "0000001\0000000001"});
    raw_entry(layers, (struct raw){.name = "sda", .type = '4', .device = "0000010\0000000000"});
}
static void are_empty_files(void) {
    assert_true(S_ISREG(status_of("mem").st_mode) && S_ISREG(status_of("sda").st_mode));
    assert_int_equal(skipped, 2);
}
static void fifo(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "pipe", .type = '6', .mode = "0000640", .uid = "0000000"});
}
static void is_a_fifo(void) {
    assert_int_equal(status_of("pipe").st_mode, S_IFIFO | 0640);
}
static void unknown_type(struct buffer *layers) {
    entry(layers, "socket", 'Z', "", "");
}
static void volume_label(struct buffer *layers) {
    entry(layers, "label", 'V', "", "");
}
static void set_id(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "su", .type = '0', .mode = "0006755", .content = "x"});
    raw_entry(layers, (struct raw){.name = "tmp", .type = '5', .mode = "0001777"});
}
static void modes_are_kept(void) {
    assert_int_equal(status_of("su").st_mode, S_IFREG | 06755);
    assert_int_equal(status_of("tmp").st_mode, S_IFDIR | 01777);
}

static const char CAPABILITY[20] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
static void capability(struct buffer *layers) {
    pax(layers, 'x', "SCHILY.xattr.security.capability", CAPABILITY, sizeof(CAPABILITY));
    file(layers, "ping", "x");
}
static void capability_is_kept_where_it_may_be(void) {
    char value[64];
    ssize_t length = lgetxattr(inside("ping"), "security.capability", value, sizeof(value));
    assert_true(length == (ssize_t)sizeof(CAPABILITY) || geteuid() != 0);
}
static void attribute_of_overlay(struct buffer *layers) {
    pax(layers, 'x', "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
    folder(layers, "etc");
}
static void attribute_of_overlay_for_users(struct buffer *layers) {
    pax(layers, 'x', "SCHILY.xattr.user.overlay.redirect", "/etc", 4);
    folder(layers, "d");
}
static void long_attribute_name(struct buffer *layers) {
    char name[320] = "SCHILY.xattr.user.";
    memset(name + strlen(name), 'n', 256);
    pax(layers, 'x', name, "v", 1);
    file(layers, "f", "x");
}
static void large_attribute(struct buffer *layers) {
    AUTO_FREE char *value = memory_allocate(1, 64 * 1024 + 1);
    pax(layers, 'x', "SCHILY.xattr.user.x", value, 64 * 1024 + 1);
    file(layers, "f", "x");
}
static void many_attributes(struct buffer *layers) {
    AUTO_BUFFER struct buffer records = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 10000; i++)
        buffer_append_format(&records, "30 SCHILY.xattr.user.a%05d=v\n", i);
    raw_entry(layers, (struct raw){.name = "pax", .type = 'x', .content = records.data, .length = records.length});
    file(layers, "f", "x");
}

/* ---- sizes and headers ---- */

/* The size in the pax header counts: what looks like an entry is the content of the file. */
static void size_in_pax(struct buffer *layers) {
    AUTO_BUFFER struct buffer hidden = BUFFER(ARCHIVE_LIMIT);
    file(&hidden, "evil", "");
    pax(layers, 'x', "size", "512", 3);
    raw_entry(layers,
              (struct raw){.name = "f", .type = '0', .size = "00000000000", .content = hidden.data, .length = BLOCK});
    file(layers, "g", "x");
}
static void nothing_was_hidden_in_it(void) {
    AUTO_LIST struct text_list names = {0};
    assert_int_equal(directory_list(root, &names, NULL), 0);
    assert_int_equal(names.count, 2);
    assert_int_equal(status_of("f").st_size, BLOCK);
    assert_content("g", "x");
}
static void size_for_all(struct buffer *layers) {
    pax(layers, 'g', "size", "512", 3);
    file(layers, "f", "x");
}
static void path_for_all(struct buffer *layers) {
    pax(layers, 'g', "path", "etc/passwd", 10);
    file(layers, "f", "x");
}
static void comment_for_all(struct buffer *layers) {
    pax(layers, 'g', "comment", "0123456789", 10);
    file(layers, "f", "x");
}
static void malformed_pax(struct buffer *layers, const char *record) {
    raw_entry(layers, (struct raw){.name = "pax", .type = 'x', .content = record});
    file(layers, "f", "x");
}
static void pax_too_long(struct buffer *layers) {
    malformed_pax(layers, "99 path=a\n");
}
static void pax_of_no_length(struct buffer *layers) {
    malformed_pax(layers, "0 path=a\n");
}
static void pax_of_letters(struct buffer *layers) {
    malformed_pax(layers, "x path=a\n");
}
static void pax_of_many_digits(struct buffer *layers) {
    malformed_pax(layers, "99999999999999999999 path=a\n");
}
static void pax_without_an_end(struct buffer *layers) {
    malformed_pax(layers, "9 path=a");
}
static void pax_without_a_key(struct buffer *layers) {
    malformed_pax(layers, "7 =aaa\n");
}
static void pax_without_an_entry(struct buffer *layers) {
    pax(layers, 'x', "path", "a", 1);
}
static void negative_size(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .size = NEGATIVE});
}
static void negative_size_in_pax(struct buffer *layers) {
    pax(layers, 'x', "size", "-100", 4);
    file(layers, "f", "");
}
static void huge_size(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .size = HUGE_SIZE});
}
static void size_over_64_bits(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .size = OVERFLOW_SIZE});
}
static void huge_size_in_pax(struct buffer *layers) {
    pax(layers, 'x', "size", "9223372036854775807", 19);
    file(layers, "f", "");
}
static void size_of_letters(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .size = "9999999999z"});
}
static void cut_in_a_header(struct buffer *layers) {
    file(layers, "a", "x");
    file(layers, "b", "x");
    layers->length -= BLOCK + 200;
}
static void cut_in_data(struct buffer *layers) {
    AUTO_FREE char *content = memory_allocate(1, 3000);
    raw_entry(layers, (struct raw){.name = "a", .type = '0', .content = content, .length = 3000});
    layers->length -= 1000;
}
static void cut_in_padding(struct buffer *layers) {
    file(layers, "a", "0123456789");
    layers->length -= 400;
}
static void cut_in_pax(struct buffer *layers) {
    pax(layers, 'x', "path", "a", 1);
    layers->length -= 505;
}
static void wrong_checksum(struct buffer *layers) {
    file(layers, "a", "x");
    layers->data[0] ^= 1;
}
static void long_name_of_a_gibibyte(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "././@LongLink", .type = 'L', .size = "10000000000"});
    file(layers, "a", "x");
}
static void long_pax_header(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "pax", .type = 'x', .size = "00004000001"});
    file(layers, "a", "x");
}

/* ---- sparse files ---- */

static void sparse_0_0(struct buffer *layers) {
    pax(layers, 'x', "GNU.sparse.numblocks", "10000000", 8);
    file(layers, "a", "x");
}
static void sparse_0_1(struct buffer *layers) {
    pax(layers, 'x', "GNU.sparse.map", "0,1,1000000,1", 13);
    file(layers, "a", "x");
}
static void sparse_1_0(struct buffer *layers) {
    pax(layers, 'x', "GNU.sparse.major", "1", 1);
    file(layers, "a", "10000000\n0\n1\n");
}
static void sparse_of_old(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "a", .type = 'S', .magic = "ustar  ", .content = "x"});
}

/* ---- owners and times ---- */

static void owner_2_31(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .uid = ID_2_31});
}
static void group_2_32(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .gid = ID_2_32});
}
static void owner_minus_one(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .uid = NEGATIVE});
}
static void owner_2_31_in_pax(struct buffer *layers) {
    pax(layers, 'x', "uid", "2147483648", 10);
    file(layers, "f", "x");
}
static void owner_minus_one_in_pax(struct buffer *layers) {
    pax(layers, 'x', "gid", "-1", 2);
    file(layers, "f", "x");
}
static void strange_times(struct buffer *layers) {
    static const char *const times[] = {"-1", "NaN", "1e308", "99999999999999999999", "-9223372036854775808.5"};
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
        char name[2] = {(char)('a' + i), '\0'};
        pax(layers, 'x', "mtime", times[i], strlen(times[i]));
        file(layers, name, "x");
    }
    raw_entry(layers, (struct raw){.name = "f", .type = '0', .time = NEGATIVE, .content = "x"});
    raw_entry(layers, (struct raw){.name = "g", .type = '0', .time = HUGE_SIZE, .content = "x"});
}
static void are_there(void) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        assert_content(names[i], "x");
}

/* ---- compression ---- */

/* One gzip member appended. */
static void gzip(struct buffer *out, const struct buffer *plain, int level) {
    z_stream stream = {.next_in = (unsigned char *)plain->data, .avail_in = (unsigned)plain->length};
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    AUTO_FREE unsigned char *packed = memory_allocate(1, plain->length + 1000);
    stream.next_out = packed;
    stream.avail_out = (unsigned)plain->length + 1000;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    buffer_append(out, packed, stream.total_out);
    deflateEnd(&stream);
}
static void gzip_bomb(struct buffer *layers) {
    struct buffer plain = BUFFER(2 * ARCHIVE_LIMIT);
    AUTO_FREE char *zeros = memory_allocate(1, 70 << 20);
    raw_entry(&plain, (struct raw){.name = "zeros", .type = '0', .content = zeros, .length = 70 << 20});
    gzip(layers, &plain, 9);
    buffer_release(&plain);
}
static int to_buffer(void *context, const void *data, size_t length, struct error *error) {
    buffer_append(context, data, length);
    return buffer_check(context, "the test", error);
}
static void zstd_bomb(struct buffer *layers) {
    AUTO_COMPRESSOR struct compressor *compressor = compressor_new(COMPRESSION_ZSTD, to_buffer, layers);
    AUTO_BUFFER struct buffer header = BUFFER(ARCHIVE_LIMIT);
    AUTO_FREE char *zeros = memory_allocate(1, 1 << 20);
    raw_entry(&header, (struct raw){.name = "zeros", .type = '0', .size = "00700000000"});
    assert_int_equal(compressor_write(compressor, header.data, header.length, NULL), 0);
    for (int i = 0; i < 112; i++)
        assert_int_equal(compressor_write(compressor, zeros, 1 << 20, NULL), 0);
    assert_int_equal(compressor_finish(compressor, NULL), 0);
}
static void gzip_members(struct buffer *layers) {
    AUTO_BUFFER struct buffer one = BUFFER(ARCHIVE_LIMIT), two = BUFFER(ARCHIVE_LIMIT);
    file(&one, "a", "one");
    file(&two, "b", "two");
    gzip(layers, &one, 6);
    gzip(layers, &two, 6);
    buffer_append(layers, "\0\0\0\0\0\0\0\0", 8);
}
static void both_are_there(void) {
    assert_content("a", "one");
    assert_content("b", "two");
}
static void garbage_after_gzip(struct buffer *layers) {
    AUTO_BUFFER struct buffer one = BUFFER(ARCHIVE_LIMIT);
    file(&one, "a", "one");
    gzip(layers, &one, 6);
    buffer_append_text(layers, "garbage");
}
static void garbage_after_zeros(struct buffer *layers) {
    AUTO_BUFFER struct buffer one = BUFFER(ARCHIVE_LIMIT);
    file(&one, "a", "one");
    gzip(layers, &one, 6);
    buffer_append(layers, "\0\0\0garbage", 10);
}
static void cut_gzip(struct buffer *layers) {
    AUTO_BUFFER struct buffer one = BUFFER(ARCHIVE_LIMIT);
    file(&one, "a", "one");
    gzip(layers, &one, 6);
    layers->length -= 6;
}
static void wide_window(struct buffer *layers) {
    buffer_append(layers, "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
}

/* ---- limits ---- */

static void depth_1001(struct buffer *layers) {
    AUTO_BUFFER struct buffer path = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 1001; i++)
        buffer_append_text(&path, "d/");
    pax(layers, 'x', "path", path.data, path.length);
    file(layers, "x", "x");
}
static void depth_10000(struct buffer *layers) {
    AUTO_BUFFER struct buffer path = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 10000; i++)
        buffer_append_text(&path, "d/");
    pax(layers, 'x', "path", path.data, path.length);
    file(layers, "x", "x");
}
/* Deeper than any name says; remove_place must be able to remove it. */
static void depth_through_links(struct buffer *layers) {
    AUTO_BUFFER struct buffer path = BUFFER(ARCHIVE_LIMIT), deeper = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 990; i++)
        buffer_append_text(&path, "d/");
    pax(layers, 'x', "path", path.data, path.length);
    raw_entry(layers, (struct raw){.name = "x", .type = '5', .mode = "0000700"});
    path.length--;
    for (int i = 0; i < 3; i++) {
        AUTO_FREE char *link = text_format("l%d", i), *from = text_format("l%d/", i - 1);
        buffer_clear(&deeper);
        buffer_append_text(&deeper, i ? from : "");
        buffer_append(&deeper, path.data, path.length);
        pax(layers, 'x', "linkpath", deeper.data, deeper.length);
        symlink_entry(layers, link, "x");
        buffer_append_text(&deeper, "/f");
        pax(layers, 'x', "path", deeper.data, deeper.length);
        file(layers, "x", "x");
    }
}
static void names_that_look_alike(struct buffer *layers) {
    file(layers, "README", "1");
    file(layers, "readme", "2");
    file(layers, "caf\xc3\xa9", "3");
    file(layers, "cafe\xcc\x81", "4");
    file(layers, "\xff\xfe\n\033[31m", "5");
}
static void all_of_them_are_there(void) {
    assert_content("README", "1");
    assert_content("readme", "2");
    assert_content("caf\xc3\xa9", "3");
    assert_content("cafe\xcc\x81", "4");
    assert_content("\xff\xfe\n\033[31m", "5");
}
static void file_over_a_link(struct buffer *layers) {
    file(&layers[0], "bin/busybox", "kept");
    symlink_entry(&layers[0], "bin/env", "busybox");
    file(&layers[1], "bin/env", "new");
}
static void the_file_took_its_place(void) {
    assert_content("bin/busybox", "kept");
    assert_content("bin/env", "new");
    assert_true(S_ISREG(status_of("bin/env").st_mode));
}

static void more_entries_than_the_limit(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_BUFFER struct buffer archive = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 101; i++)
        file(&archive, "f", "");
    struct unpack options = {.entry_limit = 100};
    assert_int_equal(unpack_layer(&archive, &options, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_string_equal(error.text, "the archive has more than 100 entries");
    options.entry_limit = 101;
    assert_int_equal(unpack_layer(&archive, &options, NULL), 0);
    options.size_limit = 9;
    archive.length = 0;
    file(&archive, "f", "0123456789");
    assert_int_equal(unpack_layer(&archive, &options, NULL), -1);
}

/* ---- the race ---- */

static atomic_bool stop;
static atomic_ulong swaps;

static void *swap(void *context) {
    AUTO_FREE char *one = path_join(root, "d"), *two = path_join(root, "link");
    (void)context;
    while (!stop) {
        if (syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) == 0)
            swaps++;
        else
            (void)!symlink(canary, two);
    }
    return NULL;
}

/* A directory becomes a link to the canary and a directory again while entries of it are unpacked. */
static void a_directory_that_becomes_a_link(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < 20; i++) {
        raw_entry(&archive, (struct raw){.name = "d", .type = '5', .mode = "0000777", .uid = "0000001"});
        file(&archive, "d/f", "inside");
        raw_entry(&archive, (struct raw){.name = "d/p", .type = '6', .mode = "0000777"});
        file(&archive, "d/.wh.g", "");
        file(&archive, "d/.wh..wh..opq", "");
        symlink_entry(&archive, "d/f", "x");
        hardlink(&archive, "h", "d/f");
    }
    pthread_t thread;
    stop = false;
    swaps = 0;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    for (int i = 0; i < 20 || (swaps < 1000 && i < 2000); i++)
        (void)!unpack_layer(&archive, NULL, NULL);
    stop = true;
    pthread_join(thread, NULL);
    assert_true(swaps > 100);
    AUTO_LIST struct text_list names = {0};
    assert_true(is_unchanged(canary, &canary_status[0]));
    assert_true(is_unchanged(canary_file, &canary_status[1]));
    assert_int_equal(directory_list(canary, &names, NULL), 0);
    assert_int_equal(names.count, 1);
}

static const struct hostile table[] = {
    {30, "devices where they are not made", NULL, devices, are_empty_files},
    {31, "a FIFO", NULL, fifo, is_a_fifo},
    {32, "an unknown type", "tar entries of type 'Z'", unknown_type, NULL},
    {32, "a volume label", "tar entries of type 'V'", volume_label, NULL},
    {33, "set-id and sticky bits", NULL, set_id, modes_are_kept},
    {34, "a capability", NULL, capability, capability_is_kept_where_it_may_be},
    {34, "an attribute of overlayfs", "belongs to overlayfs", attribute_of_overlay, NULL},
    {34, "an attribute of overlayfs for users", "belongs to overlayfs", attribute_of_overlay_for_users, NULL},
    {35, "a long name of an attribute", "too large extended attributes", long_attribute_name, NULL},
    {35, "a large attribute", "too large extended attributes", large_attribute, NULL},
    {35, "ten thousand attributes", "too many", many_attributes, NULL},
    {36, "a size in the pax header and another in the header", NULL, size_in_pax, nothing_was_hidden_in_it},
    {36, "a global pax header with a size", "a global pax header with size", size_for_all, NULL},
    {36, "a global pax header with a path", "a global pax header with path", path_for_all, NULL},
    {36, "a global pax header with a comment", NULL, comment_for_all, NULL},
    {37, "a pax record longer than its header", "malformed", pax_too_long, NULL},
    {37, "a pax record of length 0", "malformed", pax_of_no_length, NULL},
    {37, "a pax record without a number", "malformed", pax_of_letters, NULL},
    {37, "a pax record of twenty digits", "malformed", pax_of_many_digits, NULL},
    {37, "a pax record without an end", "malformed", pax_without_an_end, NULL},
    {37, "a pax record without a key", "malformed", pax_without_a_key, NULL},
    {37, "a pax header without an entry", "cut off", pax_without_an_entry, NULL},
    {38, "a negative size", "negative or huge size", negative_size, NULL},
    {38, "a negative size in a pax header", "bad size", negative_size_in_pax, NULL},
    {39, "a size of 2^63-1", "size over", huge_size, NULL},
    {39, "a size over 64 bits", "huge size", size_over_64_bits, NULL},
    {39, "a size of 2^63-1 in a pax header", "bad size", huge_size_in_pax, NULL},
    {39, "a size that is no number", "no number", size_of_letters, NULL},
    {40, "cut off in a header", "cut off", cut_in_a_header, NULL},
    {40, "cut off in data", "cut off", cut_in_data, NULL},
    {40, "cut off in padding", "cut off", cut_in_padding, NULL},
    {40, "cut off in a pax header", "cut off", cut_in_pax, NULL},
    {41, "a wrong checksum", "wrong checksum", wrong_checksum, NULL},
    {42, "a long name of 1 GiB", "larger than 1 MiB", long_name_of_a_gibibyte, NULL},
    {42, "a pax header over 1 MiB", "larger than 1 MiB", long_pax_header, NULL},
    {43, "a sparse file of version 0.0", "sparse", sparse_0_0, NULL},
    {43, "a sparse file of version 0.1", "sparse", sparse_0_1, NULL},
    {43, "a sparse file of version 1.0", "sparse", sparse_1_0, NULL},
    {43, "a sparse file of GNU's old kind", "tar entries of type 'S'", sparse_of_old, NULL},
    {44, "an owner of 2^31", "uid over", owner_2_31, NULL},
    {44, "a group of 2^32-1", "gid over", group_2_32, NULL},
    {44, "an owner of -1", "negative or huge uid", owner_minus_one, NULL},
    {44, "an owner of 2^31 in a pax header", "bad uid", owner_2_31_in_pax, NULL},
    {44, "a group of -1 in a pax header", "bad gid", owner_minus_one_in_pax, NULL},
    {45, "times that are none", NULL, strange_times, are_there},
    {46, "a gzip bomb", "more than 1000 times its size", gzip_bomb, NULL},
    {46, "a zstd bomb", "more than 1000 times its size", zstd_bomb, NULL},
    {47, "gzip members one after the other, and zeros", NULL, gzip_members, both_are_there},
    {47, "garbage after a gzip member", "foreign bytes", garbage_after_gzip, NULL},
    {47, "garbage after zeros after a gzip member", "foreign bytes", garbage_after_zeros, NULL},
    {47, "a gzip member that is cut off", "ends in the middle", cut_gzip, NULL},
    {48, "a zstd frame with a window of 2 GiB", "window over 128 MiB", wide_window, NULL},
    {50, "a path 1001 deep", "nested too deep", depth_1001, NULL},
    {50, "a path 10000 deep", "nested too deep", depth_10000, NULL},
    {50, "a depth that only links lead to", "cannot be placed", depth_through_links, NULL},
    {51, "names that look alike", NULL, names_that_look_alike, all_of_them_are_there},
    {54, "a file over a link of the layer below", NULL, file_over_a_link, the_file_took_its_place},
};

int main(int argc, char **argv) {
    const struct CMUnitTest more[] = {
        {"unpack 49: more entries than the limit", more_entries_than_the_limit, make_place, remove_place, NULL},
        {"unpack 52: a directory that becomes a link", a_directory_that_becomes_a_link, make_place, remove_place, NULL},
    };
    return hostile_main(argc, argv, table, ARRAY_LENGTH(table), more, ARRAY_LENGTH(more));
}
