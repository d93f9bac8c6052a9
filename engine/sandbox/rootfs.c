#include "common/file/file.h"
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

static int open_how(int root, const char *path, int flags, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
    for (;;) {
        int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN)
            return fd;
    }
}

int rootfs_open(int root, const char *path, int flags) {
    return open_how(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Where an opened file of the root is, without links: what the kernel says, less the root's own path. */
static char *path_of(int root, int fd) {
    char link[64], top[PATH_MAX], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
    ssize_t top_length = readlink(link, top, sizeof(top) - 1);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (top_length < 0 || length < top_length || memcmp(top, path, (size_t)top_length) != 0)
        return NULL;
    path[length] = 0;
    return text_copy(length == top_length ? "/" : path + top_length);
}

/* One directory (or, at the end, file) that is missing below `parent`. */
static int make_one(int parent, const char *name, bool directory) {
    if (directory) {
        if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
            return -1;
        return open_how(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH);
    }
    return open_how(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, RESOLVE_BENEATH);
}

static int fail(const char *path, struct error *error) {
    int number = errno;
    error_set_errno(error, number, "the image has no usable place for %s", path);
    error->kind = ERROR_DATA;
    return -1;
}

/* A dangling link: where it points to, seen from the directory that it is in. */
static char *follow_once(int root, const char *path) {
    AUTO_CLOSE int fd = rootfs_open(root, path, O_PATH | O_NOFOLLOW);
    char target[PATH_MAX];
    ssize_t length = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
    if (length <= 0)
        return NULL;
    target[length] = 0;
    if (target[0] == '/')
        return text_copy(target);
    const char *slash = strrchr(path, '/');
    return text_format("%.*s/%s", slash ? (int)(slash - path) : 0, path, target);
}

static int place(int root, const char *path, bool directory, unsigned depth, struct mount_point *point,
                 struct error *error) {
    AUTO_CLOSE int there = rootfs_open(root, path, O_PATH);
    if (there >= 0) {
        point->path = path_of(root, there);
        struct stat status;
        if (fstat(there, &status) < 0 || S_ISDIR(status.st_mode) != directory)
            errno = directory ? ENOTDIR : EISDIR;
        else if (point->path)
            return 0;
        return fail(path, error);
    }
    AUTO_FREE char *target = errno == ENOENT && depth < 16 ? follow_once(root, path) : NULL;
    if (target)
        return place(root, target, directory, depth + 1, point, error);
    AUTO_FREE char *parent = text_copy(path);
    char *slash = strrchr(parent, '/');
    if (errno != ENOENT || !slash || depth >= 16 || !slash[1] || text_equal(slash + 1, ".."))
        return fail(path, error);
    *slash = 0;
    struct mount_point above = {0};
    if (place(root, slash == parent ? "/" : parent, true, depth, &above, error) < 0)
        return -1;
    AUTO_FREE char *above_path = above.path;
    point->path = text_format("%s/%s", text_equal(above_path, "/") ? "" : above_path, slash + 1);
    point->created = above.created ? above.created : text_copy(point->path);
    AUTO_CLOSE int at = rootfs_open(root, above_path, O_PATH | O_DIRECTORY);
    AUTO_CLOSE int made = at < 0 ? -1 : make_one(at, slash + 1, directory);
    return made < 0 ? fail(path, error) : 0;
}

int rootfs_place(int root, const char *path, bool directory, struct mount_point *point, struct error *error) {
    *point = (struct mount_point){.directory = directory};
    if (path[0] != '/' || strlen(path) >= PATH_MAX)
        return error_set(error, ERROR_DATA, "%s is not an absolute path", path);
    AUTO_FREE char *clean = text_copy(path);
    for (size_t length = strlen(clean); length > 1 && clean[length - 1] == '/'; length--)
        clean[length - 1] = 0;
    return place(root, clean, directory, 0, point, error);
}

void rootfs_forget(const char *upper, const struct mount_point *point) {
    bool directory = point->directory;
    AUTO_CLOSE int top = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0 || !point->created)
        return;
    AUTO_FREE char *path = text_copy(point->path);
    for (bool last = true; strlen(path) >= strlen(point->created); last = false) {
        char *slash = strrchr(path, '/');
        *slash = 0;
        AUTO_CLOSE int parent =
            open_how(top, path[0] ? path + 1 : ".", O_PATH | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        struct stat status;
        if (parent < 0 || fstatat(parent, slash + 1, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return;
        if (last && !directory && (!S_ISREG(status.st_mode) || status.st_size > 0))
            return;
        if (unlinkat(parent, slash + 1, last && !directory ? 0 : AT_REMOVEDIR) < 0)
            return;
    }
}

/* ---- users ---- */

static char *read_inside(int root, const char *path) {
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    AUTO_CLOSE int fd = rootfs_open(root, path, O_RDONLY | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return text_copy("");
    char block[16384];
    for (ssize_t got; (got = read(fd, block, sizeof(block))) > 0;)
        buffer_append(&text, block, (size_t)got);
    return text_copy(buffer_text(&text));
}

/* The line whose field `field` is `value`, split at colons. */
static bool find_line(const char *text, size_t field, const char *value, struct text_list *parts) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        AUTO_LIST struct text_list found = {0};
        text_list_split(&found, lines.items[i], ':');
        if (found.count > 3 && text_equal(found.items[field], value)) {
            text_list_add_all(parts, &found);
            return true;
        }
    }
    return false;
}

static int find_group(const char *groups, const char *name, uint32_t *gid, struct error *error) {
    AUTO_LIST struct text_list line = {0};
    uint64_t number;
    if (text_to_u64(name, UINT32_MAX - 1, &number) ||
        (find_line(groups, 0, name, &line) && text_to_u64(line.items[2], UINT32_MAX - 1, &number))) {
        *gid = (uint32_t)number;
        return 0;
    }
    return error_set(error, ERROR_DATA, "the image has no group \"%s\" in /etc/group", name);
}

static void find_memberships(const char *groups, const char *name, struct rootfs_user *user) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, groups, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        AUTO_LIST struct text_list parts = {0};
        AUTO_LIST struct text_list members = {0};
        uint64_t gid;
        text_list_split(&parts, lines.items[i], ':');
        if (parts.count < 4 || !text_to_u64(parts.items[2], UINT32_MAX - 1, &gid))
            continue;
        text_list_split(&members, parts.items[3], ',');
        if (text_list_contains(&members, name) && gid != user->gid && user->group_count < ARRAY_LENGTH(user->groups))
            user->groups[user->group_count++] = (uint32_t)gid;
    }
}

int rootfs_user(int root, const char *text, struct rootfs_user *user, struct error *error) {
    *user = (struct rootfs_user){0};
    if (text_is_empty(text))
        text = "0";
    AUTO_FREE char *users = read_inside(root, "/etc/passwd");
    AUTO_FREE char *groups = read_inside(root, "/etc/group");
    AUTO_LIST struct text_list names = {0};
    AUTO_LIST struct text_list line = {0};
    uint64_t uid, gid = 0;
    text_list_split(&names, text, ':');
    if (names.count > 2 || !names.items[0][0])
        return error_set(error, ERROR_DATA, "\"%s\" is not a user of the form user[:group]", text);
    bool known = find_line(users, 0, names.items[0], &line) || find_line(users, 2, names.items[0], &line);
    if (!text_to_u64(known ? line.items[2] : names.items[0], UINT32_MAX - 1, &uid))
        return error_set(error, ERROR_DATA, "the image has no user \"%s\" in /etc/passwd", names.items[0]);
    if (known && !text_to_u64(line.items[3], UINT32_MAX - 1, &gid))
        return error_set(error, ERROR_DATA, "/etc/passwd of the image is malformed at \"%s\"", names.items[0]);
    user->uid = (uint32_t)uid;
    user->gid = (uint32_t)gid;
    if (known && line.count > 5)
        snprintf(user->home, sizeof(user->home), "%s", line.items[5]);
    if (names.count == 2 && find_group(groups, names.items[1], &user->gid, error) < 0)
        return -1;
    /* The primary group is among the supplementary ones too: a file whose group may do less than others must not become
     * open to who is in that group (CVE-2022-36109). */
    user->groups[user->group_count++] = user->gid;
    if (names.count == 1 && known)
        find_memberships(groups, line.items[0], user);
    return 0;
}
