/* common/archive: deterministic out, strict in. The hostile archives are written header by header. */
#include "common/archive/archive.h"
#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "common/process/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/xattr.h>
#include <zlib.h>

#include <cmocka.h>

/* Runs a line of shell; the test's own, never from outside. */
static int shell(const char *line) {
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    int status = -1;
    return process_run(&(struct process){.argv = argv}, &status, NULL) == 0 ? status : -1;
}

enum { LIMIT = 64 * 1024 * 1024 };

static int to_buffer(void *context, const void *data, size_t length, struct error *error) {
    buffer_append(context, data, length);
    return buffer_check(context, "test", error);
}

struct reading {
    const char *data;
    size_t left;
};

static ssize_t from_memory(void *context, void *data, size_t size, struct error *error) {
    struct reading *reading = context;
    size_t part = reading->left < size ? reading->left : size;
    (void)error;
    if (part > 777)
        part = 777;
    memcpy(data, reading->data, part);
    reading->data += part;
    reading->left -= part;
    return (ssize_t)part;
}

/* ---- a folder to unpack into ---- */

static char outer[] = "/tmp/pl-test-tar-XXXXXX";
static char *root;

static int set_up(void **state) {
    (void)state;
    memcpy(outer + strlen(outer) - 6, "XXXXXX", 6);
    if (!mkdtemp(outer))
        return -1;
    root = path_join(outer, "root");
    return mkdir(root, 0755);
}

static int tear_down(void **state) {
    (void)state;
    free(root);
    return tree_remove(outer, NULL);
}

static int unpack_with(const struct buffer *archive, const struct unpack *options, struct error *error) {
    struct reading reading = {archive->data, archive->length};
    AUTO_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY);
    return tar_unpack(from_memory, &reading, fd, options, error);
}

static int unpack(const struct buffer *archive, struct error *error) {
    uint64_t skipped = 0;
    return unpack_with(archive, &(struct unpack){.whiteouts = WHITEOUTS_OVERLAY, .skipped_devices = &skipped}, error);
}

/* ---- writing raw headers ---- */

static void raw_header(struct buffer *out, const char *name, char type, const char *link, const char *size,
                       const char *content, size_t length) {
    char block[512] = {0};
    snprintf(block, 100, "%s", name);
    memcpy(block + 100, "0000644\0000000000\0000000000", 24);
    memcpy(block + 124, size, strlen(size) < 12 ? strlen(size) + 1 : 12);
    memcpy(block + 136, "00000000000", 12);
    block[156] = type;
    snprintf(block + 157, 100, "%s", link);
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum & 0777777);
    block[155] = ' ';
    buffer_append(out, block, 512);
    buffer_append(out, content, length);
    static const char zeros[512];
    buffer_append(out, zeros, (512 - length % 512) % 512);
}

static void entry(struct buffer *out, const char *name, char type, const char *link, const char *content) {
    char size[32];
    snprintf(size, sizeof(size), "%011zo", strlen(content));
    raw_header(out, name, type, link, size, content, strlen(content));
}

static void end(struct buffer *out) {
    static const char zeros[1024];
    buffer_append(out, zeros, sizeof(zeros));
}

/* Nothing but root itself may be in the folder around it. */
static void assert_nothing_outside(void) {
    AUTO_LIST struct text_list names = {0};
    assert_int_equal(directory_list(outer, &names, NULL), 0);
    assert_int_equal(names.count, 1);
}

