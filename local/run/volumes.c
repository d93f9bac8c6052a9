#include "local/run/volumes.h"

#include "common/file/file.h"
#include "local/run/databases.h"
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

/* Keeps a text as long as the mounts. NULL stays NULL. */
static const char *keep(struct volumes *volumes, char *text) {
    if (text)
        text_list_take(&volumes->texts, text);
    return text;
}

/* NULL with *failure: there are too many. Takes the target. */
static struct sandbox_mount *add_mount(struct volumes *volumes, char *target, struct failure *failure) {
    const char *kept = keep(volumes, target);
    if (volumes->count == VOLUME_MOUNTS_MOST) {
        failure_set(failure, "UNKNOWN", "The local cloud mounts at most %d files and volumes", VOLUME_MOUNTS_MOST);
        return NULL;
    }
    volumes->mounts[volumes->count] = (struct sandbox_mount){.target = kept, .shared = -1};
    return &volumes->mounts[volumes->count++];
}

/* One file; its bytes live in volumes->values until the container has been started. */
static int add_secret(const struct run *run, const char *secret, const char *version, char *target, mode_t mode,
                      struct volumes *volumes, struct failure *failure) {
    struct sandbox_mount *mount = add_mount(volumes, target, failure);
    if (!mount)
        return -1;
    struct buffer *value = &volumes->values[volumes->count - 1];
    *value = (struct buffer)BUFFER(SECRET_LIMIT + 1);
    if (read_secret(run, secret, version, value, failure) < 0)
        return -1;
    mount->type = SANDBOX_SECRET;
    mount->data = buffer_text(value);
    mount->length = value->length;
    mount->mode = mode;
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

/* ---- directories ---- */

/* `source` is taken; `below` (NULL: none) leads from it to what is mounted. */
static int add_directory(char *source, const char *below, const char *target, bool writable, struct volumes *volumes,
                         struct failure *failure) {
    const char *whole = keep(volumes, source);
    struct error error = {0};
    if (!text_is_empty(below)) {
        if (!path_is_below(below)) {
            failure_set(failure, "UNKNOWN", "The path \"%.100s\" leads out of the volume", below);
            return -1;
        }
        whole = keep(volumes, path_join(whole, below));
    }
    if (directory_make(whole, 0777, &error) < 0 || chmod(whole, 0777) < 0) {
        failure_set(failure, "UNKNOWN", "The directory of a volume could not be made: %.600s",
                    error.kind ? error.text : strerror(errno));
        error_clear(&error);
        return -1;
    }
    struct sandbox_mount *mount = add_mount(volumes, text_copy(target), failure);
    if (!mount)
        return -1;
    mount->type = SANDBOX_BIND;
    mount->source = whole;
    mount->writable = writable;
    return 0;
}

/* `kind`/`name` of the cloud's state. */
static int add_stand_in(const struct run *run, const char *kind, const char *name, const struct json *mount,
                        bool writable, struct volumes *volumes, struct failure *failure) {
    if (!path_is_below(name)) {
        failure_set(failure, "UNKNOWN", "\"%.100s\" can have no directory", name);
        return -1;
    }
    return add_directory(text_format("%s/%s/%s", run->cloud->state, kind, name), json_get_text(mount, "subPath", NULL),
                         json_get_text(mount, "mountPath", ""), writable, volumes, failure);
}

static int add_export(const struct run *run, const struct json *source, const struct json *mount,
                      struct volumes *volumes, struct failure *failure) {
    const char *path = json_get_text(source, "path", "");
    AUTO_FREE char *name = text_format("%s%s%s", json_get_text(source, "server", ""), *path == '/' ? "" : "/", path);
    size_t length = strlen(name);
    if (length > 0 && name[length - 1] == '/')
        name[length - 1] = '\0';
    return add_stand_in(run, "nfs", name, mount, !json_get_bool(source, "readOnly", false), volumes, failure);
}

/* ---- memory ---- */

static int add_memory(struct shared_volumes *shared, const struct json *source, const struct json *given,
                      struct volumes *volumes, struct failure *failure) {
    struct sandbox_mount *mount = add_mount(volumes, text_copy(json_get_text(given, "mountPath", "")), failure);
    if (!mount)
        return -1;
    if (json_get(given, "subPath")) {
        failure_set(failure, "UNKNOWN", "The local cloud has no subPath of a volume in memory");
        return -1;
    }
    mount->writable = true;
    mount->size = memory_bytes(json_get_text(source, "sizeLimit", ""), MEMORY_DEFAULT);
    mount->shared = shared_volumes_memory(shared, json_get_text(given, "name", ""));
    mount->type = mount->shared >= 0 ? SANDBOX_SHARED : SANDBOX_TMPFS;
    return 0;
}

/* ---- all ---- */

static int add_volume(const struct instance *instance, const struct json *volume, const struct json *mount,
                      struct volumes *volumes, struct failure *failure) {
    const struct json *empty = json_get(volume, "emptyDir"), *secret = json_get(volume, "secret");
    const struct json *bucket = json_get(volume, "gcs"), *nfs = json_get(volume, "nfs");
    const char *name = json_get_text(volume, "name", ""), *path = json_get_text(mount, "mountPath", "");
    const char *directory = shared_volumes_directory(instance->volumes, name);
    if (directory)
        return add_directory(text_copy(directory), json_get_text(mount, "subPath", NULL), path, true, volumes, failure);
    if (empty)
        return add_memory(instance->volumes, empty, mount, volumes, failure);
    if (secret)
        return add_secrets(instance->run, secret, path, volumes, failure);
    if (bucket)
        return add_stand_in(instance->run, "buckets", json_get_text(bucket, "bucket", ""), mount,
                            !json_get_bool(bucket, "readOnly", false), volumes, failure);
    if (nfs)
        return add_export(instance->run, nfs, mount, volumes, failure);
    return add_directory(text_copy(databases_directory(instance->databases)), NULL, path, true, volumes, failure);
}

int volumes_prepare(const struct instance *instance, const struct json *document, const struct json *given,
                    struct volumes *volumes, struct failure *failure) {
    const struct json *mounts = json_get(given, "volumeMounts"), *all = json_get(document, "volumes");
    *volumes = (struct volumes){0};
    for (size_t i = 0; i < json_count(mounts); i++) {
        const struct json *mount = json_at(mounts, i);
        const char *name = json_get_text(mount, "name", "");
        for (size_t j = 0; j < json_count(all); j++)
            if (text_equal(json_get_text(json_at(all, j), "name", NULL), name) &&
                add_volume(instance, json_at(all, j), mount, volumes, failure) < 0)
                return -1;
    }
    return 0;
}

void volumes_release(struct volumes *volumes) {
    for (size_t i = 0; i < volumes->count; i++) {
        if (volumes->values[i].data)
            memory_wipe(volumes->values[i].data, volumes->values[i].length);
        buffer_release(&volumes->values[i]);
        cleanup_close(&volumes->mounts[i].shared);
    }
    text_list_release(&volumes->texts);
}
