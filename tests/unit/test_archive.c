/* common/archive: deterministic out. What is hostile on the way in: test_unpack_names.c, test_unpack_content.c. */
#include "common/archive/archive.h"
#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "common/process/process.h"
#include "tests/unit/memory_source.h"

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

enum { LIMIT = 64 * 1024 * 1024, PIECE = 777 };

static int to_buffer(void *context, const void *data, size_t length, struct error *error) {
    buffer_append(context, data, length);
    return buffer_check(context, "test", error);
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
    struct reading reading = {archive->data, archive->length, PIECE};
    AUTO_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY);
    return tar_unpack(from_memory, &reading, fd, options, error);
}

static int unpack(const struct buffer *archive, struct error *error) {
    uint64_t skipped = 0;
    return unpack_with(archive, &(struct unpack){.whiteouts = WHITEOUTS_OVERLAY, .skipped_devices = &skipped}, error);
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

/* ---- compression ---- */

static void squeeze(enum compression compression, const char *data, size_t length, size_t piece, struct buffer *out) {
    AUTO_COMPRESSOR struct compressor *compressor = compressor_new(compression, to_buffer, out);
    for (size_t at = 0; at < length; at += piece)
        assert_int_equal(compressor_write(compressor, data + at, length - at < piece ? length - at : piece, NULL), 0);
    assert_int_equal(compressor_finish(compressor, NULL), 0);
}

static int inflate_all(const struct buffer *packed, uint64_t limit, struct buffer *out, struct error *error) {
    struct reading reading = {packed->data, packed->length, PIECE};
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
        cmocka_unit_test(compression_gives_the_same_bytes_however_it_is_fed),
        cmocka_unit_test(an_empty_stream_is_compressed_too),
        WITH_ROOT(a_file_becomes_one_gzip_member),
        cmocka_unit_test(damaged_or_cut_gzip_is_refused),
        cmocka_unit_test(a_bomb_is_refused_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
