/* The mounts of an exec step, made ready: caches locked, trees laid out. */
#include "common/file/file.h"
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

/* ---- trees ---- */

static int copy_object(struct engine *engine, const struct tree_entry *file, const char *path, struct error *error) {
    uint64_t size;
    char block[16 * 1024];
    AUTO_CLOSE int from = store_open_object(engine->store, &file->digest, &size, error);
    if (from < 0)
        return -1;
    AUTO_CLOSE int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    for (ssize_t got; (got = read(from, block, sizeof(block))) != 0;)
        if (got < 0 || fd_write_all(to, block, (size_t)got, error) < 0)
            return got < 0 ? error_set_errno(error, errno, "cannot read from the store") : -1;
    const struct timespec times[2] = {{.tv_sec = engine->epoch}, {.tv_sec = engine->epoch}};
    if (futimens(to, times) < 0 || fchmod(to, file->type == 'x' ? 0755 : 0644) < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    return 0;
}

/* From the bottom up, so that a directory that nobody may write to is complete before. */
static int apply_owners(const struct tree *tree, const char *directory, struct error *error) {
    bool can_chown = sandbox_keeps_owners();
    for (size_t i = tree->count; i-- > 0;) {
        const struct tree_entry *entry = &tree->entries[i];
        if (!entry->has_owner)
            continue;
        AUTO_FREE char *path = path_join(directory, entry->path);
        if ((can_chown && lchown(path, entry->uid, entry->gid) < 0) ||
            (entry->type != 'l' && chmod(path, entry->mode) < 0))
            return error_set_errno(error, errno, "cannot set the owner of %s", path);
        /* Only root may; without it the file is there all the same. */
        if (entry->capability_length > 0)
            (void)!lsetxattr(path, "security.capability", entry->capability, entry->capability_length, 0);
    }
    return 0;
}

int tree_materialise(struct engine *engine, const struct digest *digest, const char *directory, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    if (tree_load(engine, digest, &tree, error) < 0 || directory_make(directory, 0755, error) < 0)
        return -1;
    if (chmod(directory, 0755) < 0)
        return error_set_errno(error, errno, "cannot write %s", directory);
    for (size_t i = 0; i < tree.count; i++) {
        const struct tree_entry *entry = &tree.entries[i];
        AUTO_FREE char *path = path_join(directory, entry->path);
        int result = 0;
        if (entry->type == 'd')
            result = mkdir(path, 0755) < 0 || chmod(path, 0755) < 0
                         ? error_set_errno(error, errno, "cannot make %s", path)
                         : 0;
        else if (entry->type == 'l')
            result = symlink(entry->target, path) < 0 ? error_set_errno(error, errno, "cannot make %s", path) : 0;
        else
            result = copy_object(engine, entry, path, error);
        if (result < 0)
            return -1;
    }
    return apply_owners(&tree, directory, error);
}

/* ---- locks ---- */

/* Owners on the disk differ by mode, so each mode has caches of its own. */
char *step_cache_id(enum sandbox_mode mode, const char *id) {
    return text_format("%s %s", sandbox_mode_name(mode), id);
}

int step_lock_caches(struct engine *engine, const struct step_exec *exec, struct prepared *prepared,
                     struct error *error) {
    struct text_list *ids = &prepared->cache_ids;
    for (size_t i = 0; i < exec->mount_count; i++)
        if (exec->mounts[i].type == MOUNT_CACHE) {
            AUTO_FREE char *id = step_cache_id(sandbox_mode(), exec->mounts[i].id);
            if (!text_list_contains(ids, id))
                text_list_add(ids, id);
        }
    text_list_sort(ids);
    prepared->locks = memory_allocate(ids->count + 1, sizeof(*prepared->locks));
    for (size_t i = 0; i < ids->count; i++) {
        char *path = NULL;
        int result = store_mount_lock(engine->store, ids->items[i], engine->progress, &path,
                                      &prepared->locks[prepared->lock_count], error);
        text_list_take(&prepared->cache_paths, path);
        if (result < 0)
            return -1;
        prepared->lock_count++;
    }
    return 0;
}

/* ---- one mount of each kind ---- */

static int prepare_cache(const struct step_mount *mount, struct sandbox_mount *out, struct prepared *prepared,
                         struct error *error) {
    AUTO_FREE char *id = step_cache_id(sandbox_mode(), mount->id);
    for (size_t i = 0; i < prepared->cache_ids.count; i++)
        if (text_equal(prepared->cache_ids.items[i], id))
            out->source = prepared->cache_paths.items[i];
    out->writable = true;
    if (chmod(out->source, mount->mode ? mount->mode : 0755) < 0 ||
        (sandbox_keeps_owners() && lchown(out->source, mount->uid, mount->gid) < 0))
        return error_set_errno(error, errno, "cannot prepare the cache mount %s", mount->id);
    return 0;
}

static void prepare_secret(const struct step_mount *mount, struct sandbox_mount *out, struct prepared *prepared) {
    *out = (struct sandbox_mount){.type = SANDBOX_SECRET,
                                  .target = mount->target,
                                  .data = mount->secret,
                                  .length = mount->secret_length,
                                  .mode = mount->mode ? mount->mode : 0400,
                                  .uid = mount->uid,
                                  .gid = mount->gid};
    if (!mount->variable)
        return;
    AUTO_FREE char *text = text_copy_length(mount->secret, mount->secret_length);
    text_list_add_format(&prepared->environment, "%s=%s", mount->variable, text);
    memory_wipe(text, strlen(text));
}

/* What is mounted lies in the tree: a link in it could lead to anywhere on the machine. */
static int check_source(const struct step_mount *mount, const char *root, const char *inside, struct error *error) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    if (!path_is_below(inside))
        return error_set(error, ERROR_DATA, "the source of a mount leaves its tree: %s", inside);
    AUTO_CLOSE int top = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_CLOSE int fd = (int)syscall(SYS_openat2, top, inside, &how, sizeof(how));
    if (fd >= 0)
        return 0;
    if (errno != ELOOP)
        return error_set(error, ERROR_DATA, "the source of the mount at %s does not exist: %s", mount->target,
                         mount->source);
    error_set(error, ERROR_DATA, "the source of the mount at %s is a symbolic link: %s", mount->target, mount->source);
    return error_next(error, "name what it leads to, as a path of its own");
}

