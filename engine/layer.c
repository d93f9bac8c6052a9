/* Where layers come from, and their forms: unpacked tree, tar stream, compressed blob. */
#include "engine/layer.h"
#include "common/file/file.h"
#include "engine/layer_internal.h"

#include <fcntl.h>
#include <string.h>

enum { BLOCK = 128 * 1024 };
#define LAYER_LIMIT (40ULL << 30)

#define LAYER_MEDIA_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"

static int read_note(struct engine *engine, const struct digest *diff_id, struct json **note, struct error *error) {
    *note = NULL;
    return store_name_read(engine->store, "layers", digest_format_hex(diff_id).text, note, error);
}

static int lock_layer(struct engine *engine, const char *what, const struct digest *diff_id, int *lock,
                      struct error *error) {
    AUTO_FREE char *name = text_format("%s %s", what, digest_format_hex(diff_id).text);
    AUTO_FREE char *doing = text_format("%s %.19s", what, digest_format(diff_id).text);
    return store_lock(engine->store, name, doing, engine->progress, lock, error);
}

/* Reads the note again with the lock held, so that nobody's addition is lost. */
static int add_to_note(struct engine *engine, const struct digest *diff_id, const char *key, const struct json *value,
                       struct error *error) {
    AUTO_JSON struct json *note = NULL;
    AUTO_CLOSE int lock = -1;
    if (lock_layer(engine, "note about the layer", diff_id, &lock, error) < 0 ||
        read_note(engine, diff_id, &note, error) < 0)
        return -1;
    if (!note)
        note = json_new_object();
    json_set(note, key, json_copy_deep(value));
    if (store_name_write(engine->store, "layers", digest_format_hex(diff_id).text, note, error) < 0)
        return -1;
    return store_batch_flush(engine->store, error);
}

/* Adds one way to get the layer to those that are known. Takes over the value. */
static int note_source(struct engine *engine, const struct digest *diff_id, const char *key, struct json *value,
                       struct error *error) {
    AUTO_JSON struct json *note = NULL, *given = value;
    if (read_note(engine, diff_id, &note, error) < 0)
        return -1;
    if (json_get(note, key) && json_same(json_get(note, key), given))
        return 0;
    return add_to_note(engine, diff_id, key, given, error);
}

/* ---- hashing on the way ---- */

int hashing_sink(void *context, const void *data, size_t length, struct error *error) {
    struct hashing *hashing = context;
    hasher_add(hashing->hasher, data, length);
    return hashing->sink ? hashing->sink(hashing->context, data, length, error) : 0;
}

struct hashing_source {
    struct hasher *hasher;
    archive_source *source;
    void *context;
};

static ssize_t hashing_read(void *context, void *data, size_t size, struct error *error) {
    struct hashing_source *hashing = context;
    ssize_t got = hashing->source(hashing->context, data, size, error);
    if (got > 0)
        hasher_add(hashing->hasher, data, (size_t)got);
    return got;
}

static ssize_t fd_source(void *context, void *data, size_t size, struct error *error) {
    for (;;) {
        ssize_t got = read(*(int *)context, data, size);
        if (got >= 0 || errno != EINTR)
            return got >= 0 ? got : error_set_errno(error, errno, "cannot read a layer");
    }
}

/* ---- registering ---- */

char *layer_tree_id(const struct digest *diff_id) {
    return text_format("%s-%s", digest_format_hex(diff_id).text, sandbox_mode_name(sandbox_mode()));
}

int layer_from_upper(struct engine *engine, const char *path, struct digest *diff_id, bool *empty,
                     struct error *error) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    struct hashing hashing = {.hasher = hasher};
    uint64_t entries = 0;
    if (layer_pack(path, engine->epoch, hashing_sink, &hashing, &entries, error) < 0) {
        store_tree_abort(engine->store, path);
        return -1;
    }
    *diff_id = hasher_finish(hasher);
    *empty = entries == 0;
    if (*empty) {
        store_tree_abort(engine->store, path);
        return 0;
    }
    AUTO_FREE char *id = layer_tree_id(diff_id);
    if (store_tree_commit(engine->store, path, id, error) < 0)
        return -1;
    /* The tree has the times that its files were written at: whoever packs it again must clamp them alike. */
    if (engine->epoch != 0 && note_source(engine, diff_id, "epoch", json_new_integer(engine->epoch), error) < 0)
        return -1;
    return note_source(engine, diff_id, "tree", json_new_text(id), error);
}

int layer_from_content(struct engine *engine, const struct layer_content *content, struct digest *diff_id,
                       struct error *error) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    struct hashing hashing = {.hasher = hasher};
    if (layer_content_write(engine, content, hashing_sink, &hashing, error) < 0)
        return -1;
    *diff_id = hasher_finish(hasher);
    return note_source(engine, diff_id, "content", layer_content_json(content), error);
}

