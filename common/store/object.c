/* Objects: bytes named by their digest. The protocol is in store.h. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/store/internal.h"

#include <fcntl.h>
#include <string.h>

enum { BLOCK = 128 * 1024 };

struct store_writer {
    struct store *store;
    int fd;
    struct hasher *hasher;
    uint64_t size, limit;
    bool has_expected;
    struct digest expected;
};

void store_object_name(const struct digest *digest, char *path) {
    struct digest_hex hex = digest_format_hex(digest);
    snprintf(path, OBJECT_PATH, "objects/%.2s/%s", hex.text, hex.text + 2);
}

char *store_object_path(struct store *store, const struct digest *digest) {
    char name[OBJECT_PATH];
    store_object_name(digest, name);
    return path_join(store->path, name);
}

bool store_has(struct store *store, const struct digest *digest) {
    char name[OBJECT_PATH];
    store_object_name(digest, name);
    return faccessat(store->root_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || store_held_object(store, digest);
}

void store_keep(struct store *store, const struct digest *digest) {
    char name[OBJECT_PATH];
    store_object_name(digest, name);
    file_keep(store->root_fd, name);
}

struct store_writer *store_put_begin(struct store *store, const struct digest *expected, uint64_t limit,
                                     struct error *error) {
    AUTO_CLOSE int fd = openat(store->root_fd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot write to the store %s", store->path);
        return NULL;
    }
    struct store_writer *writer = memory_allocate(1, sizeof(*writer));
    writer->store = store;
    writer->fd = take_fd(&fd);
    writer->hasher = hasher_new();
    writer->limit = limit;
    writer->has_expected = expected != NULL;
    if (expected)
        writer->expected = *expected;
    return writer;
}

void store_put_expect(struct store_writer *writer, const struct digest *expected) {
    writer->has_expected = true;
    writer->expected = *expected;
}

int store_put_write(struct store_writer *writer, const void *data, size_t length, struct error *error) {
    if (length > writer->limit - writer->size)
        return error_set(error, ERROR_DATA, "more than %llu bytes", (unsigned long long)writer->limit);
    if (fd_write_all(writer->fd, data, length, error) < 0)
        return error_wrap(error, "the store %s", writer->store->path);
    hasher_add(writer->hasher, data, length);
    writer->size += length;
    return 0;
}

int store_put_restart(struct store_writer *writer, struct error *error) {
    hasher_finish(writer->hasher);
    writer->size = 0;
    if (ftruncate(writer->fd, 0) < 0 || lseek(writer->fd, 0, SEEK_SET) < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    return 0;
}

void store_put_abort(struct store_writer **writer) {
    if (!*writer)
        return;
    if ((*writer)->fd >= 0)
        close((*writer)->fd);
    hasher_release(&(*writer)->hasher);
    free(*writer);
    *writer = NULL;
}

int store_sync_shard(struct store *store, const struct digest *digest, struct error *error) {
    char name[OBJECT_PATH];
    store_object_name(digest, name);
    name[strlen("objects/ab")] = '\0';
    AUTO_CLOSE int fd = openat(store->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(error, errno, "cannot make %s/%s durable", store->path, name);
    return 0;
}

/* An object that exists with another size is damaged: it makes room for the right bytes. */
static bool give_way(struct store *store, int fd, const char *name) {
    struct stat have, want;
    if (fstatat(store->root_fd, name, &have, AT_SYMLINK_NOFOLLOW) < 0 || fstat(fd, &want) < 0)
        return false;
    if (S_ISREG(have.st_mode) && have.st_size == want.st_size)
        return false;
    char aside[64] = "quarantine/", random[17];
    random_hex(random, sizeof(random));
    snprintf(aside, sizeof(aside), "quarantine/%s", random);
    return renameat(store->root_fd, name, store->root_fd, aside) == 0;
}