static int prepare_tree(struct engine *engine, const struct step_mount *mount, const char *scratch,
                        struct sandbox_mount *out, struct prepared *prepared, struct error *error) {
    AUTO_FREE char *root = text_format("%s/tree-%zu", scratch, prepared->count), *path = NULL;
    struct digest tree = mount->tree;
    bool is_directory = true;
    if (mount->type == MOUNT_BIND_CONTAINER &&
        step_extract(engine, mount->container, mount->source ? mount->source : "/", &tree, &is_directory, error) < 0)
        return -1;
    if (tree_materialise(engine, &tree, root, error) < 0)
        return -1;
    const char *inside = mount->type == MOUNT_BIND_TREE ? mount->source
                         : is_directory                 ? NULL
                                                        : path_base(mount->source);
    if (inside && *inside && check_source(mount, root, inside, error) < 0)
        return -1;
    path = inside && *inside ? path_join(root, inside) : text_copy(root);
    out->source = path;
    out->writable = mount->writable;
    text_list_take(&prepared->paths, take_pointer(&path));
    return 0;
}

int step_prepare_mounts(struct engine *engine, const struct step_exec *exec, const char *scratch,
                        struct prepared *prepared, struct error *error) {
    prepared->mounts = memory_allocate(exec->mount_count + 2, sizeof(*prepared->mounts));
    for (size_t i = 0; i < exec->mount_count; i++) {
        const struct step_mount *mount = &exec->mounts[i];
        struct sandbox_mount *out = &prepared->mounts[prepared->count];
        *out = (struct sandbox_mount){.type = SANDBOX_BIND, .target = mount->target};
        int result = 0;
        if (mount->type == MOUNT_CACHE)
            result = prepare_cache(mount, out, prepared, error);
        else if (mount->type == MOUNT_SECRET)
            prepare_secret(mount, out, prepared);
        else if (mount->type == MOUNT_TMPFS)
            *out = (struct sandbox_mount){.type = SANDBOX_TMPFS,
                                          .target = mount->target,
                                          .writable = true,
                                          .size = mount->size ? mount->size : 512ULL << 20};
        else
            result = prepare_tree(engine, mount, scratch, out, prepared, error);
        if (result < 0)
            return -1;
        prepared->count++;
    }
    return 0;
}

void step_prepared_release(struct prepared *prepared) {
    for (size_t i = 0; i < prepared->environment.count; i++)
        memory_wipe(prepared->environment.items[i], strlen(prepared->environment.items[i]));
    for (size_t i = 0; i < prepared->lock_count; i++)
        close(prepared->locks[i]);
    text_list_release(&prepared->paths);
    text_list_release(&prepared->cache_ids);
    text_list_release(&prepared->cache_paths);
    text_list_release(&prepared->environment);
    free(prepared->locks);
    free(prepared->mounts);
}
