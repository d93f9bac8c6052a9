#include "registry/manifest.h"

#include <string.h>

enum { DESCRIPTOR_LIMIT = 1000, CONFIG_LIMIT = 4 * 1024 * 1024 };

static const char *const layer_types[] = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
};
static const char *const config_types[] = {MEDIA_TYPE_OCI_CONFIG, "application/vnd.docker.container.image.v1+json"};
static const char *const manifest_types[] = {MEDIA_TYPE_OCI_MANIFEST, MEDIA_TYPE_DOCKER_MANIFEST};
static const char *const index_types[] = {MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_DOCKER_INDEX};

static bool is_one_of(const char *const *types, size_t count, const char *type) {
    for (size_t i = 0; i < count; i++)
        if (text_equal(types[i], type))
            return true;
    return false;
}

int descriptor_read(const struct json *value, struct descriptor *descriptor, struct error *error) {
    const char *type = json_get_text(value, "mediaType", NULL), *digest = json_get_text(value, "digest", NULL);
    int64_t size = json_get_integer(value, "size", -1);
    if (!type || strlen(type) >= sizeof(descriptor->media_type))
        return error_set(error, ERROR_PROTOCOL, "a descriptor has no mediaType");
    if (json_get(value, "urls"))
        return error_set(error, ERROR_PROTOCOL, "it has a layer that is kept elsewhere (urls), which pl never fetches");
    struct error why = {0};
    if (!digest || digest_parse(digest, &descriptor->digest, &why) < 0)
        return error_set(error, ERROR_PROTOCOL, "a descriptor has no sha256 digest: %.200s", why.text);
    if (size < 0)
        return error_set(error, ERROR_PROTOCOL, "the descriptor of %s has no size", digest);
    memcpy(descriptor->media_type, type, strlen(type) + 1);
    descriptor->size = (uint64_t)size;
    return 0;
}

static int check_layers(const struct json *manifest, struct error *error) {
    const struct json *layers = json_get(manifest, "layers");
    struct descriptor descriptor;
    if (!json_is_array(layers) || json_count(layers) > DESCRIPTOR_LIMIT)
        return error_set(error, ERROR_PROTOCOL, "it has no layers, or more than %d", DESCRIPTOR_LIMIT);
    for (size_t i = 0; i < json_count(layers); i++) {
        if (descriptor_read(json_at(layers, i), &descriptor, error) < 0)
            return -1;
        if (!is_one_of(layer_types, ARRAY_LENGTH(layer_types), descriptor.media_type))
            return error_set(error, ERROR_PROTOCOL, "layer %zu is of the unknown type %s", i + 1,
                             descriptor.media_type);
    }
    return 0;
}

static int check_manifest(const struct json *manifest, struct error *error) {
    struct descriptor config;
    if (descriptor_read(json_get(manifest, "config"), &config, error) < 0)
        return error_wrap(error, "config");
    if (!is_one_of(config_types, ARRAY_LENGTH(config_types), config.media_type))
        return error_set(error, ERROR_PROTOCOL, "it is no container image: its config is %s", config.media_type);
    if (config.size > CONFIG_LIMIT)
        return error_set(error, ERROR_PROTOCOL, "its config is larger than %d bytes", CONFIG_LIMIT);
    return check_layers(manifest, error);
}

static int check_index(const struct json *index, struct error *error) {
    const struct json *entries = json_get(index, "manifests");
    struct descriptor descriptor;
    if (!json_is_array(entries) || json_count(entries) > DESCRIPTOR_LIMIT)
        return error_set(error, ERROR_PROTOCOL, "the index has no manifests, or more than %d", DESCRIPTOR_LIMIT);
    for (size_t i = 0; i < json_count(entries); i++)
        if (descriptor_read(json_at(entries, i), &descriptor, error) < 0)
            return -1;
    return 0;
}

/* The type that the document and the Content-Type agree on. One kind read as another is how an image can mean two
 * things (CVE-2021-41190), so nothing is guessed from the content. */
