/* Base images: references to registries, and what was found for a reference before. */
#include "engine/base.h"
#include "engine/base_internal.h"
#include "engine/layer.h"

#include <string.h>
#include <time.h>

enum {
    CONFIG_LIMIT = 8 * 1024 * 1024,
    LAYER_LIMIT = 500,
    REMEMBERED = 24 * 60 * 60,              /* seconds that a tag is believed */
    PACKAGES_REMEMBERED = 7 * 24 * 60 * 60, /* and a root file system made of packages */
};

/* ---- manifests ---- */

static bool is_layer_type(const char *type) {
    return text_equal(type, "application/vnd.oci.image.layer.v1.tar") ||
           text_equal(type, "application/vnd.oci.image.layer.v1.tar+gzip") ||
           text_equal(type, "application/vnd.oci.image.layer.v1.tar+zstd") ||
           text_equal(type, "application/vnd.docker.image.rootfs.diff.tar.gzip") ||
           text_equal(type, "application/vnd.docker.image.rootfs.diff.tar") ||
           text_equal(type, "application/vnd.docker.image.rootfs.diff.tar.zstd");
}

static int read_descriptor(const struct json *json, struct layer_descriptor *descriptor, struct error *error) {
    const char *type, *digest;
    int64_t size = json_get_integer(json, "size", -1);
    *descriptor = (struct layer_descriptor){.size = (uint64_t)size};
    if (json_need_text(json, "mediaType", "the manifest", &type, error) < 0 ||
        json_need_text(json, "digest", "the manifest", &digest, error) < 0 ||
        digest_parse(digest, &descriptor->digest, error) < 0)
        return -1;
    if (size < 0 || strlen(type) >= sizeof(descriptor->media_type))
        return error_set(error, ERROR_PROTOCOL, "the manifest has a descriptor without a size");
    snprintf(descriptor->media_type, sizeof(descriptor->media_type), "%s", type);
    return 0;
}

static int fetch_config(struct engine *engine, const struct json *manifest, const char *origin,
                        struct container *container, struct error *error) {
    struct layer_descriptor config;
    if (read_descriptor(json_get(manifest, "config"), &config, error) < 0)
        return -1;
    if (config.size > CONFIG_LIMIT)
        return error_set(error, ERROR_DATA, "the image config has %llu bytes", (unsigned long long)config.size);
    if (!store_has(engine->store, &config.digest)) {
        if (!origin || !engine->source)
            return error_set(error, ERROR_DATA, "the image's config is missing");
        if (engine->source->blob(engine->source->context, origin, &config.digest, config.size, engine->store, error) <
            0)
            return -1;
    }
    return container_load(engine, &config.digest, container, error);
}

static int register_layer(struct engine *engine, const struct json *json, const struct container *container,
                          size_t index, const char *origin, struct error *error) {
    struct layer_descriptor descriptor;
    struct digest diff_id;
    if (read_descriptor(json, &descriptor, error) < 0 || container_layer(container, index, &diff_id, error) < 0)
        return -1;
    if (!is_layer_type(descriptor.media_type))
        return error_set(error, ERROR_DATA, "the image has a layer of the type %s, which is not supported",
                         descriptor.media_type);
    descriptor.origin = text_copy(origin);
    int result = layer_from_blob(engine, &diff_id, &descriptor, error);
    layer_descriptor_release(&descriptor);
    return result;
}

int base_from_manifest(struct engine *engine, const struct buffer *manifest, const char *origin,
                       struct container *container, struct error *error) {
    AUTO_JSON struct json *json = json_parse(buffer_text(manifest), manifest->length, "the manifest", error);
    if (!json)
        return -1;
    const struct json *layers = json_get(json, "layers");
    if (json_count(layers) > LAYER_LIMIT)
        return error_set(error, ERROR_DATA, "the image has more than %d layers", LAYER_LIMIT);
    if (fetch_config(engine, json, origin, container, error) < 0)
        return -1;
    if (json_count(layers) != container_layer_count(container))
        return error_set(error, ERROR_PROTOCOL, "the manifest has %zu layers and the config %zu", json_count(layers),
                         container_layer_count(container));
    for (size_t i = 0; i < json_count(layers); i++)
        if (register_layer(engine, json_at(layers, i), container, i, origin, error) < 0)
            return -1;
    return 0;
}

