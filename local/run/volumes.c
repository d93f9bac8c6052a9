#include "local/run/volumes.h"

#include "common/file/file.h"
#include "local/secrets/secrets.h"

#include <string.h>

enum { MEMORY_DEFAULT = 512 << 20, MODE_DEFAULT = 0444 };

static int fail(struct failure *failure, struct error *error) {
    failure_set(failure, "SECRETS_ACCESS_CHECK_FAILED", "%.900s", error->text);
    error_clear(error);
    return -1;
}

static int read_secret(const struct run *run, const char *secret, const char *version, struct buffer *value,
                       struct failure *failure) {
    struct error error = {0};
    return secrets_read(run->cloud, secret, version, value, &error) < 0 ? fail(failure, &error) : 0;
}

char *variable_value(const struct run *run, const struct json *variable, struct failure *failure) {
    const struct json *secret = json_get_path(variable, "valueSource.secretKeyRef");
    if (!secret)
        return text_copy(json_get_text(variable, "value", ""));
    AUTO_BUFFER struct buffer value = BUFFER(SECRET_LIMIT + 1);
    if (read_secret(run, json_get_text(secret, "secret", ""), json_get_text(secret, "version", "latest"), &value,
                    failure) < 0)
        return NULL;
    if (memchr(buffer_text(&value), '\0', value.length)) {
        failure_set(failure, "SECRETS_ACCESS_CHECK_FAILED",
                    "The secret of the variable %.100s holds a NUL byte: mount it as a file",
                    json_get_text(variable, "name", ""));
        return NULL;
    }
    char *text = text_copy(buffer_text(&value));
    memory_wipe(value.data, value.length);
    return text;
}

static struct sandbox_mount *add_mount(struct volumes *volumes, char *target) {
    if (volumes->count == VOLUME_MOUNTS_MOST) {
        free(target);
        return NULL;
    }
    text_list_take(&volumes->targets, target);
    return &volumes->mounts[volumes->count++];
}

/* One file; its bytes live in volumes->values until the container has been started. */
static int add_secret(const struct run *run, const char *secret, const char *version, char *target, mode_t mode,
                      struct volumes *volumes, struct failure *failure) {
    struct sandbox_mount *mount = add_mount(volumes, target);
    if (!mount) {
        failure_set(failure, "UNKNOWN", "The local cloud mounts at most %d files", VOLUME_MOUNTS_MOST);
        return -1;
    }
    struct buffer *value = &volumes->values[volumes->count - 1];
    *value = (struct buffer)BUFFER(SECRET_LIMIT + 1);
    if (read_secret(run, secret, version, value, failure) < 0)
        return -1;
    *mount = (struct sandbox_mount){
        .type = SANDBOX_SECRET, .target = target, .data = buffer_text(value), .length = value->length, .mode = mode};
    return 0;
}

/* Without items the newest version, as a file with the secret's name. */
static int add_secrets(const struct run *run, const struct json *source, const char *path, struct volumes *volumes,
                       struct failure *failure) {
    const struct json *items = json_get(source, "items");
    const char *secret = json_get_text(source, "secret", "");
    mode_t mode = (mode_t)json_get_integer(source, "defaultMode", MODE_DEFAULT) & 0777;
    if (json_count(items) == 0)
        return add_secret(run, secret, "latest", path_join(path, path_base(secret)), mode, volumes, failure);
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *item = json_at(items, i);
        const char *name = json_get_text(item, "path", "");
        if (!path_is_below(name)) {
            failure_set(failure, "UNKNOWN", "The path \"%.100s\" leads out of the volume", name);
            return -1;
        }
        if (add_secret(run, secret, json_get_text(item, "version", "latest"), path_join(path, name),
                       (mode_t)json_get_integer(item, "mode", mode) & 0777, volumes, failure) < 0)
            return -1;
    }
    return 0;
}

static void add_memory(const struct json *source, const char *path, struct volumes *volumes) {
    char *target = text_copy(path);
    struct sandbox_mount *mount = add_mount(volumes, target);
    uint64_t size = memory_bytes(json_get_text(source, "sizeLimit", ""), MEMORY_DEFAULT);
    if (mount)
        *mount = (struct sandbox_mount){.type = SANDBOX_TMPFS, .target = target, .writable = true, .size = size};
}

int volumes_prepare(const struct run *run, const struct json *document, struct volumes *volumes,
                    struct failure *failure) {
    const struct json *mounts = json_get(json_at(json_get(document, "containers"), 0), "volumeMounts");
    const struct json *all = json_get(document, "volumes");
    *volumes = (struct volumes){0};
    for (size_t i = 0; i < json_count(mounts); i++) {
        const char *name = json_get_text(json_at(mounts, i), "name", "");
        const char *path = json_get_text(json_at(mounts, i), "mountPath", "");
        for (size_t j = 0; j < json_count(all); j++) {
            const struct json *volume = json_at(all, j), *secret = json_get(volume, "secret");
            if (!text_equal(json_get_text(volume, "name", NULL), name))
                continue;
            if (json_get(volume, "emptyDir"))
                add_memory(json_get(volume, "emptyDir"), path, volumes);
            else if (secret && add_secrets(run, secret, path, volumes, failure) < 0)
                return -1;
        }
    }
    return 0;
}

void volumes_release(struct volumes *volumes) {
    for (size_t i = 0; i < volumes->count; i++) {
        if (volumes->values[i].data)
            memory_wipe(volumes->values[i].data, volumes->values[i].length);
        buffer_release(&volumes->values[i]);
    }
    text_list_release(&volumes->targets);
}
