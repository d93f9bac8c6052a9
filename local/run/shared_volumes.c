/* Volumes that belong to an instance and not to one of its containers. */
#include "common/file/file.h"
#include "local/run/volumes.h"

#include <string.h>

enum { MEMORY_DEFAULT = 512 << 20 };

struct shared_volumes {
    struct store *store;
    char *scratch;
    struct shared_volume {
        char *name;
        char *directory; /* on the disk, or NULL: in memory */
        int mounts[VOLUME_MOUNTS_MOST];
        size_t count;
    } items[VOLUMES_MOST];
    size_t count;
};

static size_t count_mounts(const struct json *document, const char *name) {
    const struct json *containers = json_get(document, "containers");
    size_t count = 0;
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *mounts = json_get(json_at(containers, i), "volumeMounts");
        for (size_t j = 0; j < json_count(mounts); j++)
            count += text_equal(json_get_text(json_at(mounts, j), "name", NULL), name);
    }
    return count;
}

static int make_one(struct shared_volumes *volumes, const struct json *source, const char *name, size_t count,
                    struct error *error) {
    struct shared_volume *volume = &volumes->items[volumes->count++];
    volume->name = text_copy(name);
    AUTO_FREE char *place = text_format("%s/%zu", volumes->scratch, volumes->count);
    if (directory_make(place, 0755, error) < 0)
        return -1;
    if (text_equal(json_get_text(source, "medium", NULL), "DISK")) {
        volume->directory = take_pointer(&place);
        return chmod(volume->directory, 01777) < 0 ? error_set_errno(error, errno, "cannot make a volume") : 0;
    }
    uint64_t size = memory_bytes(json_get_text(source, "sizeLimit", ""), MEMORY_DEFAULT);
    if (sandbox_shared_memory(place, size, volume->mounts, count, error) < 0)
        return -1;
    volume->count = count;
    return 0;
}

/* One container's own memory needs nothing of this. */
static bool is_shared(const struct json *source, size_t count) {
    return source && (count > 1 || text_equal(json_get_text(source, "medium", NULL), "DISK"));
}

static int make_all(struct instance *instance, const struct json *all, const struct json *document,
                    struct error *error) {
    for (size_t i = 0; i < json_count(all) && i < VOLUMES_MOST; i++) {
        const struct json *source = json_get(json_at(all, i), "emptyDir");
        const char *name = json_get_text(json_at(all, i), "name", "");
        size_t count = count_mounts(document, name);
        if (!is_shared(source, count))
            continue;
        if (count > VOLUME_MOUNTS_MOST)
            return error_set(error, ERROR_DATA, "volume %.60s is mounted more than %d times", name, VOLUME_MOUNTS_MOST);
        if (!instance->volumes) {
            instance->volumes = memory_allocate(1, sizeof(*instance->volumes));
            instance->volumes->store = instance->run->cloud->store;
            if (store_scratch(instance->volumes->store, &instance->volumes->scratch, error) < 0)
                return -1;
        }
        if (make_one(instance->volumes, source, name, count, error) < 0)
            return -1;
    }
    return 0;
}

int shared_volumes_make(struct instance *instance, const struct json *document, struct failure *failure) {
    struct error error = {0};
    if (make_all(instance, json_get(document, "volumes"), document, &error) == 0)
        return 0;
    failure_set(failure, "UNKNOWN", "A volume could not be made: %.800s", error.text);
    error_clear(&error);
    return -1;
}

static struct shared_volume *find(struct shared_volumes *volumes, const char *name) {
    for (size_t i = 0; volumes && i < volumes->count; i++)
        if (text_equal(volumes->items[i].name, name))
            return &volumes->items[i];
    return NULL;
}

const char *shared_volumes_directory(const struct shared_volumes *volumes, const char *name) {
    for (size_t i = 0; volumes && i < volumes->count; i++)
        if (text_equal(volumes->items[i].name, name))
            return volumes->items[i].directory;
    return NULL;
}

int shared_volumes_memory(struct shared_volumes *volumes, const char *name) {
    struct shared_volume *volume = find(volumes, name);
    return volume && volume->count > 0 ? volume->mounts[--volume->count] : -1;
}

void shared_volumes_release(struct shared_volumes **pointer) {
    struct shared_volumes *volumes = *pointer;
    *pointer = NULL;
    if (!volumes)
        return;
    for (size_t i = 0; i < volumes->count; i++) {
        while (volumes->items[i].count > 0)
            close(volumes->items[i].mounts[--volumes->items[i].count]);
        free(volumes->items[i].name);
        free(volumes->items[i].directory);
    }
    if (volumes->scratch)
        store_scratch_remove(volumes->store, volumes->scratch);
    free(volumes->scratch);
    free(volumes);
}
