/* Which way of running containers works here. */
#include "common/file/file.h"
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
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

bool sandbox_keeps_owners(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2] = {{0}};
    if (entered != SANDBOX_CHROOT)
        return entered == SANDBOX_ROOT || entered == SANDBOX_USER_FULL;
    return syscall(SYS_capget, &header, now) == 0 && (now[0].effective & (1U << CAP_CHOWN)) != 0;
}

static int enter_mode(enum sandbox_mode mode, struct error *error) {
    if (mode == SANDBOX_ROOT && geteuid() != 0)
        return error_set(error, ERROR_CONFIGURATION, "not root");
    if (!sandbox_mode_is_user(mode))
        return 0;
    return mode == SANDBOX_USER_FULL ? user_namespace_enter_full(error) : user_namespace_enter_single(error);
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

/* Ubuntu since 23.10: a user namespace can be made, but nothing can be done in it. */
static bool is_restricted_by_apparmor(void) {
    AUTO_BUFFER struct buffer text = BUFFER(64);
    bool found = false;
    return geteuid() != 0 &&
           file_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", &text, &found, NULL) == 0 && found &&
           buffer_text(&text)[0] == '1';
}

static void add_advice(enum sandbox_mode mode, struct error *error) {
    if (sandbox_mode_is_user(mode) && is_restricted_by_apparmor() && !strstr(error->next, "apt-get") &&
        !strstr(error->next, "usermod")) {
        error_wrap(error, "AppArmor forbids user namespaces to programs without a profile");
        error_next(error, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
    }
    if (mode == SANDBOX_ROOT && geteuid() == 0)
        error_next(error, "inside Docker: docker run --privileged, or --cap-add SYS_ADMIN --security-opt "
                          "seccomp=unconfined --security-opt apparmor=unconfined");
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
    struct error reason = {0}, found = {0};
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
        /* What the least demanding way lacks is what has to be mended first. */
        if (reason.kind == ERROR_NONE || mode == SANDBOX_USER_SINGLE)
            reason = found;
    }
    reason.kind = ERROR_CONFIGURATION;
    if (text_is_empty(reason.next))
        error_next(&reason, "pl-build --doctor lists all ways and what each of them lacks");
    if (error)
        *error = reason;
    return error_wrap(error, "containers cannot run here");
}