int layer_from_blob(struct engine *engine, const struct digest *diff_id, const struct layer_descriptor *descriptor,
                    struct error *error) {
    struct json *blob = json_new_object();
    json_set_text(blob, "mediaType", descriptor->media_type);
    json_set_text(blob, "digest", digest_format(&descriptor->digest).text);
    json_set_integer(blob, "size", (int64_t)descriptor->size);
    json_set_text(blob, "origin", descriptor->origin);
    return note_source(engine, diff_id, "blob", blob, error);
}

/* ---- unpacking ---- */

static int unpack_into(archive_source *source, void *context, const char *path, enum devices devices,
                       struct digest *diff_id, struct error *error) {
    AUTO_CLOSE int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    enum sandbox_mode mode = sandbox_mode();
    AUTO_HASHER struct hasher *hasher = hasher_new();
    struct hashing_source hashing = {.hasher = hasher, .source = source, .context = context};
    struct unpack options = {.whiteouts = mode == SANDBOX_ROOT ? WHITEOUTS_OVERLAY : WHITEOUTS_USER,
                             .keep_owners = sandbox_keeps_owners(),
                             .devices = devices};
    if (tar_unpack(hashing_read, &hashing, root, &options, error) < 0)
        return -1;
    *diff_id = hasher_finish(hasher);
    return 0;
}

static int begin_unpacking(struct engine *engine, char **path, struct error *error) {
    return sandbox_enter(error) < 0 ? -1 : store_tree_begin(engine->store, path, error);
}

/* Unpacks a plain or compressed stream to a complete tree of the store, checked against its DiffID. */
static int unpack(struct engine *engine, archive_source *source, void *context, const struct digest *diff_id,
                  struct error *error) {
    AUTO_FREE char *path = NULL, *id = NULL;
    struct digest found;
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(source, context, LAYER_LIMIT);
    if (begin_unpacking(engine, &path, error) < 0)
        return -1;
    int result = unpack_into(decompressor_read, plain, path, DEVICES_MADE, &found, error);
    if (result == 0 && !digest_equal(diff_id, &found))
        result = error_set(error, ERROR_PROTOCOL, "a layer unpacks to %s instead of %s", digest_format(&found).text,
                           digest_format(diff_id).text);
    if (result < 0) {
        store_tree_abort(engine->store, path);
        return -1;
    }
    id = layer_tree_id(diff_id);
    if (store_tree_commit(engine->store, path, id, error) < 0)
        return -1;
    return note_source(engine, diff_id, "tree", json_new_text(id), error);
}

int layer_from_tar(struct engine *engine, archive_source *source, void *context, struct digest *diff_id,
                   struct error *error) {
    AUTO_FREE char *path = NULL;
    struct digest given;
    bool empty;
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(source, context, LAYER_LIMIT);
    if (begin_unpacking(engine, &path, error) < 0)
        return -1;
    /* A container has a /dev of its own, and only some users may make devices. */
    if (unpack_into(decompressor_read, plain, path, DEVICES_LEFT_OUT, &given, error) < 0) {
        store_tree_abort(engine->store, path);
        return -1;
    }
    if (layer_from_upper(engine, path, diff_id, &empty, error) < 0)
        return -1;
    return empty ? error_set(error, ERROR_DATA, "the archive is empty") : 0;
}

static int unpack_blob(struct engine *engine, const struct digest *diff_id, struct layer_descriptor *descriptor,
                       struct error *error) {
    uint64_t size;
    if (layer_fetch(engine, descriptor, error) < 0)
        return -1;
    AUTO_CLOSE int fd = store_open_object(engine->store, &descriptor->digest, &size, error);
    if (fd < 0)
        return -1;
    return unpack(engine, fd_source, &fd, diff_id, error);
}

