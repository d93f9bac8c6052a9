/* Bases that are files: OCI layouts, docker archives, root file systems, and root file systems made of packages. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/base_internal.h"
#include "engine/layer.h"
#include "engine/sandbox/sandbox.h"
#include "engine/stat_cache.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

enum { INDEX_LIMIT = 4 * 1024 * 1024, BLOCK = 128 * 1024 };
#define BLOB_LIMIT (40ULL << 30)

static ssize_t fd_source(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    return got < 0 ? error_set_errno(error, errno, "cannot read the base") : got;
}

/* A pipe or a device is not waited for. */
static int open_regular(const char *path, struct stat *status, struct error *error) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, status) < 0)
        return error_set_errno(error, errno, "cannot read %s", path);
    if (!S_ISREG(status->st_mode))
        return error_set(error, ERROR_DATA, "%s is not a file", path);
    return take_fd(&fd);
}

/* Copies a file into the store, checked against its digest when there is one. */
static int take_file(struct engine *engine, const char *path, const struct digest *expected, struct digest *digest,
                     struct error *error) {
    if (expected && store_has(engine->store, expected)) {
        *digest = *expected;
        return 0;
    }
    struct stat status;
    AUTO_CLOSE int fd = open_regular(path, &status, error);
    if (fd < 0)
        return -1;
    AUTO_WRITER struct store_writer *writer = store_put_begin(engine->store, expected, BLOB_LIMIT, error);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    if (!writer)
        return -1;
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;)
        if (got < 0 || store_put_write(writer, block, (size_t)got, error) < 0)
            return got < 0 ? error_set_errno(error, errno, "cannot read %s", path) : -1;
    if (store_put_commit(&writer, digest, NULL, error) < 0)
        return error_wrap(error, "%s", path);
    return 0;
}

/* ---- oci:DIR[:TAG] ---- */

static int take_blob(struct engine *engine, const char *layout, const struct json *descriptor, struct digest *digest,
                     struct error *error) {
    struct digest expected;
    if (digest_parse(json_get_text(descriptor, "digest", ""), &expected, error) < 0)
        return error_wrap(error, "%s", layout);
    AUTO_FREE char *path = text_format("%s/blobs/sha256/%s", layout, digest_format_hex(&expected).text);
    return take_file(engine, path, &expected, digest, error);
}

static bool fits(const struct json *descriptor, const char *tag, const char *platform) {
    const char *name = json_get_text(json_get(descriptor, "annotations"), "org.opencontainers.image.ref.name", NULL);
    const char *architecture = json_get_text(json_get(descriptor, "platform"), "architecture", NULL);
    if (tag && !text_equal(name, tag))
        return false;
    return !architecture || text_equal(architecture, platform + strlen("linux/"));
}

/* Descends from an index to the one manifest that fits. */
static int find_manifest(struct engine *engine, const char *layout, const struct json *index, const char *tag,
                         const char *platform, unsigned depth, struct buffer *manifest, struct error *error) {
    const struct json *list = json_get(index, "manifests");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *descriptor = json_at(list, i);
        struct digest digest;
        if (!fits(descriptor, tag, platform))
            continue;
        buffer_clear(manifest);
        if (take_blob(engine, layout, descriptor, &digest, error) < 0 ||
            store_read(engine->store, &digest, manifest, error) < 0)
            return -1;
        AUTO_JSON struct json *json = json_parse(buffer_text(manifest), manifest->length, "the manifest", error);
        if (!json)
            return -1;
        if (json_get(json, "layers"))
            return 0;
        return depth ? error_set(error, ERROR_DATA, "%s: an index inside an index", layout)
                     : find_manifest(engine, layout, json, NULL, platform, 1, manifest, error);
    }
    return error_set(error, ERROR_DATA, "%s has no image%s%s for %s", layout, tag ? " with the tag " : "",
                     tag ? tag : "", platform);
}

static int take_layout_blobs(struct engine *engine, const char *layout, const struct buffer *manifest,
                             struct error *error) {
    AUTO_JSON struct json *json = json_parse(buffer_text(manifest), manifest->length, "the manifest", error);
    struct digest digest;
    if (!json || take_blob(engine, layout, json_get(json, "config"), &digest, error) < 0)
        return -1;
    const struct json *layers = json_get(json, "layers");
    for (size_t i = 0; i < json_count(layers); i++)
        if (take_blob(engine, layout, json_at(layers, i), &digest, error) < 0)
            return -1;
    return 0;
}

