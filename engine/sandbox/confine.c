/* What a container may do: the capabilities that Docker leaves by default, no new privileges, and a filter that refuses
 * the system calls with which a container could reach the kernel's or the host's state. */
#include "engine/sandbox/internal.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int kept_capabilities[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_MKNOD,      CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE};

static bool is_kept(int capability) {
    for (size_t i = 0; i < ARRAY_LENGTH(kept_capabilities); i++)
        if (kept_capabilities[i] == capability)
            return true;
    return false;
}

static int drop_bounding(struct error *error) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!is_kept(capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EPERM)
            return error_set_errno(error, errno, "cannot drop a capability");
    return 0;
}

static int set_capabilities(struct error *error) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2], wanted[2];
    memset(wanted, 0, sizeof(wanted));
    if (syscall(SYS_capget, &header, now) < 0)
        return error_set_errno(error, errno, "cannot read capabilities");
    for (size_t i = 0; i < ARRAY_LENGTH(kept_capabilities); i++) {
        unsigned word = (unsigned)kept_capabilities[i] / 32, bit = 1U << (kept_capabilities[i] % 32);
        wanted[word].effective |= now[word].permitted & bit;
        wanted[word].permitted |= now[word].permitted & bit;
    }
    if (syscall(SYS_capset, &header, wanted) < 0)
        return error_set_errno(error, errno, "cannot set capabilities");
    return 0;
}

static int set_user(const struct rootfs_user *user, enum sandbox_mode mode, struct error *error) {
    gid_t groups[ARRAY_LENGTH(user->groups)];
    for (size_t i = 0; i < user->group_count; i++)
        groups[i] = user->groups[i];
    /* One id is all there is: the container runs as what it has. */
    if (mode == SANDBOX_USER_SINGLE)
        return 0;
    if (setgroups(user->group_count, groups) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return error_set_errno(error, errno, "cannot become the user %u:%u", user->uid, user->gid);
    return 0;
}

static const char *const refused_calls[] = {
    "acct",
    "add_key",
    "bpf",
    "clock_settime",
    "clock_adjtime",
    "create_module",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "settimeofday",
    "setns",
    "stime",
    "swapoff",
    "swapon",
    "sysfs",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vm86",
    "vm86old",
};

/* With one id, giving a file to another user cannot be done; installers do it all the time and must not fail for it. */
static const char *const ignored_calls[] = {"chown",    "chown32",  "fchown",    "fchown32",   "lchown",
                                            "lchown32", "fchownat", "setgroups", "setgroups32"};

static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, struct error *error) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    int failure = seccomp_rule_add(filter, action, number, 0);
    return failure < 0 && failure != -EDOM ? error_set_errno(error, -failure, "cannot filter %s", name) : 0;
}

/* With the machine's 32-bit programs, which would be ended at their first system call otherwise. */
static scmp_filter_ctx new_filter(struct error *error) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        error_set(error, ERROR_INTERNAL, "no memory for the system call filter");
    else if (seccomp_arch_native() == SCMP_ARCH_X86_64)
        (void)!seccomp_arch_add(filter, SCMP_ARCH_X86);
    else if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
        (void)!seccomp_arch_add(filter, SCMP_ARCH_ARM);
    return filter;
}

static int load(scmp_filter_ctx filter, struct error *error) {
    int failure = seccomp_load(filter);
    return failure < 0 ? error_set_errno(error, -failure, "cannot load the system call filter") : 0;
}

int confine_owners(struct error *error) {
    scmp_filter_ctx filter = new_filter(error);
    int result = filter ? 0 : -1;
    for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(ignored_calls); i++)
        result = add_rule(filter, SCMP_ACT_ERRNO(0), ignored_calls[i], error);
    if (result == 0)
        result = load(filter, error);
    seccomp_release(filter);
    return result;
}

static int load_filter(struct error *error) {
    scmp_filter_ctx filter = new_filter(error);
    int result = filter ? 0 : -1;
    for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(refused_calls); i++)
        result = add_rule(filter, SCMP_ACT_ERRNO(EPERM), refused_calls[i], error);
    /* New namespaces would give the capabilities back. clone3 hides its flags: programs fall back to clone. */
    if (result == 0 && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)) < 0)
        result = error_set(error, ERROR_INTERNAL, "cannot filter clone");
    if (result == 0)
        result = add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", error);
    if (result == 0)
        result = load(filter, error);
    seccomp_release(filter);
    return result;
}

int confine(const struct rootfs_user *user, enum sandbox_mode mode, struct error *error) {
    if (drop_bounding(error) < 0 || set_user(user, mode, error) < 0 || set_capabilities(error) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set_errno(error, errno, "cannot give up new privileges");
    return load_filter(error);
}
