/* The processes between us and the container. See sandbox.h. */
#include "engine/sandbox/internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void contain_report(const struct contain *contain, pid_t init, const struct error *error) {
    struct contain_report message = {.init = init};
    if (error)
        message.error = *error;
    ssize_t ignored = write(contain->report, &message, sizeof(message));
    (void)ignored;
}

_Noreturn void contain_give_up(const struct contain *contain, const struct error *error) {
    contain_report(contain, 0, error);
    _exit(START_FAILED);
}

int contain_exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* ---- namespaces ---- */

/* Loopback up, and SANDBOX_ADDRESS as a second address of it. */
static int raise_loopback(struct error *error) {
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return error_set_errno(error, errno, "cannot raise the loopback interface");
    struct ifreq second = {.ifr_name = "lo:1"};
    struct sockaddr_in address = {.sin_family = AF_INET};
    inet_pton(AF_INET, SANDBOX_ADDRESS, &address.sin_addr);
    memcpy(&second.ifr_addr, &address, sizeof(address));
    if (ioctl(fd, SIOCSIFADDR, &second) < 0)
        return error_set_errno(error, errno, "cannot give the loopback interface a second address");
    return 0;
}

static int make_namespaces(const struct contain *contain, struct error *error) {
    const struct sandbox *sandbox = contain->sandbox;
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (sandbox->network == SANDBOX_NETWORK_NONE)
        flags |= CLONE_NEWNET;
    if (unshare(flags) < 0)
        return error_set_errno(error, errno, "cannot make the container's namespaces");
    if (sandbox->network == SANDBOX_NETWORK_JOINED && setns(sandbox->network_fd, CLONE_NEWNET) < 0)
        return error_set_errno(error, errno, "cannot join the other container's network");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return error_set_errno(error, errno, "cannot make mounts private");
    const char *hostname = sandbox->hostname ? sandbox->hostname : "localhost";
    if (sethostname(hostname, strlen(hostname)) < 0)
        return error_set_errno(error, errno, "cannot set the host name");
    return sandbox->network == SANDBOX_NETWORK_NONE ? raise_loopback(error) : 0;
}