static void refused(struct buffer *archive, const char *part) {
    struct error error = {0};
    end(archive);
    assert_int_equal(unpack(archive, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    if (!strstr(error.text, part))
        fail_msg("\"%s\" lacks \"%s\"", error.text, part);
    assert_nothing_outside();
    buffer_release(archive);
}

/* ---- out ---- */

static void write_sample(struct buffer *out) {
    AUTO_TAR_WRITER struct tar_writer *writer = tar_writer_new(to_buffer, out);
    char long_name[300];
    memset(long_name, 'n', sizeof(long_name));
    long_name[150] = '/';
    long_name[299] = '\0';
    struct tar_entry folder = {.path = "app", .mode = S_IFDIR | 0755};
    struct tar_entry file = {.path = "app/main.py", .mode = S_IFREG | 0644, .size = 5, .uid = 3000000};
    struct tar_entry link = {.path = "app/link", .mode = S_IFLNK | 0777, .target = "main.py"};
    struct tar_entry deep = {.path = long_name, .mode = S_IFREG | 0600, .size = 0};
    assert_int_equal(tar_writer_entry(writer, &folder, NULL), 0);
    assert_int_equal(tar_writer_entry(writer, &file, NULL), 0);
    assert_int_equal(tar_writer_data(writer, "he", 2, NULL), 0);
    assert_int_equal(tar_writer_data(writer, "llo", 3, NULL), 0);
    assert_int_equal(tar_writer_entry(writer, &link, NULL), 0);
    assert_int_equal(tar_writer_entry(writer, &deep, NULL), 0);
    assert_int_equal(tar_writer_finish(writer, NULL), 0);
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT), content = BUFFER(100);
    struct error error = {0};
    write_sample(&archive);
    assert_int_equal(archive.length % 512, 0);
    assert_int_equal(unpack(&archive, &error), 0);
    AUTO_FREE char *path = path_join(root, "app/link");
    assert_int_equal(file_read(path, &content, NULL, NULL), 0);
    assert_string_equal(buffer_text(&content), "hello");
}

static void other_programs_read_it(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    write_sample(&archive);
    AUTO_FREE char *path = path_join(root, "sample.tar");
    AUTO_FREE char *command = text_format("tar -tf %s | sort | head -1 | grep -q '^app/$'", path);
    assert_int_equal(file_write_atomic(path, archive.data, archive.length, 0600, NULL), 0);
    assert_int_equal(shell(command), 0);
}

/* ---- hostile, by name ---- */

static void a_name_with_dots_does_not_leave_the_root(void **state) {
    (void)state;
    struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "../outside", '0', "", "x");
    refused(&archive, "leaves the archive's root");
    archive = BUFFER(LIMIT);
    entry(&archive, "a/../../outside", '0', "", "x");
    refused(&archive, "leaves the archive's root");
}

static void an_absolute_name_lands_below_the_root(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "/etc/file", '0', "", "x");
    end(&archive);
    assert_int_equal(unpack(&archive, NULL), 0);
    AUTO_FREE char *path = path_join(root, "etc/file");
    assert_true(file_exists(path));
}

static void a_link_to_outside_is_not_followed_by_a_later_entry(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "door", '2', "../", "");
    entry(&archive, "door/outside", '0', "", "x");
    end(&archive);
    struct error error;
    (void)!unpack(&archive, &error);
    assert_nothing_outside();
    entry(&archive, "door2", '2', "/tmp", "");
}

static void an_absolute_link_leads_into_the_root(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "inside/", '5', "", "");
    entry(&archive, "door", '2', "/inside", "");
    entry(&archive, "door/file", '0', "", "x");
    end(&archive);
    assert_int_equal(unpack(&archive, NULL), 0);
    AUTO_FREE char *path = path_join(root, "inside/file");
    assert_true(file_exists(path));
    assert_false(file_exists("/inside/file"));
}

static void a_hard_link_to_outside_is_refused(void **state) {
    (void)state;
    struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "link", '1', "../../etc/passwd", "");
    refused(&archive, "leaves");
    archive = BUFFER(LIMIT);
    entry(&archive, "link", '1', "missing", "");
    refused(&archive, "hard link");
}

static void a_file_over_a_link_replaces_the_link(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    AUTO_FREE char *victim = path_join(outer, "root/victim"), *link = path_join(root, "link");
    entry(&archive, "victim", '0', "", "precious");
    entry(&archive, "link", '2', "victim", "");
    entry(&archive, "link", '0', "", "new");
    end(&archive);
    assert_int_equal(unpack(&archive, NULL), 0);
    AUTO_BUFFER struct buffer content = BUFFER(100);
    assert_int_equal(file_read(victim, &content, NULL, NULL), 0);
    assert_string_equal(buffer_text(&content), "precious");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

static void a_wrong_checksum_is_refused(void **state) {
    (void)state;
    struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "file", '0', "", "x");
    archive.data[0] ^= 1;
    refused(&archive, "checksum");
}

static void an_unknown_type_is_refused(void **state) {
    (void)state;
    struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "file", 'Z', "", "");
    refused(&archive, "type");
}

static void a_size_that_is_no_number_is_refused(void **state) {
    (void)state;
    struct buffer archive = BUFFER(LIMIT);
    raw_header(&archive, "file", '0', "", "9999999999z", "", 0);
    refused(&archive, "");
    archive = BUFFER(LIMIT);
    raw_header(&archive, "file", '0', "", "-0000000001", "", 0);
    refused(&archive, "");
}

