#include "registry/registries.h"

#include "registry/npm.h"

enum { DEADLINE = 3600 };

static struct http *open_plain(struct registries *registries) {
    registries->sources[0] = registries->sources[1];
    return http_new(&(struct http_options){.progress = registries->progress, .deadline = DEADLINE});
}

static void open_registry(struct registries *registries) {
    if (registries->registry)
        return;
    registries->docker = (struct docker_login){.progress = registries->progress};
    registries->sources[1] = docker_login_source(&registries->docker, NULL);
    registries->http = registries->open ? registries->open(registries->context, registries->progress,
                                                           &registries->sources[1], &registries->sources[0])
                                        : open_plain(registries);
    registries->registry = registry_new(&(struct registry_options){
        .http = registries->http, .progress = registries->progress, .logins = &registries->sources[0]});
}

static int manifest(void *context, const char *reference, const char *platform, struct buffer *out, char **canonical,
                    struct error *error) {
    struct registries *registries = context;
    open_registry(registries);
    struct image_source source = registry_image_source(registries->registry);
    return source.manifest(source.context, reference, platform, out, canonical, error);
}

static int blob(void *context, const char *canonical, const struct digest *digest, uint64_t size, struct store *store,
                struct error *error) {
    struct registries *registries = context;
    open_registry(registries);
    struct image_source source = registry_image_source(registries->registry);
    return source.blob(source.context, canonical, digest, size, store, error);
}

struct image_source registries_source(struct registries *registries) {
    return (struct image_source){.context = registries, .manifest = manifest, .blob = blob};
}

static int tarball(void *context, const char *name, const char *version, const char *integrity, struct store *store,
                   struct digest *digest, struct error *error) {
    struct registries *registries = context;
    open_registry(registries);
    if (!registries->http)
        return error_set(error, ERROR_CONFIGURATION, "libcurl.so.4 cannot be loaded, which speaks to registries");
    struct npm_registry npm = {.http = registries->http, .progress = registries->progress};
    return npm_tarball(&npm, name, version, integrity, store, digest, error);
}

struct package_source registries_packages(struct registries *registries) {
    return (struct package_source){.context = registries, .tarball = tarball};
}

void registries_release(struct registries *registries) {
    registry_release(&registries->registry);
    http_release(&registries->http);
}