/* "DIR:TAG", where TAG may be "name:1.2": the first colon behind a directory. Cuts `layout` there. */
static const char *split_tag(char *layout) {
    char *last = strrchr(layout, ':');
    for (char *colon = strchr(layout, ':'); colon && !directory_exists(layout); colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (directory_exists(layout))
            return colon + 1;
        *colon = ':';
    }
    if (!last || strchr(last, '/') || directory_exists(layout))
        return NULL;
    *last = '\0';
    return last + 1;
}

int base_from_layout(struct engine *engine, const char *place, const char *platform, struct container *container,
                     struct error *error) {
    AUTO_FREE char *layout = text_copy(place);
    const char *tag = split_tag(layout);
    AUTO_FREE char *path = path_join(layout, "index.json");
    AUTO_JSON struct json *index = json_parse_file(path, INDEX_LIMIT, error);
    AUTO_BUFFER struct buffer manifest = BUFFER(INDEX_LIMIT);
    if (!index || find_manifest(engine, layout, index, tag, platform, 0, &manifest, error) < 0 ||
        take_layout_blobs(engine, layout, &manifest, error) < 0)
        return -1;
    return base_from_manifest(engine, &manifest, NULL, container, error);
}

/* ---- rootfs:FILE ---- */

int base_from_layer_file(struct engine *engine, const char *path, struct digest *diff_id, struct error *error) {
    struct stat status;
    AUTO_CLOSE int fd = open_regular(path, &status, error);
    if (fd < 0)
        return -1;
    /* A base is nobody's build: its times do not depend on whose epoch was set when it was first needed. */
    struct engine timeless = *engine;
    timeless.epoch = 0;
    if (layer_from_tar(&timeless, fd_source, &fd, diff_id, error) < 0)
        return error_wrap(error, "%s", path);
    return 0;
}

static int recall_rootfs(struct engine *engine, const struct digest *file, struct digest *diff_id,
                         struct error *error) {
    AUTO_JSON struct json *note = NULL;
    if (store_name_read(engine->store, "rootfs", digest_format_hex(file).text, &note, error) < 0)
        return -1;
    return note && digest_parse(json_get_text(note, "layer", ""), diff_id, NULL) == 0 &&
           layer_is_available(engine, diff_id);
}

static int unpack_rootfs(struct engine *engine, const char *path, const struct digest *file, struct digest *diff_id,
                         struct error *error) {
    AUTO_JSON struct json *note = json_new_object();
    if (base_from_layer_file(engine, path, diff_id, error) < 0)
        return -1;
    json_set_text(note, "layer", digest_format(diff_id).text);
    if (store_name_write(engine->store, "rootfs", digest_format_hex(file).text, note, error) < 0)
        return -1;
    return store_batch_flush(engine->store, error);
}

