/* The file system of a container, put together from mounts in a mount namespace that ends with it. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

/* ---- the overlay ---- */

/* A layer that comes twice hides itself below: overlayfs refuses it (ELOOP), and it adds nothing. */
static bool comes_above(const struct sandbox *sandbox, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (text_equal(sandbox->lowers[i], sandbox->lowers[index]))
            return true;
    return false;
}

/* mount(2) takes one page of options: the layers are named through short links in a directory of their own. */
static int link_layers(const struct view *view, const char *folder, struct buffer *options, struct error *error) {
    const struct sandbox *sandbox = view->sandbox;
    buffer_append_text(options, "lowerdir=");
    for (size_t i = 0; i < sandbox->lower_count; i++) {
        if (comes_above(sandbox, i))
            continue;
        AUTO_FREE char *link = text_format("%s/%zu", folder, i);
        if (symlink(sandbox->lowers[i], link) < 0)
            return error_set_errno(error, errno, "cannot prepare the layers");
        buffer_append_format(options, "%s%zu", i ? ":" : "", i);
    }
    AUTO_FREE char *upper = path_join(folder, "u"), *empty = path_join(folder, "e"), *work = path_join(folder, "w");
    if (sandbox->lower_count == 0)
        buffer_append_text(options, "e");
    if (symlink(sandbox->upper, upper) < 0 || mkdir(empty, 0755) < 0 || mkdir(work, 0700) < 0)
        return error_set_errno(error, errno, "cannot prepare the layers");
    /* userxattr turns redirects and metadata copies off by itself. */
    buffer_append_format(options, ",upperdir=u,workdir=w,%s",
                         sandbox_mode_is_user(sandbox_mode()) ? "userxattr"
                                                              : "redirect_dir=off,metacopy=off,index=off");
    return buffer_check(options, "the overlay's options", error);
}

static int mount_overlay(struct view *view, struct error *error) {
    AUTO_FREE char *folder = path_join(view->sandbox->scratch, "o");
    AUTO_BUFFER struct buffer options = BUFFER(4000);
    view->root = path_join(view->sandbox->scratch, "root");
    if (mkdir(folder, 0755) < 0 || mkdir(view->root, 0755) < 0)
        return error_set_errno(error, errno, "cannot prepare %s", folder);
    if (link_layers(view, folder, &options, error) < 0)
        return -1;
    AUTO_CLOSE int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (chdir(folder) < 0 || mount("overlay", view->root, "overlay", 0, buffer_text(&options)) < 0) {
        error_set_errno(error, errno, "cannot mount the overlay of %zu layers", view->sandbox->lower_count);
        return error_next(error, "is the store on a file system that overlayfs cannot use (NFS, another overlay)? "
                                 "set PL_STORE to another one");
    }
    if (here >= 0 && fchdir(here) < 0)
        return error_set_errno(error, errno, "cannot go back");
    view->root_fd = open(view->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return view->root_fd < 0 ? error_set_errno(error, errno, "cannot open the container's root") : 0;
}

/* ---- single mounts ---- */

static const char *add_point(struct view *view, const char *target, bool directory, struct error *error) {
    if (view->point_count == MOUNT_POINT_LIMIT) {
        error_set(error, ERROR_DATA, "more than %d mounts", MOUNT_POINT_LIMIT);
        return NULL;
    }
    struct mount_point *point = &view->points[view->point_count];
    if (rootfs_place(view->root_fd, target, directory, point, error) < 0)
        return NULL;
    view->point_count++;
    return point->path;
}

/* The place was found without links; it is opened once more below the root and mounted on through its descriptor, so
 * that nothing can be exchanged in between. */
static int mount_at(struct view *view, const char *place, const char *source, const char *type, unsigned long flags,
                    const char *data, struct error *error) {
    AUTO_CLOSE int fd = rootfs_open(view->root_fd, place, O_PATH);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || mount(source, path, type, flags, data) < 0)
        return error_set_errno(error, errno, "cannot mount %s", place);
    return 0;
}

