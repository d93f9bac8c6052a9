#include "common/file/file.h"
#include "local/registry/internal.h"

#include <ctype.h>
#include <string.h>

enum { RECORD_LIMIT = 64 << 10 };

struct registry *registry_open(const struct local_cloud *cloud, struct error *error) {
    struct registry *registry = memory_allocate(1, sizeof(*registry));
    registry->store = cloud->store;
    registry->root = path_join(cloud->state, "registry");
    pthread_mutex_init(&registry->lock, NULL);
    if (directory_make(registry->root, 0700, error) < 0)
        registry_close(&registry);
    return registry;
}

void registry_close(struct registry **registry) {
    if (!*registry)
        return;
    uploads_release(*registry);
    pthread_mutex_destroy(&(*registry)->lock);
    free((*registry)->root);
    free(*registry);
    *registry = NULL;
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool part_is_valid(const char *part, size_t length) {
    if (!length || !isalnum((unsigned char)part[0]) || !isalnum((unsigned char)part[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)part[i];
        if (!islower(c) && !isdigit(c) && c != '.' && c != '_' && c != '-')
            return false;
        size_t run = strspn(part + i, "._-");
        if (run > 1 && strspn(part + i, "-") != run && !(run == 2 && part[i] == '_' && part[i + 1] == '_'))
            return false;
        i += run ? run - 1 : 0;
    }
    return true;
}

bool repository_is_valid(const char *name) {
    if (!*name || strlen(name) > NAME_LIMIT)
        return false;
    for (const char *at = name;; at++) {
        size_t length = strcspn(at, "/");
        if (!part_is_valid(at, length))
            return false;
        at += length;
        if (!*at)
            return true;
    }
}

bool tag_is_valid(const char *tag) {
    size_t length = strlen(tag);
    return length >= 1 && length <= 128 && tag[0] != '.' && tag[0] != '-' &&
           strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == length;
}

static struct target target_of(enum target_kind kind, const char *name, const char *end, const char *reference) {
    return (struct target){
        .kind = kind, .repository = text_copy_length(name, (size_t)(end - name)), .reference = text_copy(reference)};
}

/* The last "/WORD/" of the path, so that a repository may have a part named "blobs". */
static const char *find_last(const char *name, const char *word) {
    const char *found = NULL;
    for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
        found = at;
    return found;
}

void target_parse(const char *path, struct target *target) {
    *target = (struct target){.kind = TARGET_NONE};
    if (!text_starts_with(path, "/v2"))
        return;
    if (text_equal(path, "/v2") || text_equal(path, "/v2/")) {
        target->kind = TARGET_BASE;
        return;
    }
    if (text_equal(path, "/v2/token")) {
        target->kind = TARGET_TOKEN;
        return;
    }
    if (text_equal(path, "/v2/_catalog")) {
        target->kind = TARGET_CATALOG;
        return;
    }
    const char *name = path + strlen("/v2/");
    const char *slash = strrchr(name, '/'), *found;
    if (!slash)
        return;
    if ((found = find_last(name, "/blobs/uploads")) &&
        (text_equal(found, "/blobs/uploads") || text_equal(found, "/blobs/uploads/")))
        *target = target_of(TARGET_UPLOADS, name, found, NULL);
    else if ((found = find_last(name, "/blobs/uploads/")) && slash == found + strlen("/blobs/uploads"))
        *target = target_of(TARGET_UPLOAD, name, found, slash + 1);
    else if ((found = find_last(name, "/blobs/")) && slash == found + strlen("/blobs"))
        *target = target_of(TARGET_BLOB, name, found, slash + 1);
    else if ((found = find_last(name, "/manifests/")) && slash == found + strlen("/manifests"))
        *target = target_of(TARGET_MANIFEST, name, found, slash + 1);
    else if ((found = find_last(name, "/referrers/")) && slash == found + strlen("/referrers"))
        *target = target_of(TARGET_REFERRERS, name, found, slash + 1);
    else if (text_ends_with(name, "/tags/list"))
        *target = target_of(TARGET_TAGS, name, name + strlen(name) - strlen("/tags/list"), NULL);
}

void target_release(struct target *target) {
    free(target->repository);
    free(target->reference);
    *target = (struct target){0};
}

char *registry_path(const struct registry *registry, const char *repository, const char *folder, const char *key) {
    return key ? text_format("%s/%s/%s/%s", registry->root, repository, folder, key)
               : text_format("%s/%s/%s", registry->root, repository, folder);
}

bool registry_has(const struct registry *registry, const char *repository, const char *folder,
                  const struct digest *digest) {
    AUTO_FREE char *path = registry_path(registry, repository, folder, digest_format_hex(digest).text);
    return file_exists(path) && store_has(registry->store, digest);
}

int registry_link(const struct registry *registry, const char *repository, const char *folder,
                  const struct digest *digest, const char *content, struct error *error) {
    AUTO_FREE char *parent = registry_path(registry, repository, folder, NULL);
    AUTO_FREE char *path = registry_path(registry, repository, folder, digest_format_hex(digest).text);
    if (!*content && file_exists(path))
        return 0;
    if (directory_make(parent, 0700, error) < 0)
        return -1;
    return file_write_atomic(path, content, strlen(content), 0600, error);
}

bool repository_exists(const struct registry *registry, const char *repository) {
    AUTO_FREE char *manifests = registry_path(registry, repository, "_manifests", NULL);
    AUTO_FREE char *blobs = registry_path(registry, repository, "_blobs", NULL);
    return directory_exists(manifests) || directory_exists(blobs);
}

bool registry_resolve(const struct registry *registry, const char *repository, const char *reference,
                      struct digest *digest) {
    if (strchr(reference, ':'))
        return digest_parse(reference, digest, NULL) == 0 && registry_has(registry, repository, "_manifests", digest);
    if (!tag_is_valid(reference))
        return false;
    AUTO_FREE char *path = registry_path(registry, repository, "_tags", reference);
    AUTO_BUFFER struct buffer text = BUFFER(DIGEST_TEXT);
    bool found = false;
    return file_read(path, &text, &found, NULL) == 0 && found && digest_parse(buffer_text(&text), digest, NULL) == 0 &&
           registry_has(registry, repository, "_manifests", digest);
}

struct json *manifest_record(const struct registry *registry, const char *repository, const struct digest *digest) {
    AUTO_FREE char *path = registry_path(registry, repository, "_manifests", digest_format_hex(digest).text);
    return file_exists(path) ? json_parse_file(path, RECORD_LIMIT, NULL) : NULL;
}