/* A tree that another mode made, or copied files: through a file that has no name, as a tar stream. */
static int unpack_stream(struct engine *engine, const struct digest *diff_id, struct error *error) {
    AUTO_FREE char *folder = path_join(store_path(engine->store), "tmp");
    AUTO_CLOSE int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    if (layer_write_tar(engine, diff_id, layer_fd_sink, &fd, error) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(error, errno, "cannot read from the store");
    return unpack(engine, fd_source, &fd, diff_id, error);
}

static int read_blob(const struct json *note, struct layer_descriptor *descriptor, struct error *error) {
    const struct json *blob = json_get(note, "blob");
    int64_t size = json_get_integer(blob, "size", -1);
    *descriptor = (struct layer_descriptor){.size = (uint64_t)size};
    snprintf(descriptor->media_type, sizeof(descriptor->media_type), "%s",
             json_get_text(blob, "mediaType", LAYER_MEDIA_TYPE));
    if (size < 0 || digest_parse(json_get_text(blob, "digest", ""), &descriptor->digest, error) < 0)
        return error_set(error, ERROR_DATA, "the store's note about a layer is damaged");
    descriptor->origin = text_copy(json_get_text(blob, "origin", NULL));
    return 0;
}

int layer_directory(struct engine *engine, const struct digest *diff_id, char **path, struct error *error) {
    *path = NULL;
    if (sandbox_enter(error) < 0)
        return -1;
    AUTO_FREE char *id = layer_tree_id(diff_id);
    AUTO_CLOSE int lock = -1;
    if ((*path = store_tree_path(engine->store, id)))
        return 0;
    if (lock_layer(engine, "unpack the layer", diff_id, &lock, error) < 0)
        return -1;
    if ((*path = store_tree_path(engine->store, id)))
        return 0;
    AUTO_JSON struct json *note = NULL;
    if (read_note(engine, diff_id, &note, error) < 0)
        return -1;
    struct layer_descriptor descriptor = {0};
    int result;
    if (json_get(note, "blob")) {
        result = read_blob(note, &descriptor, error);
        if (result == 0)
            result = unpack_blob(engine, diff_id, &descriptor, error);
        layer_descriptor_release(&descriptor);
    } else {
        result = unpack_stream(engine, diff_id, error);
    }
    if (result == 0 && !(*path = store_tree_path(engine->store, id)))
        result = error_set(error, ERROR_INTERNAL, "the layer %s is missing after it was unpacked",
                           digest_format(diff_id).text);
    return result;
}

bool layer_is_available(struct engine *engine, const struct digest *diff_id) {
    AUTO_JSON struct json *note = NULL;
    if (read_note(engine, diff_id, &note, NULL) < 0 || !note)
        return false;
    if (json_get(note, "blob") || json_get(note, "content"))
        return true;
    AUTO_FREE char *own = layer_tree_id(diff_id);
    const char *id = sandbox_mode() == SANDBOX_NONE ? json_get_text(note, "tree", NULL) : own;
    AUTO_FREE char *path = id ? store_tree_path(engine->store, id) : NULL;
    return path != NULL;
}

bool layers_are_available(struct engine *engine, const struct container *container) {
    for (size_t i = 0; i < container_layer_count(container); i++) {
        struct digest diff_id;
        if (container_layer(container, i, &diff_id, NULL) < 0 || !layer_is_available(engine, &diff_id))
            return false;
    }
    return true;
}

bool layer_was_lost(struct engine *engine) {
    bool lost = engine->has_lost_layer;
    engine->has_lost_layer = false;
    return lost;
}

/* ---- the tar stream and the compressed blob ---- */

int layer_fd_sink(void *context, const void *data, size_t length, struct error *error) {
    return fd_write_all(*(const int *)context, data, length, error);
}

static int write_blob_tar(struct engine *engine, const struct json *note, archive_sink *sink, void *context,
                          struct error *error) {
    struct layer_descriptor descriptor;
    uint64_t size;
    int result = read_blob(note, &descriptor, error);
    if (result == 0)
        result = layer_fetch(engine, &descriptor, error);
    AUTO_CLOSE int fd = result == 0 ? store_open_object(engine->store, &descriptor.digest, &size, error) : -1;
    layer_descriptor_release(&descriptor);
    if (fd < 0)
        return -1;
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(fd_source, &fd, LAYER_LIMIT);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    for (ssize_t got; (got = decompressor_read(plain, block, BLOCK, error)) != 0;)
        if (got < 0 || sink(context, block, (size_t)got, error) < 0)
            return -1;
    return 0;
}

static int write_tar(struct engine *engine, const struct digest *diff_id, archive_sink *sink, void *context,
                     struct error *error) {
    AUTO_JSON struct json *note = NULL;
    struct layer_content content;
    if (read_note(engine, diff_id, &note, error) < 0)
        return -1;
    if (json_get(note, "content")) {
        if (layer_content_parse(json_get(note, "content"), &content, error) < 0)
            return -1;
        return layer_content_write(engine, &content, sink, context, error);
    }
    /* Somebody else's tar is not ours byte by byte: the blob comes first. */
    if (json_get(note, "blob"))
        return write_blob_tar(engine, note, sink, context, error);
    if (sandbox_enter(error) < 0)
        return -1;
    AUTO_FREE char *id = layer_tree_id(diff_id), *path = store_tree_path(engine->store, id);
    if (path)
        return layer_pack(path, json_get_integer(note, "epoch", 0), sink, context, NULL, error);
    engine->has_lost_layer = true;
    /* Who looks for it next without knowing the mode shall not count on it, so that running everything again helps. */
    if (note_source(engine, diff_id, "tree", json_new_text(id), error) < 0)
        return -1;
    error_set(error, ERROR_DATA, "the store does not have the layer %s in the form for the mode \"%s\"",
              digest_format(diff_id).text, sandbox_mode_name(sandbox_mode()));
    return error_next(error, "run the command that built the image again");
}

int layer_write_tar(struct engine *engine, const struct digest *diff_id, archive_sink *sink, void *context,
                    struct error *error) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    struct hashing hashing = {.hasher = hasher, .sink = sink, .context = context};
    if (write_tar(engine, diff_id, hashing_sink, &hashing, error) < 0)
        return -1;
    struct digest found = hasher_finish(hasher);
    if (digest_equal(&found, diff_id))
        return 0;
    error_set(error, ERROR_DATA, "the layer %s in the store has changed", digest_format(diff_id).text);
    return error_next(error, "run: pl-cache verify");
}