static int find_kind(const struct json *document, const char *content_type, bool *is_index, struct error *error) {
    const char *own = json_get_text(document, "mediaType", NULL);
    size_t length = content_type ? strcspn(content_type, "; ") : 0;
    AUTO_FREE char *given = text_copy_length(content_type ? content_type : "", length);
    if (own && *given && !text_equal(own, given))
        return error_set(error, ERROR_PROTOCOL, "it says it is %.100s, but was sent as %.100s", own, given);
    const char *type = own ? own : given;
    if (json_get_integer(document, "schemaVersion", 0) == 1)
        return error_set(error, ERROR_DATA, "it is in the format of 2014 (schema 1), which pl does not read");
    *is_index = is_one_of(index_types, ARRAY_LENGTH(index_types), type);
    if (!*is_index && !is_one_of(manifest_types, ARRAY_LENGTH(manifest_types), type))
        return error_set(error, ERROR_PROTOCOL, "it is neither a manifest nor an index but \"%.100s\"", type);
    const struct json *foreign = *is_index ? json_get(document, "layers") : json_get(document, "manifests");
    if (foreign || (*is_index && json_get(document, "config")))
        return error_set(error, ERROR_PROTOCOL, "it is a manifest and an index at once");
    return 0;
}

/* A page to sign in, for example. */
static bool is_other_document(const char *content_type) {
    return content_type && (text_starts_with(content_type, "text/html") || text_starts_with(content_type, "text/xml"));
}

struct json *manifest_read(const void *bytes, size_t length, const char *content_type, bool *is_index,
                           struct error *error) {
    if (is_other_document(content_type)) {
        error_set(error, ERROR_PROTOCOL, "it is neither a manifest nor an index but \"%.100s\"", content_type);
        return NULL;
    }
    AUTO_JSON struct json *document = json_parse(bytes, length, "the manifest", error);
    if (!document) {
        if (error)
            error->kind = ERROR_PROTOCOL;
        return NULL;
    }
    if (json_get_integer(document, "schemaVersion", 0) != 2 && json_get_integer(document, "schemaVersion", 0) != 1) {
        error_set(error, ERROR_PROTOCOL, "the manifest has no schemaVersion 2");
        return NULL;
    }
    if (find_kind(document, content_type, is_index, error) < 0)
        return NULL;
    if ((*is_index ? check_index(document, error) : check_manifest(document, error)) < 0)
        return NULL;
    return take_pointer(&document);
}

/* "linux/arm64/v8" wants that variant; "linux/arm64" takes any. */
static bool platform_matches(const struct json *entry, const char *platform) {
    const struct json *own = json_get(entry, "platform");
    const char *variant = json_get_text(own, "variant", "");
    AUTO_FREE char *name = text_format("%s/%s", json_get_text(own, "os", ""), json_get_text(own, "architecture", ""));
    AUTO_FREE char *full = text_format("%s/%s", name, variant);
    return text_equal(name, platform) || text_equal(full, platform);
}

int index_find(const struct json *index, const char *platform, struct descriptor *descriptor, struct error *error) {
    const struct json *entries = json_get(index, "manifests");
    AUTO_BUFFER struct buffer there = BUFFER(400);
    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *entry = json_at(entries, i), *own = json_get(entry, "platform");
        if (platform_matches(entry, platform))
            return descriptor_read(entry, descriptor, error);
        /* An index inside an index says no platform; attestations say unknown/unknown. */
        const char *type = json_get_text(entry, "mediaType", NULL);
        if (!own && is_one_of(index_types, ARRAY_LENGTH(index_types), type))
            return descriptor_read(entry, descriptor, error);
        if (own && !text_equal(json_get_text(own, "os", NULL), "unknown"))
            buffer_append_format(&there, "%s%s/%s", there.length ? ", " : "", json_get_text(own, "os", "?"),
                                 json_get_text(own, "architecture", "?"));
    }
    return error_set(error, ERROR_DATA, "there is none for %s (only for: %s)", platform, buffer_text(&there));
}