static void an_archive_that_ends_in_the_middle_is_refused(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    struct error error = {0};
    entry(&archive, "file", '0', "", "0123456789");
    archive.length -= 500;
    assert_int_equal(unpack(&archive, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
}

static void a_pax_header_that_lies_about_its_length_is_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {"99 path=a\n", "0 path=a\n", "x path=a\n", "9 path=a",
                                         "99999999999999999999 path=a\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct buffer archive = BUFFER(LIMIT);
        entry(&archive, "pax", 'x', "", bodies[i]);
        entry(&archive, "file", '0', "", "");
        refused(&archive, "");
    }
}

static void a_whiteout_hides_what_is_below_and_a_malformed_one_is_refused(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    entry(&archive, "dir/.wh.gone", '0', "", "");
    entry(&archive, "dir/.wh..wh..opq", '0', "", "");
    end(&archive);
    struct error error;
    assert_int_equal(unpack(&archive, &error), 0);
    AUTO_FREE char *path = path_join(root, "dir/gone"), *folder = path_join(root, "dir");
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    char value[2];
    assert_int_equal(lgetxattr(folder, "trusted.overlay.opaque", value, 2), 1);
    struct buffer bad = BUFFER(LIMIT);
    entry(&bad, "dir/.wh.", '0', "", "");
    refused(&bad, "whiteout");
    bad = BUFFER(LIMIT);
    entry(&bad, ".wh...", '0', "", "");
    refused(&bad, "whiteout");
}

static void more_bytes_than_the_limit_are_refused(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer archive = BUFFER(LIMIT);
    struct error error;
    entry(&archive, "file", '0', "", "0123456789");
    end(&archive);
    struct unpack options = {.size_limit = 9};
    assert_int_equal(unpack_with(&archive, &options, &error), -1);
    options = (struct unpack){.entry_limit = 1};
    archive.length = 0;
    entry(&archive, "one", '0', "", "");
    entry(&archive, "two", '0', "", "");
    end(&archive);
    assert_int_equal(unpack_with(&archive, &options, &error), -1);
}

/* ---- compression ---- */

static void squeeze(enum compression compression, const char *data, size_t length, size_t piece, struct buffer *out) {
    AUTO_COMPRESSOR struct compressor *compressor = compressor_new(compression, to_buffer, out);
    for (size_t at = 0; at < length; at += piece)
        assert_int_equal(compressor_write(compressor, data + at, length - at < piece ? length - at : piece, NULL), 0);
    assert_int_equal(compressor_finish(compressor, NULL), 0);
}

static int inflate_all(const struct buffer *packed, uint64_t limit, struct buffer *out, struct error *error) {
    struct reading reading = {packed->data, packed->length};
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(from_memory, &reading, limit);
    char block[5000];
    for (ssize_t got; (got = decompressor_read(plain, block, sizeof(block), error)) != 0;) {
        if (got < 0)
            return -1;
        buffer_append(out, block, (size_t)got);
    }
    return 0;
}

static void compression_gives_the_same_bytes_however_it_is_fed(void **state) {
    (void)state;
    size_t length = 3500000;
    AUTO_FREE char *data = memory_allocate(1, length);
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * i >> 7);
    for (int c = COMPRESSION_GZIP; c <= COMPRESSION_ZSTD; c++) {
        AUTO_BUFFER struct buffer one = BUFFER(LIMIT), two = BUFFER(LIMIT), back = BUFFER(LIMIT);
        squeeze((enum compression)c, data, length, length, &one);
        squeeze((enum compression)c, data, length, 1 << 20, &two);
        if (c == COMPRESSION_GZIP) {
            assert_int_equal(one.length, two.length);
            assert_memory_equal(one.data, two.data, one.length);
        }
        assert_int_equal(inflate_all(&one, length, &back, NULL), 0);
        assert_int_equal(back.length, length);
        assert_memory_equal(back.data, data, length);
    }
}

