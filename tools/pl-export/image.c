/* The container as an image: an OCI layout, an archive for docker and podman, into one of these. */
#include "chain/image.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "common/process/process.h"
#include "tools/pl-export/export.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { INDEX_LIMIT = 4 * 1024 * 1024, BLOCK = 64 * 1024, LOAD_SECONDS = 3600, NAME_LIMIT = 255 };

#define REFERENCE_NAME "org.opencontainers.image.ref.name"

static int open_image(struct exporting *exporting, struct chain_image *image, struct error *error) {
    struct engine *engine = &exporting->session.engine;
    const struct artifact *artifact = &exporting->artifact;
    if (chain_image_make(engine, &artifact->container.digest, json_get(artifact->record, "annotations"), image, error) <
        0)
        return -1;
    struct chain_image_fetch fetch = {.engine = engine, .image = image};
    for (size_t i = 0; i < image->blob_count; i++)
        if (image->blob_layers[i] < image->layer_count && chain_image_fetch_blob(&fetch, i, error) < 0)
            return -1;
    return 0;
}

/* --tag, or the record's name; NULL when neither says one. */
static int find_tag(const struct exporting *exporting, const char **tag, struct error *error) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
    const char *given = exporting->arguments->tag;
    *tag = given ? given : json_get_text(exporting->artifact.record, "name", NULL);
    bool is_fine = *tag && **tag && strlen(*tag) <= NAME_LIMIT && strchr("-.:/@", **tag) == NULL &&
                   (*tag)[strspn(*tag, letters)] == '\0';
    if (given && !is_fine)
        return error_set(error, ERROR_USAGE, "\"%.100s\" cannot be the name of an image", given);
    if (!is_fine)
        *tag = NULL;
    return 0;
}

/* ---- --oci ---- */

static int copy_blob(struct store *store, const struct digest *digest, const char *layout, struct error *error) {
    AUTO_FREE char *path = text_format("%s/blobs/sha256/%s", layout, digest_format_hex(digest).text);
    AUTO_FREE char *temporary = text_format("%s.%ld", path, (long)getpid());
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    AUTO_HASHER struct hasher *hasher = hasher_new();
    if (file_exists(path))
        return 0;
    AUTO_CLOSE int from = store_open_object(store, digest, NULL, error);
    if (from < 0)
        return -1;
    AUTO_CLOSE int to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (to < 0)
        return error_set_errno(error, errno, "cannot write %s", temporary);
    int result = 0;
    ssize_t got;
    while (result == 0 && (got = read(from, block, BLOCK)) != 0) {
        result = got < 0 ? error_set_errno(error, errno, "cannot read from the store")
                         : fd_write_all(to, block, (size_t)got, error);
        if (result == 0)
            hasher_add(hasher, block, (size_t)got);
    }
    struct digest found = hasher_finish(hasher);
    if (result == 0 && !digest_equal(&found, digest))
        result = error_set(error, ERROR_DATA, "%s in the store is not what its name says: run pl-cache verify",
                           digest_format(digest).text);
    if (result == 0 && rename(temporary, path) < 0)
        result = error_set_errno(error, errno, "cannot write %s", path);
    if (result < 0)
        unlink(temporary);
    return result;
}

static int write_text(const char *folder, const char *name, const char *text, size_t length, struct error *error) {
    AUTO_FREE char *path = path_join(folder, name);
    return file_write_atomic(path, text, length, 0644, error);
}

static struct json *describe(const struct chain_image *image, const struct digest *manifest, const char *tag) {
    struct json *descriptor = json_new_object(), *platform = json_new_object();
    json_set_text(descriptor, "mediaType", MEDIA_TYPE_OCI_MANIFEST);
    json_set_text(descriptor, "digest", digest_format(manifest).text);
    json_set_integer(descriptor, "size", (int64_t)image->manifest.length);
    json_set_text(platform, "architecture", container_architecture(&image->container));
    json_set_text(platform, "os", json_get_text(image->container.config, "os", "linux"));
    json_set(descriptor, "platform", platform);
    if (tag)
        json_set_text(json_need_object(descriptor, "annotations"), REFERENCE_NAME, tag);
    return descriptor;
}

