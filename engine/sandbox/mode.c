#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static enum sandbox_mode entered = SANDBOX_NONE;
static bool has_entered;

static const char *const mode_names[] = {"root", "user", "single", "chroot", "none"};

const char *sandbox_mode_name(enum sandbox_mode mode) {
    return mode <= SANDBOX_NONE ? mode_names[mode] : "none";
}

bool sandbox_mode_is_user(enum sandbox_mode mode) {
    return mode == SANDBOX_USER_FULL || mode == SANDBOX_USER_SINGLE;
}

enum sandbox_mode sandbox_mode(void) {
    return entered;
}

/* ---- entering a user namespace ---- */

static int write_file(const char *path, const char *text) {
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    return fd >= 0 && write(fd, text, length) == (ssize_t)length ? 0 : -1;
}

/* The range of /etc/subuid or /etc/subgid that belongs to us; `name` or the number may stand first. */
static bool find_range(const char *path, const char *name, uint64_t *first, uint64_t *count) {
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    AUTO_LIST struct text_list lines = {0};
    AUTO_FREE char *number = text_format("%u", getuid());
    bool found = false;
    if (file_read(path, &text, &found, NULL) < 0 || !found)
        return false;
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        AUTO_LIST struct text_list parts = {0};
        text_list_split(&parts, lines.items[i], ':');
        if (parts.count == 3 && (text_equal(parts.items[0], name) || text_equal(parts.items[0], number)) &&
            text_to_u64(parts.items[1], UINT32_MAX, first) && text_to_u64(parts.items[2], UINT32_MAX, count) &&
            *count >= 65536)
            return true;
    }
    return false;
}

static int run_helper(const char *helper, pid_t pid, unsigned id, uint64_t first, uint64_t count, struct error *error) {
    char target[24], own[24], begin[24], length[24];
    snprintf(target, sizeof(target), "%d", pid);
    snprintf(own, sizeof(own), "%u", id);
    snprintf(begin, sizeof(begin), "%llu", (unsigned long long)first);
    snprintf(length, sizeof(length), "%llu", (unsigned long long)(count < 65536 ? count : 65536));
    const char *argv[] = {helper, target, "0", own, "1", "1", begin, length, NULL};
    struct process process = {.argv = argv, .timeout = 10};
    return process_run_checked(&process, error);
}

struct id_ranges {
    uint64_t uid_first, uid_count, gid_first, gid_count;
};

