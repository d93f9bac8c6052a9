/* Finding an image for running it. */
#include "local/registry/internal.h"

#include <string.h>

/* The host of a reference must be this registry, or Artifact Registry, whose place it takes. */
static bool is_our_host(const struct local_cloud *cloud, const char *host) {
    if (text_equal(host, cloud->host) || text_ends_with(host, "-docker.pkg.dev"))
        return true;
    AUTO_FREE char *local = text_format("localhost:%u", cloud->port);
    return text_equal(host, local);
}

/* "HOST/REPO@DIGEST", "HOST/REPO:TAG", "HOST/REPO" */
static int split_reference(const struct local_cloud *cloud, const char *reference, char **repository, char **version,
                           struct error *error) {
    const char *slash = strchr(reference, '/');
    AUTO_FREE char *host = text_copy_length(reference, slash ? (size_t)(slash - reference) : 0);
    if (!slash || !is_our_host(cloud, host))
        return error_set(error, ERROR_NO_INPUT, "the image %.300s is in no registry of this cloud (%s)", reference,
                         cloud->host);
    const char *name = slash + 1, *at = strchr(name, '@');
    const char *colon = strrchr(name, ':');
    const char *end = at ? at : colon && !strchr(colon, '/') ? colon : name + strlen(name);
    AUTO_FREE char *plain = text_copy_length(name, (size_t)(end - name));
    /* REPO:TAG@DIGEST: the digest counts */
    char *tag = at ? strrchr(plain, ':') : NULL;
    if (tag && !strchr(tag, '/'))
        *tag = '\0';
    if (!repository_is_valid(plain))
        return error_set(error, ERROR_NO_INPUT, "the image %.300s has no valid name", reference);
    *repository = take_pointer(&plain);
    *version = text_copy(*end ? end + 1 : "latest");
    return 0;
}

static struct json *read_json(const struct registry *registry, const struct digest *digest, const char *what,
                              struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(MANIFEST_LIMIT);
    if (store_read(registry->store, digest, &text, error) < 0)
        return NULL;
    return json_parse(buffer_text(&text), text.length, what, error);
}

static const char *native_architecture(void) {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

/* Descends into an index; leaves a manifest as it is. */
static int descend(const struct registry *registry, struct digest *digest, struct json **manifest,
                   struct error *error) {
    const struct json *list = json_get(*manifest, "manifests");
    AUTO_BUFFER struct buffer others = BUFFER(256);
    if (!json_is_array(list))
        return 0;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *platform = json_get(json_at(list, i), "platform");
        const char *architecture = json_get_text(platform, "architecture", "");
        struct digest found;
        if (!text_equal(json_get_text(platform, "os", "linux"), "linux") ||
            !text_equal(architecture, native_architecture())) {
            if (!text_equal(architecture, "unknown"))
                buffer_append_format(&others, "%s%.20s", others.length ? ", " : "", architecture);
            continue;
        }
        if (digest_parse(json_get_text(json_at(list, i), "digest", ""), &found, error) < 0)
            return -1;
        struct json *inner = read_json(registry, &found, "the manifest", error);
        if (!inner)
            return -1;
        json_release(manifest);
        *manifest = inner;
        *digest = found;
        return 0;
    }
    return error_set(error, ERROR_DATA, "%s", buffer_text(&others));
}

int registry_find_image(const struct local_cloud *cloud, const char *reference, struct image *image,
                        struct error *error) {
    const struct registry *registry = cloud->registry;
    AUTO_FREE char *repository = NULL;
    AUTO_FREE char *version = NULL;
    AUTO_IMAGE struct image found = {0};
    if (split_reference(cloud, reference, &repository, &version, error) < 0)
        return -1;
    if (!registry_resolve(registry, repository, version, &found.digest))
        return error_set(error, ERROR_NO_INPUT, "there is no image %.300s in this registry", reference);
    found.manifest = read_json(registry, &found.digest, "the manifest", error);
    if (!found.manifest || descend(registry, &found.digest, &found.manifest, error) < 0 ||
        digest_parse(json_get_text(json_get(found.manifest, "config"), "digest", ""), &found.config_digest, error) < 0)
        return -1;
    found.config = read_json(registry, &found.config_digest, "the image's config", error);
    if (!found.config)
        return -1;
    const char *architecture = json_get_text(found.config, "architecture", "");
    if (!text_equal(architecture, native_architecture()))
        return error_set(error, ERROR_DATA, "%.40s", architecture);
    found.reference = text_format("%s/%s@%s", cloud->host, repository, digest_format(&found.digest).text);
    *image = found;
    found = (struct image){0};
    return 0;
}

void image_release(struct image *image) {
    json_release(&image->manifest);
    json_release(&image->config);
    free(image->reference);
    *image = (struct image){0};
}