static int enter_place(const struct place *place, struct error *error) {
    if (place->view) {
        /* pivot_root moves every process of its mount namespace: this one gets its own. */
        if (unshare(CLONE_NEWNS) < 0)
            return error_set_errno(error, errno, "cannot make the container's mount namespace");
        return view_enter(place->view, error);
    }
    if (place->copy_view && (chroot(copy_view_root(place->copy_view)) < 0 || chdir("/") < 0))
        return error_set_errno(error, errno, "cannot enter the container's root");
    if (!place->copy_view && sandbox_mode() != SANDBOX_CHROOT &&
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return error_set_errno(error, errno, "cannot mount /proc");
    return 0;
}

static _Noreturn void start_init(const struct contain *contain, const struct place *place, const int alive[2]) {
    struct error error = {0};
    close(alive[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The holder may have died before that: then its end of the pipe is closed. */
    struct pollfd holder = {.fd = alive[0]};
    if (poll(&holder, 1, 0) != 0)
        _exit(START_FAILED);
    if (enter_place(place, &error) < 0)
        contain_give_up(contain, &error);
    init_run(place);
}

/* In chroot mode the kernel ends nothing for us: when our parent dies, this ends process 1, and the holder goes on to
 * clean up. */
static volatile sig_atomic_t init_pid, parent_is_gone;

static void end_init(int number) {
    (void)number;
    parent_is_gone = 1;
    if (init_pid > 0)
        kill((pid_t)init_pid, SIGKILL);
}

/* Starts process 1 and stays until it has ended; with it, the kernel has ended all others of its PID namespace. */
static int wait_for_init(const struct contain *contain, struct place *place) {
    struct error error = {0};
    int status, alive[2];
    pid_t init = pipe2(alive, O_CLOEXEC) < 0 || parent_is_gone ? -1 : fork();
    if (init == 0)
        start_init(contain, place, alive);
    if (init < 0) {
        error_set_errno(&error, errno, "cannot start the container");
        contain_give_up(contain, &error);
    }
    init_pid = init;
    if (parent_is_gone)
        kill(init, SIGKILL);
    contain_report(contain, init, NULL);
    close(contain->report);
    close(contain->out);
    close(contain->err);
    if (contain->visit >= 0)
        close(contain->visit);
    while (waitpid(init, &status, 0) < 0)
        if (errno != EINTR)
            return START_FAILED;
    return contain_exit_status(status);
}

static int contain_with_mounts(const struct contain *contain, struct error *error) {
    struct view view = {.sandbox = contain->sandbox, .host = contain->host, .root_fd = -1};
    struct place place = {.contain = contain, .view = &view};
    if (make_namespaces(contain, error) < 0)
        return -1;
    int result = view_mount(&view, error);
    if (result == 0)
        result = rootfs_user(view.root_fd, contain->sandbox->user, &place.user, error);
    if (result == 0)
        result = wait_for_init(contain, &place);
    view_leave(&view);
    return result;
}

/* Without a PID namespace, what the command leaves behind comes to us, the subreaper, and is ended here: also when our
 * own parent was killed. */
static void adopt_orphans(const struct contain *contain) {
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end_init, .sa_flags = SA_RESTART}, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != contain->parent)
        _exit(START_FAILED);
}

/* What a killed one leaves behind comes here only when it is really gone, so each round waits for one. */
static void end_orphans(void) {
    AUTO_FREE char *path = text_format("/proc/self/task/%d/children", getpid());
    for (;;) {
        char pids[4096];
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd >= 0 ? read(fd, pids, sizeof(pids) - 1) : -1;
        if (got <= 0)
            return;
        /* A number that is cut off is another process's. */
        while (got > 0 && pids[got - 1] != ' ')
            got--;
        pids[got] = '\0';
        for (char *at = pids, *end; *at; at = end) {
            long pid = strtol(at, &end, 10);
            if (end == at)
                break;
            if (pid > 1)
                kill((pid_t)pid, SIGKILL);
        }
        if (waitpid(-1, NULL, 0) < 0 && errno != EINTR)
            return;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
}

static int contain_with_copies(const struct contain *contain, struct error *error) {
    adopt_orphans(contain);
    struct copy_view *view = copy_view_make(contain->sandbox, contain->host, error);
    struct place place = {.contain = contain, .copy_view = view};
    if (!view)
        return -1;
    AUTO_CLOSE int root = open(copy_view_root(view), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = rootfs_user(root, contain->sandbox->user, &place.user, error);
    if (result == 0)
        result = wait_for_init(contain, &place);
    end_orphans();
    struct error second;
    return copy_view_finish(&view, result == 0 ? error : &second) < 0 && result == 0 ? -1 : result;
}

static int compare_numbers(const void *left, const void *right) {
    return *(const int *)left - *(const int *)right;
}

/* Other threads' connections and locks came along with the fork; held open here they would never end. */
static void keep_only_ours(const struct contain *contain) {
    const struct sandbox *sandbox = contain->sandbox;
    int kept[SANDBOX_LOCK_LIMIT + MOUNT_POINT_LIMIT + 8] = {STDERR_FILENO,   contain->out, contain->err,
                                                            contain->report, contain->go,  contain->visit};
    size_t count = 6;
    if (sandbox->network == SANDBOX_NETWORK_JOINED)
        kept[count++] = sandbox->network_fd;
    if (sandbox->input_fd > 0)
        kept[count++] = sandbox->input_fd;
    for (size_t i = 0; i < sandbox->lock_count && i < SANDBOX_LOCK_LIMIT; i++)
        kept[count++] = sandbox->locks[i];
    for (size_t i = 0; i < sandbox->mount_count && count < ARRAY_LENGTH(kept); i++)
        if (sandbox->mounts[i].type == SANDBOX_SHARED)
            kept[count++] = sandbox->mounts[i].shared;
    qsort(kept, count, sizeof(int), compare_numbers);
    for (size_t i = 0; i < count; i++) {
        unsigned from = (unsigned)kept[i] + 1;
        unsigned to = i + 1 < count ? (unsigned)kept[i + 1] - 1 : ~0U;
        if (kept[i] >= STDERR_FILENO && from <= to)
            syscall(SYS_close_range, from, to, 0);
    }
}

static int contain_on_host(const struct contain *contain, struct error *error) {
    struct place place = {.contain = contain};
    bool has_namespaces = sandbox_mode() != SANDBOX_CHROOT;
    if (has_namespaces && make_namespaces(contain, error) < 0)
        return -1;
    if (!has_namespaces)
        adopt_orphans(contain);
    int result = wait_for_init(contain, &place);
    if (!has_namespaces)
        end_orphans();
    return result;
}

_Noreturn void contain(const struct contain *contain) {
    struct error error = {0};
    keep_only_ours(contain);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != contain->parent)
        _exit(START_FAILED);
    /* The user's Ctrl-C is for us, who then end the container in order. */
    setpgid(0, 0);
    memory_group_join(contain->memory, contain->sandbox->memory_limit);
    int result = contain->sandbox->on_host          ? contain_on_host(contain, &error)
                 : sandbox_mode() == SANDBOX_CHROOT ? contain_with_copies(contain, &error)
                                                    : contain_with_mounts(contain, &error);
    if (result < 0)
        contain_give_up(contain, &error);
    _exit(result);
}
