#include "common/archive/tar_place.h"

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { DEPTH_LIMIT = 1000, LINK_LIMIT = 40 };

/* ---- names ---- */

int tar_place_clean(const char *raw, char **path, struct error *error) {
    AUTO_LIST struct text_list parts = {0}, kept = {0};
    text_list_split(&parts, raw, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (text_equal(part, ".."))
            return error_set(error, ERROR_DATA, "the entry \"%s\" leaves the archive's root", raw);
        if (strlen(part) > NAME_MAX)
            return error_set(error, ERROR_DATA, "the entry \"%.60s…\" has a name longer than %d bytes", raw, NAME_MAX);
        if (*part && !text_equal(part, "."))
            text_list_add(&kept, part);
    }
    if (kept.count > DEPTH_LIMIT || strlen(raw) >= PATH_MAX)
        return error_set(error, ERROR_DATA, "the entry \"%.60s…\" is nested too deep", raw);
    struct buffer out = BUFFER(PATH_MAX);
    for (size_t i = 0; i < kept.count; i++)
        buffer_append_format(&out, "%s%s", i ? "/" : "", kept.items[i]);
    *path = buffer_take(&out);
    return 0;
}

void tar_place_split(char *path, char **parent, char **name) {
    char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    *parent = slash ? path : (char *)"";
    if (slash)
        *slash = '\0';
}

/* ---- directories ---- */

static int open_in_root(int root, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

int tar_place_open(int root, const char *path) {
    return open_in_root(root, path, O_RDONLY);
}

int tar_place_remove(int parent, const char *name, struct error *error) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_set_errno(error, errno, "cannot replace %s", name);
    char path[64 + NAME_MAX];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
    return tree_remove(path, error);
}

int tar_place_directory(int parent, const char *name, const char *opaque, struct error *error) {
    struct stat status;
    bool hides = false;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode)) {
        hides = S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
        if (tar_place_remove(parent, name, error) < 0)
            return -1;
    }
    bool made = mkdirat(parent, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return error_set_errno(error, errno, "cannot make the directory %s", name);
    AUTO_CLOSE int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (made && fchmod(fd, 0755) < 0) || (hides && opaque && fsetxattr(fd, opaque, "y", 1, 0) < 0))
        return error_set_errno(error, errno, "cannot make the directory %s", name);
    return take_fd(&fd);
}

/* ---- parents that are not there yet ---- */

struct walk {
    int root;
    const char *opaque;
    struct text_list rest; /* parts still to come, the next one last */
    struct buffer at;      /* where it has come, without links */
    unsigned links;
};

static void push_parts(struct walk *walk, const char *path) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, path, '/');
    for (size_t i = parts.count; i-- > 0;)
        if (*parts.items[i] && !text_equal(parts.items[i], "."))
            text_list_add(&walk->rest, parts.items[i]);
}

/* Above the root is the root, as for a process that is confined to it. */
static void go_up(struct walk *walk) {
    const char *text = buffer_text(&walk->at), *slash = strrchr(text, '/');
    walk->at.length = slash ? (size_t)(slash - text) : 0;
    if (walk->at.data)
        walk->at.data[walk->at.length] = '\0';
}

/* 1: the part is a link, and its target is what comes next. 0: it is none, or one to what can be no directory. */
static int follow(struct walk *walk, int parent, const char *part, struct error *error) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(parent, part, target, sizeof(target) - 1);
    if (length < 0)
        return 0;
    AUTO_FREE char *path = walk->at.length ? path_join(buffer_text(&walk->at), part) : text_copy(part);
    AUTO_CLOSE int fd = open_in_root(walk->root, path, O_PATH);
    if (fd < 0 && errno == ENOTDIR)
        return 0;
    if (++walk->links > LINK_LIMIT || (fd < 0 && errno == ELOOP))
        return error_set_errno(error, ELOOP, "%s", path);
    target[length] = '\0';
    if (*target == '/')
        buffer_clear(&walk->at);
    push_parts(walk, target);
    return 1;
}

static int walk_part(struct walk *walk, const char *part, struct error *error) {
    if (text_equal(part, "..")) {
        go_up(walk);
        return 0;
    }
    AUTO_CLOSE int parent = tar_place_open(walk->root, buffer_text(&walk->at));
    if (parent < 0)
        return error_set_errno(error, errno, "%s", buffer_text(&walk->at));
    int followed = follow(walk, parent, part, error);
    if (followed != 0)
        return followed < 0 ? -1 : 0;
    AUTO_CLOSE int fd = tar_place_directory(parent, part, walk->opaque, error);
    if (fd < 0)
        return -1;
    buffer_append_format(&walk->at, "%s%s", walk->at.length ? "/" : "", part);
    return buffer_check(&walk->at, "the path of an entry", error);
}

static int walk_all(struct walk *walk, struct error *error) {
    while (walk->rest.count > 0) {
        AUTO_FREE char *part = walk->rest.items[--walk->rest.count];
        if (walk_part(walk, part, error) < 0)
            return -1;
    }
    int fd = tar_place_open(walk->root, buffer_text(&walk->at));
    return fd < 0 ? error_set_errno(error, errno, "%s", buffer_text(&walk->at)) : fd;
}

int tar_place_make(int root, const char *path, const char *opaque, struct error *error) {
    int fd = tar_place_open(root, path);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(error, errno, "the entry below \"%.200s\" cannot be placed", path);
    struct walk walk = {.root = root, .opaque = opaque, .at = BUFFER(PATH_MAX)};
    push_parts(&walk, path);
    fd = walk_all(&walk, error);
    text_list_release(&walk.rest);
    buffer_release(&walk.at);
    return fd < 0 ? error_wrap(error, "the entry below \"%.200s\" cannot be placed", path) : fd;
}