/* The base of Debian packages that stands for an official image, where one does. */
static const char *packages_instead(const char *reference) {
    static const struct {
        const char *name, *base;
    } official[] = {{"python", "apt:bookworm?python3,python3-venv,ca-certificates"},
                    {"node", "apt:bookworm?ca-certificates&node=22.23.3"},
                    {"debian", "apt:bookworm?ca-certificates"}};
    const char *hub = "docker.io/library/";
    const char *name = text_starts_with(reference, hub) ? reference + strlen(hub) : reference;
    for (size_t i = 0; i < ARRAY_LENGTH(official); i++)
        if (strcspn(name, ":@") == strlen(official[i].name) && text_starts_with(name, official[i].name))
            return official[i].base;
    return "apt:bookworm?PACKAGE,PACKAGE";
}

static int from_registry(struct engine *engine, const char *reference, const char *platform,
                         struct container *container, char **canonical, struct error *error) {
    AUTO_BUFFER struct buffer manifest = BUFFER(4 * 1024 * 1024);
    if (!engine->source)
        return error_set(error, ERROR_UNAVAILABLE, "no registry can be asked for %s", reference);
    if (engine->source->manifest(engine->source->context, reference, platform, &manifest, canonical, error) < 0) {
        if (error && error->kind == ERROR_UNAVAILABLE && text_is_empty(error->next))
            error_next(error,
                       "let this machine reach the registry, or take a base that needs none: oci:DIR, "
                       "docker-archive:FILE, rootfs:FILE.tar or '%s'",
                       packages_instead(reference));
        return -1;
    }
    if (base_from_manifest(engine, &manifest, *canonical, container, error) < 0)
        return error_wrap(error, "the base %s", reference);
    return 0;
}

int base_from_layer(struct engine *engine, const struct digest *diff_id, const char *platform, const char *created_by,
                    struct container *container, struct error *error) {
    AUTO_CONTAINER struct container scratch = {0};
    if (container_scratch(engine, platform, &scratch, error) < 0)
        return -1;
    struct json *config = json_copy_deep(scratch.config), *entry = json_new_object();
    json_append_text(json_get_path(config, "rootfs.diff_ids"), digest_format(diff_id).text);
    json_set_text(entry, "created_by", created_by);
    json_append(json_get(config, "history"), entry);
    return container_store(engine, config, container, error);
}

/* ---- what is remembered ---- */

