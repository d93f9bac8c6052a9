#include "common/crypto/random.h"
#include "common/file/file.h"
#include "common/json/json.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <fcntl.h>
#include <string.h>

static int visit_shard(struct store *store, const char *shard, object_visitor *visit, void *context,
                       struct error *error) {
    AUTO_FREE char *folder = text_format("%s/objects/%s", store->path, shard);
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = path_join(folder, names.items[i]), *hex = text_format("%s%s", shard, names.items[i]);
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        /* Another process may have put it into quarantine meanwhile. */
        if (fd < 0 || fstat(fd, &status) < 0)
            continue;
        if (visit(store, hex, fd, (uint64_t)status.st_size, context, error) < 0)
            return -1;
    }
    return 0;
}

int store_visit_objects(struct store *store, object_visitor *visit, void *context, struct error *error) {
    for (unsigned shard = 0; shard < 256; shard++) {
        char name[3];
        snprintf(name, sizeof(name), "%02x", shard);
        if (visit_shard(store, name, visit, context, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- verify ---- */

struct verification {
    struct store_findings *findings;
    struct progress *progress;
};

static int quarantine(struct store *store, const char *from, struct error *error) {
    char random[17];
    random_hex(random, sizeof(random));
    AUTO_FREE char *to = text_format("quarantine/%s", random);
    if (renameat(store->root_fd, from, store->root_fd, to) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot move %s/%s aside", store->path, from);
    return 0;
}

static int verify_object(struct store *store, const char *hex, int fd, uint64_t size, void *context,
                         struct error *error) {
    struct verification *verification = context;
    struct store_findings *findings = verification->findings;
    struct digest expected, found;
    if (progress_cancelled(verification->progress))
        return error_set(error, ERROR_CANCELLED, "cancelled");
    findings->objects++;
    findings->object_bytes += size;
    if (digest_parse_hex(hex, &expected, NULL) == 0 && digest_of_fd(fd, &found, NULL, NULL) == 0 &&
        digest_equal(&expected, &found))
        return 0;
    AUTO_FREE char *name = text_format("objects/%.2s/%s", hex, hex + 2);
    findings->damaged_objects++;
    text_list_add_format(&findings->complaints, "%s is not what its name says: moved to quarantine", name);
    return quarantine(store, name, error);
}

static int verify_names(struct store *store, struct store_findings *findings, struct error *error) {
    AUTO_FREE char *folder = path_join(store->path, "names");
    AUTO_LIST struct text_list kinds = {0};
    if (directory_list(folder, &kinds, error) < 0)
        return -1;
    for (size_t k = 0; k < kinds.count; k++) {
        AUTO_LIST struct text_list keys = {0};
        if (store_name_list(store, kinds.items[k], &keys, error) < 0)
            return -1;
        for (size_t i = 0; i < keys.count; i++) {
            AUTO_JSON struct json *value = NULL;
            findings->names++;
            if (store_name_peek(store, kinds.items[k], keys.items[i], &value, NULL) == 0 && value)
                continue;
            findings->damaged_names++;
            text_list_add_format(&findings->complaints, "names/%s/%s is damaged: removed", kinds.items[k],
                                 keys.items[i]);
            if (store_name_remove(store, kinds.items[k], keys.items[i], error) < 0)
                return -1;
        }
    }
    return 0;
}

static int verify_trees(struct store *store, struct store_findings *findings, struct error *error) {
    AUTO_FREE char *folder = path_join(store->path, "trees");
    AUTO_LIST struct text_list ids = {0};
    if (store_tree_list(store, &ids, error) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_FREE char *path = store_tree_path(store, ids.items[i]), *broken = path_join(folder, ids.items[i]);
        findings->trees++;
        if (path)
            continue;
        findings->broken_trees++;
        text_list_add_format(&findings->complaints, "trees/%s is not complete: removed", ids.items[i]);
        if (tree_remove(broken, error) < 0)
            return -1;
    }
    return 0;
}

int store_verify(struct store *store, struct progress *progress, struct store_findings *findings, struct error *error) {
    *findings = (struct store_findings){0};
    struct verification verification = {findings, progress};
    if (store_visit_objects(store, verify_object, &verification, error) < 0 ||
        verify_names(store, findings, error) < 0 || verify_trees(store, findings, error) < 0)
        return -1;
    if (findings->damaged_objects == 0)
        return 0;
    /* What the stat cache believes to be in the store may be what was damaged. */
    AUTO_FREE char *cache = path_join(store->path, "statcache");
    if (tree_remove(cache, error) < 0)
        return -1;
    return directory_make(cache, 0700, error);
}
