/* Batches: many writes, few waits for the disk. What is held back is in struct batch; the protocol is in store.h. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/store/internal.h"

#include <fcntl.h>
#include <string.h>

enum {
    BATCH_OBJECTS = 400, /* so many descriptors are held; more objects become durable early */
    FEW_FILES = 16,      /* up to so many, an fsync of each is cheaper than a barrier for the whole file system */
};

bool store_in_batch(const struct store *store) {
    return store->batch.depth > 0;
}

void store_batch_begin(struct store *store) {
    store->batch.depth++;
}

/* ---- what is held back ---- */

int store_hold_object(struct store *store, const struct digest *digest, int *fd, struct error *error) {
    struct batch *batch = &store->batch;
    if (batch->object_count == BATCH_OBJECTS && store_batch_flush(store, error) < 0)
        return -1;
    batch->objects = memory_resize(batch->objects, batch->object_count + 1, sizeof(*batch->objects));
    batch->objects[batch->object_count++] = (struct held_object){*digest, take_fd(fd)};
    return 0;
}

const struct held_object *store_held_object(const struct store *store, const struct digest *digest) {
    for (size_t i = 0; i < store->batch.object_count; i++)
        if (digest_equal(&store->batch.objects[i].digest, digest))
            return &store->batch.objects[i];
    return NULL;
}

struct held_name *store_held_name(const struct store *store, const char *path) {
    for (size_t i = 0; i < store->batch.name_count; i++)
        if (text_equal(store->batch.names[i].path, path))
            return &store->batch.names[i];
    return NULL;
}

void store_hold_name(struct store *store, const char *path, char *text) {
    struct batch *batch = &store->batch;
    struct held_name *held = store_held_name(store, path);
    if (held) {
        free(held->text);
        held->text = text;
        return;
    }
    batch->names = memory_resize(batch->names, batch->name_count + 1, sizeof(*batch->names));
    batch->names[batch->name_count++] = (struct held_name){.path = text_copy(path), .text = text, .fd = -1};
}

void store_batch_then(struct store *store, store_action *action, void *context) {
    struct batch *batch = &store->batch;
    if (batch->object_count == 0 && batch->name_count == 0) {
        action(context, true);
        return;
    }
    batch->actions = memory_resize(batch->actions, batch->action_count + 1, sizeof(*batch->actions));
    batch->actions[batch->action_count++] = (struct held_action){action, context};
}

/* Forgets everything, and tells those who wait for it. */
static void clear(struct store *store, bool is_durable) {
    struct batch *batch = &store->batch;
    for (size_t i = 0; i < batch->object_count; i++)
        close(batch->objects[i].fd);
    for (size_t i = 0; i < batch->name_count; i++) {
        struct held_name *name = &batch->names[i];
        if (name->fd >= 0)
            close(name->fd);
        if (name->temporary)
            unlink(name->temporary);
        free(name->temporary);
        free(name->path);
        free(name->text);
    }
    batch->object_count = batch->name_count = 0;
    size_t count = batch->action_count;
    batch->action_count = 0;
    for (size_t i = 0; i < count; i++)
        batch->actions[i].action(batch->actions[i].context, is_durable);
}

void store_batch_release(struct store *store) {
    clear(store, false);
    free(store->batch.objects);
    free(store->batch.names);
    free(store->batch.actions);
    store->batch = (struct batch){0};
}

/* ---- making it durable ---- */

static int cannot_write(const struct store *store, struct error *error) {
    return error_set_errno(error, errno, "cannot write to the store %s", store->path);
}

/* Names go to files in tmp/, where whoever is alone removes what was cut off. */
static int write_names(struct store *store, struct error *error) {
    for (size_t i = 0; i < store->batch.name_count; i++) {
        struct held_name *name = &store->batch.names[i];
        char random[17];
        random_hex(random, sizeof(random));
        AUTO_FREE char *temporary = text_format("%s/tmp/%s", store->path, random);
        name->fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (name->fd < 0)
            return cannot_write(store, error);
        name->temporary = take_pointer(&temporary);
        if (fd_write_all(name->fd, name->text, strlen(name->text), error) < 0)
            return error_wrap(error, "the store %s", store->path);
    }
    return 0;
}

/* All are on their way before the first is waited for: most file systems then commit them at once. */
static int sync_contents(struct store *store, struct error *error) {
    struct batch *batch = &store->batch;
    if (batch->object_count + batch->name_count > FEW_FILES)
        return syncfs(store->root_fd) < 0 ? cannot_write(store, error) : 0;
    for (size_t i = 0; i < batch->object_count; i++)
        (void)!sync_file_range(batch->objects[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (size_t i = 0; i < batch->name_count; i++)
        (void)!sync_file_range(batch->names[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (size_t i = 0; i < batch->object_count; i++)
        if (fsync(batch->objects[i].fd) < 0)
            return cannot_write(store, error);
    for (size_t i = 0; i < batch->name_count; i++)
        if (fsync(batch->names[i].fd) < 0)
            return cannot_write(store, error);
    return 0;
}

static int link_objects(struct store *store, struct error *error) {
    const struct batch *batch = &store->batch;
    bool shards[256] = {false};
    for (size_t i = 0; i < batch->object_count; i++)
        if (store_link_object(store, batch->objects[i].fd, &batch->objects[i].digest, error) < 0)
            return -1;
    for (size_t i = 0; i < batch->object_count; i++) {
        unsigned shard = batch->objects[i].digest.bytes[0];
        if (!shards[shard] && store_sync_shard(store, &batch->objects[i].digest, error) < 0)
            return -1;
        shards[shard] = true;
    }
    return 0;
}

static int rename_names(struct store *store, struct error *error) {
    struct batch *batch = &store->batch;
    AUTO_LIST struct text_list folders = {0};
    for (size_t i = 0; i < batch->name_count; i++) {
        struct held_name *name = &batch->names[i];
        if (rename(name->temporary, name->path) < 0)
            return cannot_write(store, error);
        free(take_pointer(&name->temporary));
        AUTO_FREE char *folder = text_copy_length(name->path, (size_t)(path_base(name->path) - name->path));
        if (!text_list_contains(&folders, folder))
            text_list_add(&folders, folder);
    }
    for (size_t i = 0; i < folders.count; i++)
        if (directory_sync(folders.items[i], error) < 0)
            return -1;
    return 0;
}

int store_batch_flush(struct store *store, struct error *error) {
    int result = write_names(store, error);
    if (result == 0)
        result = sync_contents(store, error);
    if (result == 0)
        result = link_objects(store, error);
    if (result == 0)
        result = rename_names(store, error);
    clear(store, result == 0);
    return result;
}

int store_batch_end(struct store *store, struct error *error) {
    if (store->batch.depth == 0)
        return error_set(error, ERROR_INTERNAL, "no batch is open in the store");
    return --store->batch.depth > 0 ? 0 : store_batch_flush(store, error);
}