/* Of the same tag, or the same image without one: it is replaced. */
static bool is_replaced(const struct json *old, const struct json *fresh, const char *tag) {
    const char *name = json_get_text(json_get(old, "annotations"), REFERENCE_NAME, NULL);
    if (tag && name)
        return text_equal(tag, name);
    return !tag && !name && text_equal(json_get_text(old, "digest", ""), json_get_text(fresh, "digest", ""));
}

static int write_index(const char *layout, struct json *descriptor, const char *tag, struct error *error) {
    AUTO_JSON struct json *owned = descriptor, *index = NULL, *fresh = json_new_object();
    AUTO_FREE char *path = path_join(layout, "index.json");
    if (file_exists(path) && !(index = json_parse_file(path, INDEX_LIMIT, error)))
        return -1;
    json_set_integer(fresh, "schemaVersion", 2);
    json_set_text(fresh, "mediaType", "application/vnd.oci.image.index.v1+json");
    struct json *list = json_need_array(fresh, "manifests");
    const struct json *old = json_get(index, "manifests");
    for (size_t i = 0; i < json_count(old); i++)
        if (!is_replaced(json_at(old, i), owned, tag))
            json_append(list, json_share(json_at(old, i)));
    json_append(list, json_share(owned));
    AUTO_FREE char *text = json_format(fresh, JSON_COMPACT_STYLE);
    return write_text(layout, "index.json", text, strlen(text), error);
}

static int check_layout(const char *layout, struct error *error) {
    AUTO_FREE char *mark = path_join(layout, "oci-layout");
    AUTO_LIST struct text_list names = {0};
    if (!directory_exists(layout) || file_exists(mark))
        return 0;
    if (directory_list(layout, &names, error) < 0)
        return -1;
    if (names.count == 0)
        return 0;
    error_set(error, ERROR_DATA, "%s holds something else than an OCI layout", layout);
    return error_next(error, "export to a directory of its own");
}

int export_layout(struct exporting *exporting, struct error *error) {
    static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    const char *layout = exporting->arguments->layout, *tag;
    struct store *store = exporting->session.engine.store;
    AUTO_CHAIN_IMAGE struct chain_image image = {0};
    AUTO_FREE char *blobs = path_join(layout, "blobs/sha256");
    if (find_tag(exporting, &tag, error) < 0 || check_layout(layout, error) < 0 ||
        open_image(exporting, &image, error) < 0 || directory_make(blobs, 0755, error) < 0)
        return -1;
    struct digest manifest = digest_of(image.manifest.data, image.manifest.length);
    for (size_t i = 0; i < image.blob_count; i++)
        if (copy_blob(store, &image.blobs[i].digest, layout, error) < 0)
            return -1;
    if (write_text(blobs, digest_format_hex(&manifest).text, image.manifest.data, image.manifest.length, error) < 0 ||
        write_text(layout, "oci-layout", mark, strlen(mark), error) < 0)
        return -1;
    return write_index(layout, describe(&image, &manifest, tag), tag, error);
}

/* ---- --docker-archive ---- */

static int count_sink(void *context, const void *data, size_t length, struct error *error) {
    (void)data;
    (void)error;
    *(uint64_t *)context += length;
    return 0;
}

static int tar_sink(void *context, const void *data, size_t length, struct error *error) {
    return tar_writer_data(context, data, length, error);
}

static int fd_sink(void *context, const void *data, size_t length, struct error *error) {
    return fd_write_all(*(const int *)context, data, length, error);
}

static int add_bytes(struct tar_writer *tar, const char *name, const void *data, size_t length, struct error *error) {
    struct tar_entry entry = {.path = name, .mode = S_IFREG | 0644, .size = length};
    return tar_writer_entry(tar, &entry, error) < 0 ? -1 : tar_writer_data(tar, data, length, error);
}

static char *layer_name(const struct digest *diff_id) {
    return text_format("%s.tar", digest_format_hex(diff_id).text);
}

/* The size stands before the content: it is packed twice. */
static int add_layer(struct engine *engine, struct tar_writer *tar, const struct digest *diff_id, struct error *error) {
    AUTO_FREE char *name = layer_name(diff_id);
    struct tar_entry entry = {.path = name, .mode = S_IFREG | 0644};
    if (layer_write_tar(engine, diff_id, count_sink, &entry.size, error) < 0 ||
        tar_writer_entry(tar, &entry, error) < 0)
        return -1;
    return layer_write_tar(engine, diff_id, tar_sink, tar, error);
}

