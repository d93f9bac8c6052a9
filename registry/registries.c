#include "registry/registries.h"

static int open_registry(struct registries *registries, struct error *error) {
    if (registries->registry)
        return 0;
    struct http_options options = {.progress = registries->progress, .deadline = 3600};
    registries->http = http_new(&options);
    if (!registries->http)
        return error_set(error, ERROR_CONFIGURATION, "libcurl.so.4 cannot be loaded, which speaks to registries");
    registries->login.progress = registries->progress;
    registries->files = docker_login_source(&registries->login, NULL);
    registries->registry = registry_new(&(struct registry_options){
        .http = registries->http, .progress = registries->progress, .logins = &registries->files});
    return 0;
}

static int manifest(void *context, const char *reference, const char *platform, struct buffer *out, char **canonical,
                    struct error *error) {
    struct registries *registries = context;
    if (open_registry(registries, error) < 0)
        return -1;
    struct image_source source = registry_image_source(registries->registry);
    return source.manifest(source.context, reference, platform, out, canonical, error);
}

static int blob(void *context, const char *canonical, const struct digest *digest, uint64_t size, struct store *store,
                struct error *error) {
    struct registries *registries = context;
    if (open_registry(registries, error) < 0)
        return -1;
    struct image_source source = registry_image_source(registries->registry);
    return source.blob(source.context, canonical, digest, size, store, error);
}

struct image_source registries_source(struct registries *registries) {
    return (struct image_source){.context = registries, .manifest = manifest, .blob = blob};
}

void registries_release(struct registries *registries) {
    registry_release(&registries->registry);
    http_release(&registries->http);
}