int store_link_object(struct store *store, int fd, const struct digest *digest, struct error *error) {
    char name[OBJECT_PATH], source[40];
    store_object_name(digest, name);
    snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
    for (int tries = 0; tries < 2; tries++) {
        if (linkat(AT_FDCWD, source, store->root_fd, name, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        if (errno != EEXIST)
            return error_set_errno(error, errno, "cannot write to the store %s", store->path);
        if (!give_way(store, fd, name)) {
            file_keep(store->root_fd, name);
            return 0;
        }
    }
    return 0;
}

static int make_durable(struct store_writer *writer, const struct digest *digest, struct error *error) {
    if (fsync(writer->fd) < 0)
        return error_set_errno(error, errno, "cannot write to the store %s", writer->store->path);
    if (store_link_object(writer->store, writer->fd, digest, error) < 0)
        return -1;
    return store_sync_shard(writer->store, digest, error);
}

int store_put_commit(struct store_writer **writer, struct digest *digest, uint64_t *size, struct error *error) {
    struct store_writer *open = *writer;
    struct digest got = hasher_finish(open->hasher);
    int result = 0;
    if (open->has_expected && !digest_equal(&got, &open->expected))
        result = error_set(error, ERROR_PROTOCOL, "the bytes have the digest %s, not %s", digest_format(&got).text,
                           digest_format(&open->expected).text);
    else if (store_in_batch(open->store))
        result = store_hold_object(open->store, &got, &open->fd, error);
    else
        result = make_durable(open, &got, error);
    if (digest)
        *digest = got;
    if (size)
        *size = open->size;
    store_put_abort(writer);
    return result;
}

/* An object that was cut off by a failing disk is written again. */
static bool has_size(struct store *store, const struct digest *digest, size_t size) {
    char name[OBJECT_PATH];
    struct stat status;
    store_object_name(digest, name);
    return fstatat(store->root_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)status.st_size == size;
}

int store_put(struct store *store, const void *data, size_t length, struct digest *digest, struct error *error) {
    struct digest known = digest_of(data, length);
    if (digest)
        *digest = known;
    /* The other writer may not have made it durable yet. */
    if (!store_in_batch(store) && has_size(store, &known, length)) {
        store_keep(store, &known);
        return store_sync_shard(store, &known, error);
    }
    AUTO_WRITER struct store_writer *writer = store_put_begin(store, &known, length, error);
    if (!writer || store_put_write(writer, data, length, error) < 0)
        return -1;
    return store_put_commit(&writer, NULL, NULL, error);
}

int store_open_object(struct store *store, const struct digest *digest, uint64_t *size, struct error *error) {
    const struct held_object *held = store_held_object(store, digest);
    char name[OBJECT_PATH];
    if (held)
        snprintf(name, sizeof(name), "/proc/self/fd/%d", held->fd);
    else
        store_object_name(digest, name);
    int fd = openat(store->root_fd, name, O_RDONLY | O_CLOEXEC | (held ? 0 : O_NOFOLLOW));
    struct stat status;
    if (fd < 0 || (size && fstat(fd, &status) < 0)) {
        error_set(error, ERROR_DATA, "%s is not in the store %s", digest_format(digest).text, store->path);
        error_next(error, "build it again on this machine");
        return -1;
    }
    if (size)
        *size = (uint64_t)status.st_size;
    return fd;
}

/* What is not what its name says is set aside, so that the next build makes it anew. */
static int quarantine(struct store *store, const struct digest *digest, struct error *error) {
    char name[OBJECT_PATH], aside[96];
    store_object_name(digest, name);
    snprintf(aside, sizeof(aside), "quarantine/%s", digest_format_hex(digest).text);
    renameat(store->root_fd, name, store->root_fd, aside);
    return error_set(error, ERROR_DATA, "the object %s was damaged and has been set aside in %s/quarantine",
                     digest_format(digest).text, store->path);
}

int store_read(struct store *store, const struct digest *digest, struct buffer *out, struct error *error) {
    AUTO_CLOSE int fd = store_open_object(store, digest, NULL, error);
    if (fd < 0)
        return -1;
    size_t begin = out->length;
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", digest_format(digest).text);
        buffer_append(out, block, (size_t)got);
    }
    if (buffer_check(out, digest_format(digest).text, error) < 0)
        return -1;
    struct digest got = digest_of(buffer_text(out) + begin, out->length - begin);
    if (digest_equal(&got, digest))
        return 0;
    out->length = begin;
    if (out->data)
        out->data[begin] = '\0';
    return quarantine(store, digest, error);
}
