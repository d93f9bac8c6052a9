#include "engine/lock.h"

#include "common/base/text.h"
#include "common/file/file.h"
#include "common/json/json.h"

#include <string.h>

enum { FILE_LIMIT = 1024 * 1024, VERSION = 1 };

struct lock {
    struct json *bases; /* reference → platform → meaning */
};

struct lock *lock_new(void) {
    struct lock *lock = memory_allocate(1, sizeof(*lock));
    lock->bases = json_new_object();
    return lock;
}

void lock_release(struct lock **lock) {
    if (!*lock)
        return;
    json_release(&(*lock)->bases);
    free(take_pointer(lock));
}

static bool is_meaning(const char *text) {
    return text && (strstr(text, "sha256:") || text_starts_with(text, "commit:"));
}

static int check_bases(const struct json *bases, const char *path, struct error *error) {
    bool fine = json_is_object(bases);
    for (void *i = json_first(bases); fine && i; i = json_next(bases, i)) {
        fine = json_is_object(json_value(i));
        for (void *k = json_first(json_value(i)); fine && k; k = json_next(json_value(i), k))
            fine = is_meaning(json_text(json_value(k)));
    }
    return fine ? 0 : error_set(error, ERROR_DATA, "%s is malformed: \"bases\" must name digests", path);
}

int lock_read(const char *path, struct lock **lock, struct error *error) {
    *lock = NULL;
    if (!file_exists(path))
        return 0;
    AUTO_JSON struct json *file = json_parse_file(path, FILE_LIMIT, error);
    if (!file)
        return -1;
    if (json_get_integer(file, "lock", 0) != VERSION)
        return error_set(error, ERROR_DATA, "%s is no lock file of a kind that this version of pl knows", path);
    if (check_bases(json_get(file, "bases"), path, error) < 0) {
        error_next(error, "write it anew: pl-build --lock");
        return -1;
    }
    *lock = memory_allocate(1, sizeof(**lock));
    (*lock)->bases = json_share(json_get(file, "bases"));
    return 0;
}

const char *lock_find(const struct lock *lock, const char *reference, const char *platform) {
    return lock ? json_text(json_get(json_get(lock->bases, reference), platform)) : NULL;
}

void lock_set(struct lock *lock, const char *reference, const char *platform, const char *meaning) {
    if (!json_get(lock->bases, reference))
        json_set(lock->bases, reference, json_new_object());
    json_set_text(json_get(lock->bases, reference), platform, meaning);
}

static bool has_platform(const struct lock *lock, const char *platform) {
    for (void *i = json_first(lock->bases); i; i = json_next(lock->bases, i))
        if (json_get(json_value(i), platform))
            return true;
    return false;
}

static void add_entry(struct json *bases, const char *reference, const char *platform, const struct json *meaning) {
    if (!json_get(bases, reference))
        json_set(bases, reference, json_new_object());
    json_set(json_get(bases, reference), platform, json_copy_deep(meaning));
}

static void add_entries(struct json *bases, const struct lock *from, const struct lock *unless) {
    for (void *i = json_first(from->bases); i; i = json_next(from->bases, i))
        for (void *k = json_first(json_value(i)); k; k = json_next(json_value(i), k))
            if (!unless || !has_platform(unless, json_key(k)))
                add_entry(bases, json_key(i), json_key(k), json_value(k));
}

/* A copy with its keys in order. */
static struct json *sorted(const struct json *object) {
    AUTO_LIST struct text_list keys = {0};
    struct json *copy = json_new_object();
    for (void *i = json_first(object); i; i = json_next(object, i))
        text_list_add(&keys, json_key(i));
    text_list_sort(&keys);
    for (size_t i = 0; i < keys.count; i++) {
        struct json *value = json_get(object, keys.items[i]);
        json_set(copy, keys.items[i], json_is_object(value) ? sorted(value) : json_share(value));
    }
    return copy;
}

int lock_write(const struct lock *lock, const struct lock *old, const char *path, struct error *error) {
    AUTO_JSON struct json *bases = json_new_object(), *file = json_new_object();
    add_entries(bases, lock, NULL);
    if (old)
        add_entries(bases, old, lock);
    json_set_integer(file, "lock", VERSION);
    json_set(file, "bases", sorted(bases));
    AUTO_FREE char *text = json_format(file, JSON_PRETTY);
    return file_write_atomic(path, text, strlen(text), 0644, error);
}

int lock_update(const char *path, const char *reference, const char *platform, const char *meaning,
                struct error *error) {
    AUTO_LOCK struct lock *lock = NULL;
    if (lock_read(path, &lock, error) < 0)
        return -1;
    if (!lock)
        lock = lock_new();
    lock_set(lock, reference, platform, meaning);
    return lock_write(lock, NULL, path, error);
}