/* Packs a file of `size` bytes, checks it against the original, and gives the digest of the packed bytes. */
static struct digest packed_file(struct gzip_packer *packer, size_t size) {
    AUTO_FREE char *path = path_join(outer, "plain");
    AUTO_FREE char *data = memory_allocate(size + 1, 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)("function a(b){return b}\n"[i % 24] + (i % 9973 == 0));
    AUTO_BUFFER struct buffer packed = BUFFER(LIMIT), unpacked = BUFFER(LIMIT);
    struct digest content, expected = digest_of(data, size);
    struct error error = {0};
    assert_int_equal(file_write_atomic(path, data, size, 0600, &error), 0);
    AUTO_CLOSE int fd = open(path, O_RDONLY);
    assert_int_equal(gzip_pack_file(packer, fd, to_buffer, &packed, &content, &error), 0);
    assert_true(digest_equal(&content, &expected));
    /* One member and nothing behind it: zlib alone must read it to its end. */
    z_stream stream = {.next_in = (unsigned char *)packed.data, .avail_in = (unsigned)packed.length};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    AUTO_FREE char *out = memory_allocate(size + 1, 1);
    stream.next_out = (unsigned char *)out;
    stream.avail_out = (unsigned)size + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, size);
    assert_memory_equal(out, data, size);
    inflateEnd(&stream);
    /* No file name and no time in the header. */
    assert_memory_equal(packed.data + 3, "\0\0\0\0\0", 5);
    return digest_of(packed.data, packed.length);
}

static void a_file_becomes_one_gzip_member(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, 2 * 1024 * 1024, 2 * 1024 * 1024 + 1, 9 * 1024 * 1024 + 7};
    AUTO_GZIP_PACKER struct gzip_packer *packer = gzip_packer_new(), *other = gzip_packer_new();
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct digest once = packed_file(packer, sizes[i]), again = packed_file(packer, sizes[i]);
        struct digest elsewhere = packed_file(other, sizes[i]);
        assert_true(digest_equal(&once, &again));
        assert_true(digest_equal(&once, &elsewhere));
    }
}

static void an_empty_stream_is_compressed_too(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer packed = BUFFER(LIMIT), back = BUFFER(LIMIT);
    squeeze(COMPRESSION_GZIP, "", 0, 1, &packed);
    assert_true(packed.length > 10);
    assert_int_equal(inflate_all(&packed, 10, &back, NULL), 0);
    assert_int_equal(back.length, 0);
}

static void damaged_or_cut_gzip_is_refused(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer packed = BUFFER(LIMIT), back = BUFFER(LIMIT);
    struct error error;
    squeeze(COMPRESSION_GZIP, "hello hello hello", 17, 17, &packed);
    packed.data[packed.length - 6] ^= 1;
    assert_int_equal(inflate_all(&packed, 100, &back, &error), -1);
    packed.data[packed.length - 6] ^= 1;
    packed.length -= 4;
    assert_int_equal(inflate_all(&packed, 100, &back, &error), -1);
    packed.length += 4;
    buffer_append_text(&packed, "garbage");
    assert_int_equal(inflate_all(&packed, 100, &back, &error), -1);
}

static void a_bomb_is_refused_by_size(void **state) {
    (void)state;
    AUTO_FREE char *zeros = memory_allocate(1, 8 << 20);
    AUTO_BUFFER struct buffer packed = BUFFER(LIMIT), back = BUFFER(LIMIT);
    struct error error;
    squeeze(COMPRESSION_GZIP, zeros, 8 << 20, 8 << 20, &packed);
    assert_int_equal(inflate_all(&packed, 1 << 20, &back, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ROOT(what_is_written_is_read_back),
        WITH_ROOT(other_programs_read_it),
        WITH_ROOT(a_name_with_dots_does_not_leave_the_root),
        WITH_ROOT(an_absolute_name_lands_below_the_root),
        WITH_ROOT(a_link_to_outside_is_not_followed_by_a_later_entry),
        WITH_ROOT(an_absolute_link_leads_into_the_root),
        WITH_ROOT(a_hard_link_to_outside_is_refused),
        WITH_ROOT(a_file_over_a_link_replaces_the_link),
        WITH_ROOT(a_wrong_checksum_is_refused),
        WITH_ROOT(an_unknown_type_is_refused),
        WITH_ROOT(a_size_that_is_no_number_is_refused),
        WITH_ROOT(an_archive_that_ends_in_the_middle_is_refused),
        WITH_ROOT(a_pax_header_that_lies_about_its_length_is_refused),
        WITH_ROOT(a_whiteout_hides_what_is_below_and_a_malformed_one_is_refused),
        WITH_ROOT(more_bytes_than_the_limit_are_refused),
        cmocka_unit_test(compression_gives_the_same_bytes_however_it_is_fed),
        cmocka_unit_test(an_empty_stream_is_compressed_too),
        WITH_ROOT(a_file_becomes_one_gzip_member),
        cmocka_unit_test(damaged_or_cut_gzip_is_refused),
        cmocka_unit_test(a_bomb_is_refused_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