static char *archive_manifest(const struct container *container, const char *config, const char *tag) {
    AUTO_JSON struct json *all = json_new_array();
    struct json *image = json_new_object(), *layers = json_new_array(), *tags = json_new_array();
    for (size_t i = 0; i < container_layer_count(container); i++) {
        struct digest diff_id;
        if (container_layer(container, i, &diff_id, NULL) < 0)
            continue;
        AUTO_FREE char *name = layer_name(&diff_id);
        json_append_text(layers, name);
    }
    AUTO_FREE char *full = tag ? text_format("%s%s", tag, strchr(path_base(tag), ':') ? "" : ":latest") : NULL;
    if (full)
        json_append_text(tags, full);
    json_set_text(image, "Config", config);
    json_set(image, "RepoTags", tags);
    json_set(image, "Layers", layers);
    json_append(all, image);
    return json_format(all, JSON_COMPACT_STYLE);
}

static int add_layers(struct engine *engine, const struct container *container, struct tar_writer *tar,
                      struct error *error) {
    AUTO_LIST struct text_list written = {0};
    for (size_t i = 0; i < container_layer_count(container); i++) {
        struct digest diff_id;
        if (container_layer(container, i, &diff_id, error) < 0)
            return -1;
        if (text_list_contains(&written, digest_format_hex(&diff_id).text))
            continue;
        text_list_add(&written, digest_format_hex(&diff_id).text);
        if (add_layer(engine, tar, &diff_id, error) < 0)
            return -1;
    }
    return 0;
}

static int write_archive(struct exporting *exporting, int fd, struct error *error) {
    struct engine *engine = &exporting->session.engine;
    const struct container *container = &exporting->artifact.container;
    const char *tag;
    AUTO_BUFFER struct buffer config = BUFFER(INDEX_LIMIT);
    AUTO_TAR_WRITER struct tar_writer *tar = tar_writer_new(fd_sink, &fd);
    AUTO_FREE char *name = text_format("%s.json", digest_format_hex(&container->digest).text);
    if (find_tag(exporting, &tag, error) < 0 || store_read(engine->store, &container->digest, &config, error) < 0)
        return -1;
    AUTO_FREE char *manifest = archive_manifest(container, name, tag);
    if (add_bytes(tar, "manifest.json", manifest, strlen(manifest), error) < 0 ||
        add_bytes(tar, name, buffer_text(&config), config.length, error) < 0 ||
        add_layers(engine, container, tar, error) < 0)
        return -1;
    return tar_writer_finish(tar, error);
}

static int write_archive_to(struct exporting *exporting, const char *path, struct error *error) {
    AUTO_FREE char *temporary = text_format("%s.%ld", path, (long)getpid());
    AUTO_CLOSE int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write %s", temporary);
    int result = write_archive(exporting, fd, error);
    if (result == 0 && rename(temporary, path) < 0)
        result = error_set_errno(error, errno, "cannot write %s", path);
    if (result < 0)
        unlink(temporary);
    return result;
}

int export_archive(struct exporting *exporting, struct error *error) {
    const char *path = exporting->arguments->archive;
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, ERROR_DATA, "%s is there, and is no file", path);
    return write_archive_to(exporting, path, error);
}

/* ---- --load ---- */

int export_load(struct exporting *exporting, struct error *error) {
    const char *engine = exporting->arguments->load;
    struct store *store = exporting->session.engine.store;
    AUTO_FREE char *program = process_find(engine), *folder = NULL;
    if (!program) {
        error_set(error, ERROR_CONFIGURATION, "%s is not installed here", engine);
        return error_next(error, "write an archive for it instead: --docker-archive FILE");
    }
    if (store_scratch(store, &folder, error) < 0)
        return -1;
    AUTO_FREE char *archive = path_join(folder, "image.tar");
    const char *const argv[] = {program, "load", "--input", archive, NULL};
    struct process process = {.argv = argv, .timeout = LOAD_SECONDS};
    int result = write_archive_to(exporting, archive, error);
    if (result == 0)
        result = process_run_checked(&process, error);
    store_scratch_remove(store, folder);
    return result;
}
