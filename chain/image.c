#include "chain/image.h"

#include <string.h>

enum { MANIFEST_LIMIT = 4 * 1024 * 1024 };

/* A layer that came from an image in Docker's format is the same bytes under its OCI name. */
static const char *oci_layer_type(const char *type) {
    static const char *const names[][2] = {
        {"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
        {"application/vnd.docker.image.rootfs.diff.tar.zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(type, names[i][0]))
            return names[i][1];
    return type;
}

static struct json *descriptor_json(const char *type, const struct digest *digest, uint64_t size) {
    struct json *descriptor = json_new_object();
    json_set_text(descriptor, "mediaType", type);
    json_set_text(descriptor, "digest", digest_format(digest).text);
    json_set_integer(descriptor, "size", (int64_t)size);
    return descriptor;
}

/* Sorted, so that they do not depend on the order in which they were set. */
static struct json *annotations(const struct json *config, const struct json *extra) {
    static const char prefix[] = "org.opencontainers.image.";
    const struct json *labels = json_get_path(config, "config.Labels");
    AUTO_LIST struct text_list names = {0};
    for (void *i = json_first(labels); i; i = json_next(labels, i))
        if (text_starts_with(json_key(i), prefix) && json_is_text(json_value(i)) && !json_get(extra, json_key(i)))
            text_list_add(&names, json_key(i));
    for (void *i = json_first(extra); i; i = json_next(extra, i))
        if (json_is_text(json_value(i)))
            text_list_add(&names, json_key(i));
    if (!names.count)
        return NULL;
    text_list_sort(&names);
    struct json *annotations = json_new_object();
    for (size_t i = 0; i < names.count; i++)
        json_set_text(annotations, names.items[i],
                      json_get_text(extra, names.items[i], json_get_text(labels, names.items[i], "")));
    return annotations;
}

static int write_manifest(struct chain_image *image, const struct json *extra, uint64_t config_size,
                          struct error *error) {
    AUTO_JSON struct json *manifest = json_new_object();
    json_set_integer(manifest, "schemaVersion", 2);
    json_set_text(manifest, "mediaType", MEDIA_TYPE_OCI_MANIFEST);
    json_set(manifest, "config", descriptor_json(MEDIA_TYPE_OCI_CONFIG, &image->container.digest, config_size));
    struct json *layers = json_new_array();
    for (size_t i = 0; i < image->layer_count; i++)
        json_append(layers, descriptor_json(oci_layer_type(image->layers[i].media_type), &image->layers[i].digest,
                                            image->layers[i].size));
    json_set(manifest, "layers", layers);
    struct json *notes = annotations(image->container.config, extra);
    if (notes)
        json_set(manifest, "annotations", notes);
    image->manifest = BUFFER(MANIFEST_LIMIT);
    json_write(manifest, JSON_COMPACT_STYLE, &image->manifest);
    return buffer_check(&image->manifest, "the manifest", error);
}

static void add_blob(struct chain_image *image, const struct push_blob *blob, size_t layer, char *name) {
    for (size_t i = 0; i < image->blob_count; i++)
        if (digest_equal(&image->blobs[i].digest, &blob->digest)) {
            free(name);
            return;
        }
    size_t at = image->blob_count++;
    image->blobs[at] = *blob;
    image->blobs[at].name = image->names[at] = name;
    image->blob_layers[at] = layer;
}

static void list_blobs(struct chain_image *image, uint64_t config_size) {
    size_t most = image->layer_count + 1;
    image->blobs = memory_allocate(most, sizeof(*image->blobs));
    image->names = memory_allocate(most, sizeof(*image->names));
    image->blob_layers = memory_allocate(most, sizeof(*image->blob_layers));
    for (size_t i = 0; i < image->layer_count; i++) {
        struct push_blob blob = {
            .digest = image->layers[i].digest, .size = image->layers[i].size, .origin = image->layers[i].origin};
        add_blob(image, &blob, i, text_format("layer %zu of %zu", i + 1, image->layer_count));
    }
    struct push_blob config = {.digest = image->container.digest, .size = config_size};
    add_blob(image, &config, image->layer_count, text_copy("config"));
}

static int describe_layers(struct engine *engine, struct chain_image *image, struct error *error) {
    size_t count = container_layer_count(&image->container);
    image->layers = memory_allocate(count + 1, sizeof(*image->layers));
    for (size_t i = 0; i < count; i++) {
        struct digest diff_id;
        if (container_layer(&image->container, i, &diff_id, error) < 0 ||
            layer_describe(engine, &diff_id, &image->layers[i], error) < 0)
            return error_wrap(error, "layer %zu", i + 1);
        image->layer_count = i + 1;
    }
    return 0;
}

int chain_image_make(struct engine *engine, const struct digest *config, const struct json *extra,
                     struct chain_image *image, struct error *error) {
    *image = (struct chain_image){0};
    if (!store_has(engine->store, config)) {
        error_set(error, ERROR_DATA, "the store has no container %s", digest_format(config).text);
        return error_next(error, "run the command that built it again, with the same PL_STORE");
    }
    if (container_load(engine, config, &image->container, error) < 0 || describe_layers(engine, image, error) < 0)
        return -1;
    uint64_t size = 0;
    AUTO_CLOSE int fd = store_open_object(engine->store, config, &size, error);
    if (fd < 0 || write_manifest(image, extra, size, error) < 0)
        return -1;
    list_blobs(image, size);
    return 0;
}

int chain_image_fetch_blob(void *context, size_t index, struct error *error) {
    struct chain_image_fetch *fetch = context;
    size_t layer = fetch->image->blob_layers[index];
    if (layer >= fetch->image->layer_count)
        return error_set(error, ERROR_DATA, "the config of the image has gone from the store");
    return layer_fetch(fetch->engine, &fetch->image->layers[layer], error);
}

void chain_image_release(struct chain_image *image) {
    for (size_t i = 0; i < image->layer_count; i++)
        layer_descriptor_release(&image->layers[i]);
    for (size_t i = 0; i < image->blob_count; i++)
        free(image->names[i]);
    free(image->layers);
    free(image->blobs);
    free(image->names);
    free(image->blob_layers);
    buffer_release(&image->manifest);
    container_release(&image->container);
    *image = (struct chain_image){0};
}
