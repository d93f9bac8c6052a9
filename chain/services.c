#include "chain/services.h"

#include "chain/artifact.h"
#include "engine/base.h"

#include <string.h>

static bool is_host_name(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length < 64 && !name[length] && *name != '-' && !text_equal(name, "localhost");
}

static int open_container(struct engine *engine, const char *ref, struct container *container, struct error *error) {
    static const char prefix[] = "container:sha256:";
    struct digest digest;
    if (!text_starts_with(ref, prefix))
        return base_resolve(engine, ref, platform_native(), container, error);
    if (digest_parse(ref + strlen("container:"), &digest, error) < 0)
        return -1;
    return store_has(engine->store, &digest) ? container_load(engine, &digest, container, error)
                                             : artifact_is_gone(ref, error);
}

static int add_service(struct engine *engine, const char *text, struct chain_services *services, struct error *error) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return error_set(error, ERROR_USAGE, "--service takes NAME=REF");
    char *name = text_copy_length(text, (size_t)(equals - text));
    bool is_known = text_list_contains(&services->names, name);
    text_list_take(&services->names, name);
    if (!is_host_name(name))
        return error_set(error, ERROR_USAGE, "--service: \"%.60s\" is no host name", name);
    if (is_known)
        return error_set(error, ERROR_USAGE, "--service: the name %s is given twice", name);
    struct container *container = &services->containers[services->count];
    if (open_container(engine, equals + 1, container, error) < 0)
        return error_wrap(error, "the service %s", name);
    services->items[services->count++] = (struct service){name, container};
    return 0;
}

int chain_services_read(struct engine *engine, const struct text_list *given, struct chain_services *services,
                        struct error *error) {
    *services = (struct chain_services){0};
    if (given->count > SERVICE_LIMIT)
        return error_set(error, ERROR_USAGE, "more than %d services", SERVICE_LIMIT);
    for (size_t i = 0; i < given->count; i++)
        if (add_service(engine, given->items[i], services, error) < 0)
            return -1;
    return 0;
}

void chain_services_release(struct chain_services *services) {
    for (size_t i = 0; i < services->count; i++)
        container_release(&services->containers[i]);
    text_list_release(&services->names);
    services->count = 0;
}