static void name_key(const char *reference, const char *platform, char *key) {
    AUTO_FREE char *text = text_format("%s %s", reference, platform);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

/* 1: *container is what the reference meant when it was asked last, and that is recent enough. */
static int recall(struct engine *engine, const char *key, int64_t seconds, struct container *container,
                  struct error *error) {
    AUTO_JSON struct json *note = NULL;
    struct digest digest;
    if (store_name_read(engine->store, "bases", key, &note, error) < 0)
        return -1;
    int64_t age = (int64_t)time(NULL) - json_get_integer(note, "time", 0);
    bool recent = age >= 0 && age < seconds;
    if (!note || (!recent && !engine->offline_bases) ||
        digest_parse(json_get_text(note, "container", ""), &digest, NULL) < 0 || !store_has(engine->store, &digest) ||
        container_load(engine, &digest, container, NULL) < 0)
        return 0;
    if (layers_are_available(engine, container))
        return 1;
    container_release(container);
    return 0;
}

static int remember(struct engine *engine, const char *key, const char *reference, const char *canonical,
                    const struct container *container, struct error *error) {
    AUTO_JSON struct json *note = json_new_object();
    json_set_text(note, "reference", reference);
    json_set_text(note, "canonical", canonical);
    json_set_text(note, "container", digest_format(&container->digest).text);
    json_set_integer(note, "time", (int64_t)time(NULL));
    return store_name_write(engine->store, "bases", key, note, error);
}

static int check_platform(const char *reference, const char *platform, const struct container *container,
                          struct error *error) {
    const char *wanted = platform + strlen("linux/"), *has = container_architecture(container);
    size_t length = strcspn(wanted, "/");
    if (strlen(has) == length && strncmp(has, wanted, length) == 0)
        return 0;
    error_set(error, ERROR_DATA, "the base %s is for linux/%s, not for %s", reference, has, platform);
    return error_next(error, "take a base that exists for %s", platform);
}

static int resolve_new(struct engine *engine, const char *reference, const char *platform, struct container *container,
                       char **canonical, struct error *error) {
    if (text_starts_with(reference, "oci:"))
        return base_from_layout(engine, reference + strlen("oci:"), platform, container, error);
    if (text_starts_with(reference, "docker-archive:"))
        return base_from_docker_archive(engine, reference + strlen("docker-archive:"), container, error);
    if (text_starts_with(reference, "rootfs:"))
        return base_from_rootfs(engine, reference + strlen("rootfs:"), platform, container, error);
    if (text_starts_with(reference, "apt:"))
        return base_from_packages(engine, reference + strlen("apt:"), platform, container, error);
    return from_registry(engine, reference, platform, container, canonical, error);
}

/* Making a root file system of packages takes half a minute: who wants the same one waits for it. */
static int lock_packages(struct engine *engine, const char *reference, const char *key, int *lock,
                         struct error *error) {
    AUTO_FREE char *name = text_format("base %s", key), *doing = text_format("it makes the base %s", reference);
    return store_lock(engine->store, name, doing, engine->progress, lock, error);
}

static bool is_file(const char *reference) {
    return text_starts_with(reference, "oci:") || text_starts_with(reference, "docker-archive:") ||
           text_starts_with(reference, "rootfs:");
}

static bool is_made(const char *reference) {
    return text_starts_with(reference, "apt:");
}

static bool is_of_registry(const char *reference) {
    return !is_file(reference) && !is_made(reference);
}

static int64_t seconds_to_believe(const struct engine *engine, const char *reference) {
    if (strstr(reference, "@sha256:"))
        return INT64_MAX;
    if (is_made(reference))
        return PACKAGES_REMEMBERED;
    return engine->ask_bases || engine->new_lock ? 0 : REMEMBERED;
}

static int resolve(struct engine *engine, const char *reference, const char *platform, struct container *container,
                   char **canonical, struct error *error) {
    char key[DIGEST_HEX];
    AUTO_CLOSE int lock = -1;
    name_key(reference, platform, key);
    int64_t seconds = seconds_to_believe(engine, reference);
    /* A file or folder on the disk may have changed: it is read each time, and is cheap to read. */
    int known = is_file(reference) ? 0 : recall(engine, key, seconds, container, error);
    if (known == 0 && is_made(reference) && lock_packages(engine, reference, key, &lock, error) < 0)
        return -1;
    if (known == 0 && is_made(reference))
        known = recall(engine, key, seconds, container, error);
    if (known != 0)
        return known < 0 ? -1 : 0;
    /* Whoever waits for the lock looks for it. */
    if (resolve_new(engine, reference, platform, container, canonical, error) == 0 &&
        (is_file(reference) || remember(engine, key, reference, *canonical, container, error) == 0) &&
        (lock < 0 || store_batch_flush(engine->store, error) == 0))
        return 0;
    container_release(container);
    return -1;
}

static const char *relock(const struct engine *engine) {
    return engine->relock ? engine->relock : "pl-build --lock";
}

/* What is no image of a registry cannot be had in an earlier state: it can only be told that it is another. */
static int check_lock(const struct engine *engine, const char *reference, const char *meaning,
                      const struct container *container, struct error *error) {
    if (text_equal(digest_format(&container->digest).text, meaning))
        return 0;
    error_set(error, ERROR_DATA, "the base %s is not the one that pl.lock names: it is %s, not %s", reference,
              digest_format(&container->digest).text, meaning);
    return error_next(error, "if that is as it should be: %s", relock(engine));
}

static void set_lock(struct engine *engine, const char *reference, const char *platform, const char *canonical,
                     const struct container *container) {
    if (is_of_registry(reference))
        lock_set(engine->new_lock, reference, platform, canonical ? canonical : reference);
    else
        lock_set(engine->new_lock, reference, platform, digest_format(&container->digest).text);
}

int base_resolve(struct engine *engine, const char *reference, const char *platform, struct container *container,
                 struct error *error) {
    AUTO_FREE char *canonical = NULL;
    *container = (struct container){0};
    if (!text_starts_with(platform, "linux/"))
        return error_set(error, ERROR_USAGE, "the platform %s is not supported: it must begin with linux/", platform);
    if (text_equal(reference, "scratch"))
        return container_scratch(engine, platform, container, error);
    const char *meaning = engine->new_lock ? NULL : lock_find(engine->lock, reference, platform);
    bool is_pinned = meaning && is_of_registry(reference);
    if (engine->lock && !engine->new_lock && !meaning)
        progress_note(engine->progress, "pl.lock says nothing about the base %s: %s would", reference, relock(engine));
    if (resolve(engine, is_pinned ? meaning : reference, platform, container, &canonical, error) < 0)
        return -1;
    if ((meaning && !is_pinned && check_lock(engine, reference, meaning, container, error) < 0) ||
        check_platform(reference, platform, container, error) < 0) {
        container_release(container);
        if (error && error->kind == ERROR_UNAVAILABLE && text_is_empty(error->next))
            error_next(error, "let this machine reach it, or name another base: apt:SUITE?PACKAGES, oci:DIR and "
                              "rootfs:FILE need no registry");
        return -1;
    }
    if (engine->new_lock)
        set_lock(engine, reference, platform, canonical, container);
    return 0;
}
