#include "engine/container.h"
#include "common/file/file.h"

#include <string.h>
#include <sys/utsname.h>

enum { CONFIG_LIMIT = 8 * 1024 * 1024, LAYER_LIMIT = 500 };

const char *platform_native(void) {
    struct utsname name;
    return uname(&name) == 0 && text_equal(name.machine, "aarch64") ? "linux/arm64" : "linux/amd64";
}

/* An emulator is of use in a container when the kernel has opened it before (the flag F), for no file of the host can
 * be seen there. */
static bool has_emulator(const char *machine) {
    AUTO_FREE char *path = text_format("/proc/sys/fs/binfmt_misc/qemu-%s", machine);
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    bool found = false;
    if (file_read(path, &text, &found, NULL) < 0 || !found || !text_starts_with(buffer_text(&text), "enabled"))
        return false;
    const char *flags = strstr(buffer_text(&text), "flags: ");
    AUTO_FREE char *line = flags ? text_copy_length(flags, strcspn(flags, "\n")) : NULL;
    return line && strchr(line, 'F');
}

bool platform_can_run(const char *architecture) {
    static const char *const machines[][2] = {{"amd64", "x86_64"},   {"arm64", "aarch64"},   {"arm", "arm"},
                                              {"386", "i386"},       {"ppc64le", "ppc64le"}, {"s390x", "s390x"},
                                              {"riscv64", "riscv64"}};
    const char *native = platform_native() + strlen("linux/");
    if (text_equal(architecture, native) || (text_equal(native, "amd64") && text_equal(architecture, "386")))
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(machines); i++)
        if (text_equal(machines[i][0], architecture))
            return has_emulator(machines[i][1]);
    return false;
}

int container_scratch(struct engine *engine, const char *platform, struct container *container, struct error *error) {
    const char *slash = platform ? strchr(platform, '/') : NULL;
    if (!slash || !text_starts_with(platform, "linux/") || !slash[1])
        return error_set(error, ERROR_USAGE, "\"%s\" is no platform such as linux/amd64", platform ? platform : "");
    const char *variant = strchr(slash + 1, '/');
    AUTO_FREE char *architecture =
        text_copy_length(slash + 1, variant ? (size_t)(variant - slash - 1) : strlen(slash + 1));
    struct json *config = json_new_object(), *settings = json_new_object(), *rootfs = json_new_object();
    struct json *environment = json_new_array();
    json_set_text(config, "architecture", architecture);
    if (variant)
        json_set_text(config, "variant", variant + 1);
    json_set_text(config, "os", "linux");
    json_append_text(environment, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    json_set(settings, "Env", environment);
    json_set(config, "config", settings);
    json_set_text(rootfs, "type", "layers");
    json_set(rootfs, "diff_ids", json_new_array());
    json_set(config, "rootfs", rootfs);
    json_set(config, "history", json_new_array());
    return container_store(engine, config, container, error);
}

static int check_config(const struct json *config, struct error *error) {
    struct json *layers = json_get_path(config, "rootfs.diff_ids");
    if (!json_is_object(config) || !json_is_array(layers))
        return error_set(error, ERROR_DATA, "the image config has no rootfs.diff_ids");
    if (json_count(layers) > LAYER_LIMIT)
        return error_set(error, ERROR_DATA, "the image has more than %d layers", LAYER_LIMIT);
    for (size_t i = 0; i < json_count(layers); i++) {
        struct digest digest;
        const char *text = json_text(json_at(layers, i));
        if (digest_parse(text ? text : "", &digest, error) < 0)
            return error_wrap(error, "the image config's diff_ids");
    }
    return 0;
}

int container_load(struct engine *engine, const struct digest *digest, struct container *container,
                   struct error *error) {
    *container = (struct container){.digest = *digest};
    AUTO_BUFFER struct buffer text = BUFFER(CONFIG_LIMIT);
    if (store_read(engine->store, digest, &text, error) < 0)
        return -1;
    AUTO_JSON struct json *config = json_parse(buffer_text(&text), text.length, "the image config", error);
    if (!config || check_config(config, error) < 0)
        return -1;
    container->config = take_pointer(&config);
    return 0;
}

int container_store(struct engine *engine, struct json *config, struct container *container, struct error *error) {
    *container = (struct container){.config = config};
    AUTO_BUFFER struct buffer text = BUFFER(CONFIG_LIMIT);
    json_write(config, JSON_CANONICAL, &text);
    if (buffer_check(&text, "the image config", error) < 0 || check_config(config, error) < 0)
        return -1;
    container->digest = digest_of(buffer_text(&text), text.length);
    if (store_has(engine->store, &container->digest)) {
        store_keep(engine->store, &container->digest);
        return 0;
    }
    return store_put(engine->store, buffer_text(&text), text.length, &container->digest, error);
}

struct container container_share(const struct container *container) {
    return (struct container){.digest = container->digest, .config = json_share(container->config)};
}

void container_release(struct container *container) {
    json_release(&container->config);
}

size_t container_layer_count(const struct container *container) {
    return json_count(json_get_path(container->config, "rootfs.diff_ids"));
}

int container_layer(const struct container *container, size_t index, struct digest *diff_id, struct error *error) {
    const char *text = json_text(json_at(json_get_path(container->config, "rootfs.diff_ids"), index));
    return digest_parse(text ? text : "", diff_id, error);
}

const char *container_architecture(const struct container *container) {
    return json_get_text(container->config, "architecture", "amd64");
}
