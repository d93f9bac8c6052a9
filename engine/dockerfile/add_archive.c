/* Archives that ADD takes apart. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/dockerfile/builder.h"
#include "engine/sandbox/sandbox.h"

#include <fcntl.h>
#include <string.h>

enum { TAR_BLOCK = 512, TIME_LIMIT = 1800 };
#define UNPACKED_LIMIT (20ULL << 30)

static ssize_t read_object(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    return got < 0 ? error_set_errno(error, errno, "cannot read from the store") : got;
}

/* ---- xz and bzip2: by their own programs ---- */

static const char *program_of(const unsigned char *start) {
    if (memcmp(start,
               "\xfd"
               "7zXZ\0",
               6) == 0)
        return "xz";
    return memcmp(start, "BZh", 3) == 0 ? "bzip2" : NULL;
}

struct spooling {
    int fd;
    uint64_t size;
    struct error error;
};

static void spool(void *context, int stream, const char *data, size_t length) {
    struct spooling *spooling = context;
    if (stream != 1 || spooling->error.kind != ERROR_NONE)
        return;
    spooling->size += length;
    if (spooling->size > UNPACKED_LIMIT)
        error_set(&spooling->error, ERROR_DATA, "it unpacks to more than %llu bytes", UNPACKED_LIMIT);
    else
        (void)!fd_write_all(spooling->fd, data, length, &spooling->error);
}

/* Replaces *fd by an unnamed file with the plain bytes. */
static int decompress(struct engine *engine, const char *name, int *fd, struct error *error) {
    AUTO_FREE char *folder = path_join(store_path(engine->store), "tmp"), *program = process_find(name);
    if (!program) {
        error_set(error, ERROR_CONFIGURATION, "it is compressed with %s, and that program is missing", name);
        return error_next(error, "run: sudo apt-get install %s", text_equal(name, "xz") ? "xz-utils" : name);
    }
    AUTO_CLOSE int plain = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (plain < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    const char *argv[] = {program, "-dc", NULL};
    struct spooling spooling = {.fd = plain};
    struct process process = {
        .argv = argv, .stdin_fd = *fd, .output = spool, .context = &spooling, .timeout = TIME_LIMIT};
    int status;
    if (process_run(&process, &status, error) < 0)
        return -1;
    if (spooling.error.kind != ERROR_NONE) {
        *error = spooling.error;
        return -1;
    }
    if (status != 0)
        return error_set(error, ERROR_DATA, "%s cannot decompress it", name);
    if (lseek(plain, 0, SEEK_SET) < 0)
        return error_set_errno(error, errno, "cannot read from the store");
    close(*fd);
    *fd = take_fd(&plain);
    return 0;
}

/* The bytes of a file, decompressed where it is xz or bzip2; -1 with *error. */
static int open_plain(struct engine *engine, const struct tree_entry *file, struct error *error) {
    unsigned char start[8] = {0};
    uint64_t size;
    AUTO_CLOSE int fd = store_open_object(engine->store, &file->digest, &size, error);
    if (fd < 0)
        return -1;
    if (pread(fd, start, sizeof(start), 0) < 0)
        return error_set_errno(error, errno, "cannot read from the store");
    const char *program = program_of(start);
    if (program && decompress(engine, program, &fd, error) < 0)
        return error_wrap(error, "%s", file->path);
    return take_fd(&fd);
}

/* ---- tar ---- */

/* A tar header has the sum of its own bytes, with spaces in place of the sum. */
static bool is_tar_header(const unsigned char *block) {
    unsigned sum = 0;
    char digits[9] = "";
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    memcpy(digits, block + 148, 8);
    const char *at = digits + strspn(digits, " ");
    return *at && strtoul(at, NULL, 8) == sum && block[0] != '\0';
}

int archive_detect(struct engine *engine, const struct tree_entry *file, bool *is_archive, struct error *error) {
    unsigned char block[TAR_BLOCK];
    size_t length = 0;
    struct error failure = {0};
    *is_archive = false;
    /* What cannot be decompressed is no archive. */
    AUTO_CLOSE int fd = open_plain(engine, file, &failure);
    if (fd < 0 && failure.kind == ERROR_DATA)
        return 0;
    if (fd < 0) {
        if (error)
            *error = failure;
        return -1;
    }
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(read_object, &fd, UNPACKED_LIMIT);
    while (length < sizeof(block)) {
        ssize_t got = decompressor_read(plain, block + length, sizeof(block) - length, NULL);
        if (got <= 0)
            return 0;
        length += (size_t)got;
    }
    *is_archive = is_tar_header(block);
    return 0;
}

static int unpack(struct engine *engine, const struct tree_entry *file, const char *folder, struct tree *tree,
                  struct error *error) {
    uint64_t skipped = 0;
    AUTO_CLOSE int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = open_plain(engine, file, error);
    if (fd < 0 || root < 0)
        return fd < 0 ? -1 : error_set_errno(error, errno, "cannot write to the store");
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(read_object, &fd, UNPACKED_LIMIT);
    struct unpack options = {
        .whiteouts = WHITEOUTS_NONE, .keep_owners = sandbox_keeps_owners(), .skipped_devices = &skipped};
    if (tar_unpack(decompressor_read, plain, root, &options, error) < 0)
        return error_wrap(error, "%s", file->path);
    struct tree_scan scan = {.directory = folder, .is_temporary = true, .keeps_owners = options.keep_owners};
    return tree_scan(engine, &scan, tree, error);
}

int archive_content(struct engine *engine, const struct tree_entry *file, struct tree *tree, struct error *error) {
    AUTO_FREE char *folder = NULL;
    /* Only there can owners be set. */
    if (sandbox_enter(error) < 0 || store_scratch(engine->store, &folder, error) < 0)
        return -1;
    int result = unpack(engine, file, folder, tree, error);
    store_scratch_remove(engine->store, folder);
    return result;
}