/* An archive that lies there unchanged is not hashed again. */
static int digest_of_archive(struct engine *engine, const char *path, struct digest *digest, struct error *error) {
    AUTO_STAT_CACHE struct stat_cache *cache = stat_cache_load(engine->store, path);
    struct stat_cache_content content = {0};
    struct stat status;
    struct timespec now;
    AUTO_CLOSE int fd = open_regular(path, &status, error);
    clock_gettime(CLOCK_REALTIME, &now);
    if (fd < 0)
        return -1;
    if (!stat_cache_find(cache, "", &status, &content)) {
        if (digest_of_fd(fd, &content.digest, NULL, error) < 0)
            return error_wrap(error, "%s", path);
        stat_cache_add(cache, "", &status, &content, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
        stat_cache_keep(&cache);
    }
    *digest = content.digest;
    return 0;
}

/* The DiffID of a file is remembered under the file's digest. */
int base_from_rootfs(struct engine *engine, const char *path, const char *platform, struct container *container,
                     struct error *error) {
    struct digest file, diff_id;
    AUTO_CLOSE int lock = -1;
    if (digest_of_archive(engine, path, &file, error) < 0)
        return -1;
    AUTO_FREE char *name = text_format("rootfs %s", digest_format_hex(&file).text);
    int known = recall_rootfs(engine, &file, &diff_id, error);
    if (known == 0 && store_lock(engine->store, name, path, engine->progress, &lock, error) < 0)
        return -1;
    if (known == 0)
        known = recall_rootfs(engine, &file, &diff_id, error);
    if (known < 0 || (known == 0 && unpack_rootfs(engine, path, &file, &diff_id, error) < 0))
        return -1;
    return base_from_layer(engine, &diff_id, platform, "pl: root file system from a tar archive", container, error);
}

/* ---- docker-archive:FILE ---- */

static int digest_plain(const char *path, struct digest *digest, struct error *error) {
    struct stat status;
    AUTO_CLOSE int fd = open_regular(path, &status, error);
    AUTO_HASHER struct hasher *hasher = hasher_new();
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    if (fd < 0)
        return -1;
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(fd_source, &fd, BLOB_LIMIT);
    for (ssize_t got; (got = decompressor_read(plain, block, BLOCK, error)) != 0;) {
        if (got < 0)
            return -1;
        hasher_add(hasher, block, (size_t)got);
    }
    *digest = hasher_finish(hasher);
    return 0;
}

/* A layer of somebody else's is kept as the blob that it is. */
static int take_archive_layer(struct engine *engine, const char *path, const struct digest *diff_id,
                              struct error *error) {
    struct layer_descriptor descriptor = {.media_type = "application/vnd.oci.image.layer.v1.tar", .is_local = true};
    struct digest found;
    uint64_t size = 0;
    if (digest_plain(path, &found, error) < 0)
        return -1;
    if (!digest_equal(diff_id, &found))
        return error_set(error, ERROR_DATA, "the docker archive's layer %s is not what its config says",
                         path_base(path));
    if (take_file(engine, path, NULL, &descriptor.digest, error) < 0)
        return -1;
    AUTO_CLOSE int fd = store_open_object(engine->store, &descriptor.digest, &size, error);
    if (fd < 0)
        return -1;
    descriptor.size = size;
    if (!digest_equal(&descriptor.digest, diff_id))
        snprintf(descriptor.media_type, sizeof(descriptor.media_type), "application/vnd.oci.image.layer.v1.tar+gzip");
    return layer_from_blob(engine, diff_id, &descriptor, error);
}

static int take_archive_layers(struct engine *engine, const char *folder, const struct json *layers,
                               const struct container *container, struct error *error) {
    if (json_count(layers) != container_layer_count(container))
        return error_set(error, ERROR_DATA, "the docker archive's layers do not fit its config");
    for (size_t i = 0; i < json_count(layers); i++) {
        const char *name = json_text(json_at(layers, i));
        struct digest diff_id;
        if (!name || !path_is_below(name) || container_layer(container, i, &diff_id, error) < 0)
            return error_set(error, ERROR_DATA, "the docker archive's manifest.json is malformed");
        AUTO_FREE char *path = path_join(folder, name), *real = path_resolve(path, error);
        if (!real)
            return -1;
        if (!text_starts_with(real, folder))
            return error_set(error, ERROR_DATA, "the docker archive's layer %s lies outside of it", name);
        if (take_archive_layer(engine, real, &diff_id, error) < 0)
            return -1;
    }
    return 0;
}

static int load_archive(struct engine *engine, const char *folder, struct container *container, struct error *error) {
    AUTO_FREE char *path = path_join(folder, "manifest.json");
    if (!file_exists(path)) {
        error_set(error, ERROR_DATA, "it has no manifest.json, so it is no docker archive");
        return error_next(error, "a root file system in a tar archive is named with rootfs:");
    }
    AUTO_JSON struct json *manifest = json_parse_file(path, INDEX_LIMIT, error);
    if (!manifest)
        return -1;
    const struct json *image = json_at(manifest, 0);
    const char *config = json_get_text(image, "Config", NULL);
    struct digest digest;
    if (json_count(manifest) != 1 || !config || !path_is_below(config))
        return error_set(error, ERROR_DATA, "the docker archive must hold exactly one image");
    AUTO_FREE char *config_path = path_join(folder, config);
    if (take_file(engine, config_path, NULL, &digest, error) < 0 ||
        container_load(engine, &digest, container, error) < 0)
        return -1;
    return take_archive_layers(engine, folder, json_get(image, "Layers"), container, error);
}

int base_from_docker_archive(struct engine *engine, const char *path, struct container *container,
                             struct error *error) {
    AUTO_FREE char *folder = NULL;
    struct stat status;
    AUTO_CLOSE int fd = open_regular(path, &status, error);
    uint64_t skipped = 0;
    if (fd < 0)
        return -1;
    if (store_scratch(engine->store, &folder, error) < 0)
        return -1;
    AUTO_CLOSE int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(fd_source, &fd, BLOB_LIMIT);
    struct unpack options = {.whiteouts = WHITEOUTS_NONE, .size_limit = BLOB_LIMIT, .skipped_devices = &skipped};
    int result = root < 0 ? error_set_errno(error, errno, "cannot write to the store")
                          : tar_unpack(decompressor_read, plain, root, &options, error);
    if (result == 0)
        result = load_archive(engine, folder, container, error);
    store_scratch_remove(engine->store, folder);
    return result < 0 ? error_wrap(error, "%s", path) : 0;
}