static int compressor_sink(void *context, const void *data, size_t length, struct error *error) {
    return compressor_write(context, data, length, error);
}

static int writer_sink(void *context, const void *data, size_t length, struct error *error) {
    return store_put_write(context, data, length, error);
}

static int compress(struct engine *engine, const struct digest *diff_id, struct layer_descriptor *descriptor,
                    struct error *error) {
    AUTO_WRITER struct store_writer *writer = store_put_begin(engine->store, NULL, LAYER_LIMIT, error);
    if (!writer)
        return -1;
    AUTO_COMPRESSOR struct compressor *compressor = compressor_new(COMPRESSION_GZIP, writer_sink, writer);
    if (layer_write_tar(engine, diff_id, compressor_sink, compressor, error) < 0 ||
        compressor_finish(compressor, error) < 0)
        return -1;
    return store_put_commit(&writer, &descriptor->digest, &descriptor->size, error);
}

static void compressed_key(const struct digest *diff_id, char *key, size_t size) {
    snprintf(key, size, "%s-%s", digest_format_hex(diff_id).text, compressor_name(COMPRESSION_GZIP));
}

static bool find_compressed(struct engine *engine, const char *key, struct layer_descriptor *descriptor) {
    AUTO_JSON struct json *note = NULL;
    if (store_name_read(engine->store, "compressed", key, &note, NULL) < 0 || !note)
        return false;
    int64_t size = json_get_integer(note, "size", -1);
    descriptor->size = (uint64_t)size;
    return size > 0 && digest_parse(json_get_text(note, "digest", ""), &descriptor->digest, NULL) == 0 &&
           store_has(engine->store, &descriptor->digest);
}

int layer_describe(struct engine *engine, const struct digest *diff_id, struct layer_descriptor *descriptor,
                   struct error *error) {
    AUTO_JSON struct json *layer = NULL;
    char key[128];
    *descriptor = (struct layer_descriptor){.media_type = LAYER_MEDIA_TYPE, .is_local = true};
    if (read_note(engine, diff_id, &layer, error) < 0)
        return -1;
    if (json_get(layer, "blob")) {
        if (read_blob(layer, descriptor, error) < 0)
            return -1;
        descriptor->is_local = store_has(engine->store, &descriptor->digest);
        return 0;
    }
    AUTO_CLOSE int lock = -1;
    compressed_key(diff_id, key, sizeof(key));
    if (find_compressed(engine, key, descriptor))
        return 0;
    if (lock_layer(engine, "compress the layer", diff_id, &lock, error) < 0)
        return -1;
    if (find_compressed(engine, key, descriptor))
        return 0;
    if (compress(engine, diff_id, descriptor, error) < 0)
        return -1;
    AUTO_JSON struct json *note = json_new_object();
    json_set_text(note, "digest", digest_format(&descriptor->digest).text);
    json_set_integer(note, "size", (int64_t)descriptor->size);
    return store_hint_write(engine->store, "compressed", key, note, error);
}

int layer_fetch(struct engine *engine, struct layer_descriptor *descriptor, struct error *error) {
    if (store_has(engine->store, &descriptor->digest)) {
        descriptor->is_local = true;
        return 0;
    }
    if (!descriptor->origin || !engine->source)
        return error_set(error, ERROR_DATA, "the layer %s is not in the store and no registry is known for it",
                         digest_format(&descriptor->digest).text);
    int step = progress_begin(engine->progress, "fetch %.19s of %s (%.1f MB)", digest_format(&descriptor->digest).text,
                              descriptor->origin, (double)descriptor->size / 1e6);
    int result = engine->source->blob(engine->source->context, descriptor->origin, &descriptor->digest,
                                      descriptor->size, engine->store, error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    descriptor->is_local = result == 0;
    return result;
}

void layer_descriptor_release(struct layer_descriptor *descriptor) {
    free(descriptor->origin);
    descriptor->origin = NULL;
}