static int find_ranges(struct id_ranges *ranges, struct error *error) {
    struct passwd *entry = getpwuid(getuid());
    const char *name = entry ? entry->pw_name : "";
    AUTO_FREE char *newuidmap = process_find("newuidmap");
    AUTO_FREE char *newgidmap = process_find("newgidmap");
    if (!newuidmap || !newgidmap) {
        error_set(error, ERROR_CONFIGURATION, "newuidmap and newgidmap are not installed");
        return error_next(error, "sudo apt-get install uidmap");
    }
    if (!find_range("/etc/subuid", name, &ranges->uid_first, &ranges->uid_count) ||
        !find_range("/etc/subgid", name, &ranges->gid_first, &ranges->gid_count)) {
        error_set(error, ERROR_CONFIGURATION, "%s has no range of 65536 ids in /etc/subuid and /etc/subgid", name);
        return error_next(error, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", name);
    }
    return 0;
}

/* A child that stays outside maps the ids of its parent, which is inside the new namespace by then. */
static int map_from_outside(const struct id_ranges *ranges, int ready, int done) {
    struct error error = {0};
    char byte;
    if (read(ready, &byte, 1) != 1)
        _exit(0);
    pid_t parent = getppid();
    int status = run_helper("newuidmap", parent, getuid(), ranges->uid_first, ranges->uid_count, &error);
    if (status == 0)
        status = run_helper("newgidmap", parent, getgid(), ranges->gid_first, ranges->gid_count, &error);
    ssize_t ignored = write(done, &error, sizeof(error));
    (void)ignored;
    _exit(status ? 1 : 0);
}

static int explain_unshare(int number, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(64);
    bool found = false;
    error_set_errno(error, number, "cannot make a user namespace");
    error->kind = ERROR_CONFIGURATION;
    if (file_read("/proc/sys/user/max_user_namespaces", &text, &found, NULL) == 0 && found &&
        strtol(buffer_text(&text), NULL, 10) == 0)
        return error_next(error, "sudo sysctl -w user.max_user_namespaces=15000");
    return error_next(error, "inside Docker: docker run --security-opt seccomp=unconfined --security-opt "
                             "apparmor=unconfined --security-opt systempaths=unconfined");
}

static int enter_full(struct error *error) {
    struct id_ranges ranges;
    int ready[2], done[2];
    if (find_ranges(&ranges, error) < 0)
        return -1;
    if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    pid_t helper = fork();
    if (helper == 0) {
        close(ready[1]), close(done[0]);
        map_from_outside(&ranges, ready[0], done[1]);
    }
    close(ready[0]), close(done[1]);
    struct error mapped = {0};
    int status = helper < 0 ? error_set_errno(error, errno, "cannot start a child") : 0;
    if (status == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        status = explain_unshare(errno, error);
    if (status == 0 && (write(ready[1], "r", 1) != 1 || read(done[0], &mapped, sizeof(mapped)) != sizeof(mapped)))
        status = error_set(error, ERROR_INTERNAL, "the helper for the id map ended");
    close(ready[1]), close(done[0]);
    if (helper > 0)
        waitpid(helper, NULL, 0);
    if (status == 0 && mapped.kind != ERROR_NONE) {
        *error = mapped;
        status = -1;
    }
    return status;
}

static int enter_single(struct error *error) {
    AUTO_FREE char *uid = text_format("0 %u 1\n", getuid());
    AUTO_FREE char *gid = text_format("0 %u 1\n", getgid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return explain_unshare(errno, error);
    if (write_file("/proc/self/setgroups", "deny") < 0 || write_file("/proc/self/uid_map", uid) < 0 ||
        write_file("/proc/self/gid_map", gid) < 0)
        return error_set_errno(error, errno, "cannot map one id into a user namespace");
    return 0;
}

static int become_root_inside(enum sandbox_mode mode, struct error *error) {
    if (mode == SANDBOX_USER_FULL && setgroups(0, NULL) < 0)
        return error_set_errno(error, errno, "cannot drop groups in the user namespace");
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return error_set_errno(error, errno, "cannot become root in the user namespace");
    return 0;
}

static int enter_mode(enum sandbox_mode mode, struct error *error) {
    if (mode == SANDBOX_ROOT && geteuid() != 0)
        return error_set(error, ERROR_CONFIGURATION, "not root");
    if (!sandbox_mode_is_user(mode))
        return 0;
    int status = mode == SANDBOX_USER_FULL ? enter_full(error) : enter_single(error);
    if (status == 0)
        status = become_root_inside(mode, error);
    return status;
}

/* ---- probing ---- */

/* An overlay of tmpfs directories over /tmp, in a mount namespace that dies with the child. */
static int try_overlay(enum sandbox_mode mode, struct error *error) {
    const char *options =
        sandbox_mode_is_user(mode) ? "lowerdir=l,upperdir=u,workdir=w,userxattr" : "lowerdir=l,upperdir=u,workdir=w";
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return error_set_errno(error, errno, "cannot make a mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("pl", "/tmp", "tmpfs", 0, NULL) < 0 ||
        chdir("/tmp") < 0)
        return error_set_errno(error, errno, "cannot mount");
    if (mkdir("l", 0700) < 0 || mkdir("u", 0700) < 0 || mkdir("w", 0700) < 0 || mkdir("m", 0700) < 0 ||
        mount("overlay", "m", "overlay", 0, options) < 0)
        return error_set_errno(error, errno, "cannot mount an overlay");
    return 0;
}

static int try_chroot(struct error *error) {
    return chroot("/") < 0 ? error_set_errno(error, errno, "chroot is refused") : 0;
}

static int try_mode(enum sandbox_mode mode, struct error *error) {
    int answer[2];
    if (pipe2(answer, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    pid_t child = fork();
    if (child == 0) {
        struct error found = {0};
        int status = mode == SANDBOX_CHROOT ? try_chroot(&found) : enter_mode(mode, &found);
        if (status == 0 && mode != SANDBOX_CHROOT)
            (void)!try_overlay(mode, &found);
        ssize_t ignored = write(answer[1], &found, sizeof(found));
        (void)ignored;
        _exit(0);
    }
    close(answer[1]);
    struct error found = {0};
    ssize_t got = child > 0 ? read(answer[0], &found, sizeof(found)) : 0;
    close(answer[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    if (got != sizeof(found))
        return error_set(error, ERROR_INTERNAL, "the probe of mode %s ended", sandbox_mode_name(mode));
    if (found.kind == ERROR_NONE)
        return 0;
    *error = found;
    return -1;
}

static void add_advice(enum sandbox_mode mode, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(64);
    bool found = false;
    if (!sandbox_mode_is_user(mode))
        return;
    if (file_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", &text, &found, NULL) == 0 && found &&
        buffer_text(&text)[0] == '1')
        error_next(error, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
}

static enum sandbox_mode forced_mode(void) {
    const char *forced = getenv("PL_SANDBOX");
    for (int mode = 0; forced && mode < SANDBOX_NONE; mode++)
        if (text_equal(forced, mode_names[mode]))
            return (enum sandbox_mode)mode;
    return SANDBOX_NONE;
}

int sandbox_probe(struct sandbox_report *report, struct error *error) {
    *report = (struct sandbox_report){.mode = SANDBOX_NONE};
    enum sandbox_mode forced = forced_mode();
    if (!text_is_empty(getenv("PL_SANDBOX")) && forced == SANDBOX_NONE)
        return error_set(error, ERROR_CONFIGURATION, "PL_SANDBOX is none of root, user, single, chroot");
    for (int mode = 0; mode < SANDBOX_NONE; mode++) {
        struct error found = {0};
        report->modes[mode].works = try_mode((enum sandbox_mode)mode, &found) == 0;
        if (!report->modes[mode].works)
            add_advice((enum sandbox_mode)mode, &found);
        snprintf(report->modes[mode].reason, sizeof(report->modes[mode].reason), "%.255s",
                 report->modes[mode].works ? "ok" : found.text);
        snprintf(report->modes[mode].advice, sizeof(report->modes[mode].advice), "%.255s", found.next);
        bool wanted = forced == SANDBOX_NONE || forced == (enum sandbox_mode)mode;
        if (report->modes[mode].works && wanted && report->mode == SANDBOX_NONE)
            report->mode = (enum sandbox_mode)mode;
    }
    return 0;
}

int sandbox_enter(struct error *error) {
    struct error first = {0}, found = {0};
    enum sandbox_mode forced = forced_mode();
    if (has_entered)
        return 0;
    if (!text_is_empty(getenv("PL_SANDBOX")) && forced == SANDBOX_NONE)
        return error_set(error, ERROR_CONFIGURATION, "PL_SANDBOX is none of root, user, single, chroot");
    for (int mode = 0; mode < SANDBOX_NONE; mode++) {
        if (forced != SANDBOX_NONE && forced != (enum sandbox_mode)mode)
            continue;
        if (try_mode((enum sandbox_mode)mode, &found) == 0) {
            if (enter_mode((enum sandbox_mode)mode, error) < 0)
                return -1;
            entered = (enum sandbox_mode)mode;
            has_entered = true;
            return 0;
        }
        add_advice((enum sandbox_mode)mode, &found);
        if (first.kind == ERROR_NONE || mode == SANDBOX_USER_FULL)
            first = found;
    }
    *error = first;
    error->kind = ERROR_CONFIGURATION;
    return error_wrap(error, "containers cannot run here");
}