static int make_read_only(struct view *view, const char *place, struct error *error) {
    AUTO_CLOSE int fd = rootfs_open(view->root_fd, place, O_PATH);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
        return error_set_errno(error, errno, "cannot make %s read-only", place);
    return 0;
}

static int bind(struct view *view, const char *source, const char *target, bool writable, struct error *error) {
    struct stat status;
    if (stat(source, &status) < 0)
        return error_set_errno(error, errno, "cannot mount %s", source);
    const char *place = add_point(view, target, S_ISDIR(status.st_mode), error);
    if (!place || mount_at(view, place, source, NULL, MS_BIND, NULL, error) < 0)
        return -1;
    return writable ? 0 : make_read_only(view, place, error);
}

static int mount_tmpfs(struct view *view, const char *target, const char *options, unsigned long flags,
                       struct error *error) {
    const char *place = add_point(view, target, true, error);
    return place ? mount_at(view, place, "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | flags, options, error) : -1;
}

int secret_write(const char *path, const struct sandbox_mount *mount, struct error *error) {
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot keep the secret for %s", mount->target);
    if (fd_write_all(fd, mount->data, mount->length, error) < 0)
        return -1;
    bool is_owned = fchown(fd, mount->uid, mount->gid) == 0 || (mount->uid == 0 && mount->gid == 0);
    /* Whoever cannot be given it as its owner may read it at least. */
    if (fchmod(fd, mount->mode | (is_owned ? 0 : 0044)) < 0)
        return error_set_errno(error, errno, "cannot keep the secret for %s", mount->target);
    return 0;
}

/* All secrets of a container are in one file system in memory, which nothing but its mounts refers to. */
static int mount_secret_memory(struct view *view, const char *folder, struct error *error) {
    const struct sandbox *sandbox = view->sandbox;
    uint64_t size = 0;
    char options[64];
    for (size_t i = 0; i < sandbox->mount_count; i++)
        if (sandbox->mounts[i].type == SANDBOX_SECRET)
            size += sandbox->mounts[i].length + 65536;
    snprintf(options, sizeof(options), "mode=700,size=%llu", (unsigned long long)size);
    if (size > 0 &&
        (mkdir(folder, 0700) < 0 || mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0))
        return error_set_errno(error, errno, "cannot keep secrets in memory");
    return 0;
}

static int mount_shared(struct view *view, const struct sandbox_mount *given, struct error *error) {
    const char *place = add_point(view, given->target, true, error);
    AUTO_CLOSE int fd = place ? rootfs_open(view->root_fd, place, O_PATH) : -1;
    if (place && (fd < 0 || syscall(SYS_move_mount, given->shared, "", fd, "",
                                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0))
        error_set_errno(error, errno, "cannot mount %s", place);
    else if (place)
        return given->writable ? 0 : make_read_only(view, place, error);
    return -1;
}

static int mount_one(struct view *view, const char *secrets, size_t index, struct error *error) {
    const struct sandbox_mount *given = &view->sandbox->mounts[index];
    if (given->type == SANDBOX_BIND)
        return bind(view, given->source, given->target, given->writable, error);
    if (given->type == SANDBOX_SHARED)
        return mount_shared(view, given, error);
    if (given->type == SANDBOX_TMPFS) {
        char options[64];
        snprintf(options, sizeof(options), "mode=1777,size=%llu", (unsigned long long)given->size);
        return mount_tmpfs(view, given->target, options, 0, error);
    }
    AUTO_FREE char *path = text_format("%s/%zu", secrets, index);
    return secret_write(path, given, error) < 0 ? -1 : bind(view, path, given->target, false, error);
}

/* What the kernel says of itself there is what the confinement relies on. */
static int check_place(const struct view *view, const char *target, struct error *error) {
    static const char *const kept[] = {"/proc", "/sys"};
    const char *place = view->points[view->point_count - 1].path;
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        if (text_starts_with(place, kept[i]) && strchr("/", place[strlen(kept[i])]))
            return error_set(error, ERROR_DATA, "nothing is mounted at %s: %s is the container's own", target, kept[i]);
    return 0;
}

static int mount_given(struct view *view, struct error *error) {
    AUTO_FREE char *secrets = path_join(view->sandbox->scratch, "secrets");
    if (mount_secret_memory(view, secrets, error) < 0)
        return -1;
    for (size_t i = 0; i < view->sandbox->mount_count; i++)
        if (mount_one(view, secrets, i, error) < 0 || check_place(view, view->sandbox->mounts[i].target, error) < 0)
            return -1;
    return 0;
}

/* ---- what every container has ---- */

static int mount_devices(struct view *view, struct error *error) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"},
                                           {"pts/ptmx", "ptmx"}};
    if (mount_tmpfs(view, "/dev", "mode=755,size=64k", MS_NOEXEC, error) < 0)
        return -1;
    AUTO_CLOSE int dev = rootfs_open(view->root_fd, "/dev", O_RDONLY | O_DIRECTORY);
    if (dev < 0)
        return error_set_errno(error, errno, "cannot open /dev of the container");
    for (size_t i = 0; i < ARRAY_LENGTH(devices); i++) {
        char source[32], target[64];
        AUTO_CLOSE int fd = openat(dev, devices[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        snprintf(source, sizeof(source), "/dev/%s", devices[i]);
        snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
        if (fd < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0)
            return error_set_errno(error, errno, "cannot give the container %s", source);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(links); i++)
        if (symlinkat(links[i][0], dev, links[i][1]) < 0)
            return error_set_errno(error, errno, "cannot make /dev/%s", links[i][1]);
    if (mkdirat(dev, "shm", 01777) < 0 || mkdirat(dev, "pts", 0755) < 0)
        return error_set_errno(error, errno, "cannot make /dev of the container");
    if (mount_at(view, "/dev/shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m", error) < 0)
        return -1;
    return mount_at(view, "/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620",
                    error);
}

/* sysfs belongs to a network namespace: in that of the host only the host's own may mount it, so it is taken over. */
static int mount_sys(struct view *view, struct error *error) {
    const char *place = add_point(view, "/sys", true, error);
    if (!place)
        return -1;
    if (mount_at(view, place, "sysfs", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL, error) == 0)
        return 0;
    if (mount_at(view, place, "/sys", NULL, MS_BIND | MS_REC, NULL, error) == 0)
        return make_read_only(view, place, error);
    return mount_at(view, place, "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555,size=4k", error);
}

static int write_small(const char *path, const char *text, struct error *error) {
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    return fd_write_all(fd, text, strlen(text), error);
}

static int mount_text(struct view *view, const char *name, const char *text, const char *target, struct error *error) {
    AUTO_FREE char *path = path_join(view->sandbox->scratch, name);
    /* Installers write to these files, as they may in Docker's containers, too; it is of no consequence. */
    return write_small(path, text, error) < 0 ? -1 : bind(view, path, target, true, error);
}

static void add_names(const struct sandbox *sandbox, struct buffer *hosts) {
    const char *hostname = sandbox->hostname ? sandbox->hostname : "localhost";
    buffer_append_format(hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n127.0.1.1\t%s\n", hostname);
    if (sandbox->network != SANDBOX_NETWORK_HOST)
        buffer_append_text(hosts, SANDBOX_METADATA "\tmetadata.google.internal\n");
    for (size_t i = 0; sandbox->names && i < sandbox->names->count; i++)
        buffer_append_format(hosts, "127.0.0.1\t%s\n", sandbox->names->items[i]);
}

static int mount_names(struct view *view, struct error *error) {
    AUTO_BUFFER struct buffer hosts = BUFFER(65536);
    add_names(view->sandbox, &hosts);
    AUTO_BUFFER struct buffer resolver = BUFFER(65536);
    bool found;
    if (view->sandbox->network == SANDBOX_NETWORK_HOST && file_read("/etc/resolv.conf", &resolver, &found, NULL) < 0)
        buffer_clear(&resolver);
    if (mount_text(view, "hosts", buffer_text(&hosts), "/etc/hosts", error) < 0)
        return -1;
    return mount_text(view, "resolv.conf", buffer_text(&resolver), "/etc/resolv.conf", error);
}

int view_mount(struct view *view, struct error *error) {
    view->root_fd = -1;
    if (mount_overlay(view, error) < 0 || add_point(view, "/proc", true, error) == NULL ||
        mount_devices(view, error) < 0 || mount_sys(view, error) < 0 || mount_names(view, error) < 0)
        return -1;
    if (view->host->ca_bundle && bind(view, view->host->ca_bundle, HOST_CA_PATH, false, error) < 0)
        return -1;
    return mount_given(view, error);
}

/* Kernel memory, keys and switches are not for containers (the list of the OCI runtime's default). */
static void mask_proc(void) {
    static const char *const hidden[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug",
                                         "/proc/latency_stats"};
    static const char *const read_only[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",
                                            "/proc/fs",  "/proc/acpi",          "/proc/scsi"};
    for (size_t i = 0; i < ARRAY_LENGTH(hidden); i++)
        (void)!mount("/dev/null", hidden[i], NULL, MS_BIND, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(read_only); i++)
        if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
            (void)!mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                         NULL);
}

int view_enter(struct view *view, struct error *error) {
    /* The mounts were copied with the namespace: the descriptor still leads to the ones of our parent. */
    close(view->root_fd);
    view->root_fd = open(view->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mount_at(view, "/proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, error) < 0)
        return -1;
    if (view->sandbox->read_only_root) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        if (syscall(SYS_mount_setattr, AT_FDCWD, view->root, 0, &attributes, sizeof(attributes)) < 0)
            return error_set_errno(error, errno, "cannot make the root read-only");
    }
    /* The old root ends up on top of the new one and is taken away: see pivot_root(2). */
    if (chdir(view->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0)
        return error_set_errno(error, errno, "cannot enter the container's root");
    mask_proc();
    return 0;
}

/* ---- after the end ---- */

static bool is_opaque(const char *path) {
    char value[4];
    return lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)) > 0 ||
           lgetxattr(path, "user.overlay.opaque", value, sizeof(value)) > 0;
}

/* Whether the topmost layer that has the path has it as a directory with the same owner and mode. */
static bool is_as_below(const struct sandbox *sandbox, const char *path, const struct stat *status) {
    for (size_t i = 0; i < sandbox->lower_count; i++) {
        AUTO_FREE char *full = path_join(sandbox->lowers[i], path);
        struct stat below;
        if (lstat(full, &below) == 0)
            return S_ISDIR(below.st_mode) && below.st_mode == status->st_mode && below.st_uid == status->st_uid &&
                   below.st_gid == status->st_gid;
    }
    return false;
}

/* Overlayfs copies a directory up when anything in it is touched, also a mount's place. What says nothing new is taken
 * away again, so that a layer depends on what was changed and not on how the root was put together. */
static void prune(const struct sandbox *sandbox, const char *folder, const char *prefix) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *full = path_join(folder, names.items[i]);
        AUTO_FREE char *path = *prefix ? path_join(prefix, names.items[i]) : text_copy(names.items[i]);
        struct stat status;
        if (lstat(full, &status) < 0 || !S_ISDIR(status.st_mode))
            continue;
        prune(sandbox, full, path);
        if (!is_opaque(full) && is_as_below(sandbox, path, &status))
            rmdir(full);
    }
}

void view_leave(struct view *view) {
    if (view->root_fd >= 0)
        close(view->root_fd);
    if (view->root)
        umount2(view->root, MNT_DETACH);
    for (size_t i = view->point_count; i-- > 0;) {
        rootfs_forget(view->sandbox->upper, &view->points[i]);
        free(view->points[i].path);
        free(view->points[i].created);
    }
    if (view->root)
        prune(view->sandbox, view->sandbox->upper, "");
    free(view->root);
}
