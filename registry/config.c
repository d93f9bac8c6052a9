/* The config of an image, without its layers. */
#include "registry/registries.h"

#include "registry/manifest.h"

enum { CONFIG_LIMIT = 4 << 20 };

int image_source_config(const struct image_source *source, const char *image, const char *platform, struct store *store,
                        struct digest *container, struct error *error) {
    AUTO_BUFFER struct buffer manifest = BUFFER(REGISTRY_MANIFEST_LIMIT);
    AUTO_FREE char *canonical = NULL;
    AUTO_JSON struct json *json = NULL;
    struct descriptor config;
    if (source->manifest(source->context, image, platform, &manifest, &canonical, error) < 0)
        return -1;
    json = json_parse(buffer_text(&manifest), manifest.length, "the manifest of the image", error);
    if (!json || descriptor_read(json_get(json, "config"), &config, error) < 0)
        return -1;
    if (config.size > CONFIG_LIMIT)
        return error_set(error, ERROR_PROTOCOL, "the config of %.300s has %llu bytes", image,
                         (unsigned long long)config.size);
    *container = config.digest;
    return store_has(store, container) ? 0
                                       : source->blob(source->context, canonical, container, config.size, store, error);
}
