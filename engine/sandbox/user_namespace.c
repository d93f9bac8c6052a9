/* Entering a user namespace, with as many ids as can be had. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

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

/* The end of the last range that somebody has, for an advice that takes nothing away from others. */
static uint64_t free_range(const char *path) {
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    AUTO_LIST struct text_list lines = {0};
    uint64_t end = 100000, first, count;
    if (file_read(path, &text, &(bool){false}, NULL) < 0)
        return end;
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        AUTO_LIST struct text_list parts = {0};
        text_list_split(&parts, lines.items[i], ':');
        if (parts.count == 3 && text_to_u64(parts.items[1], UINT32_MAX, &first) &&
            text_to_u64(parts.items[2], UINT32_MAX, &count) && first + count > end)
            end = first + count;
    }
    return end;
}

static int explain_ranges(const char *name, struct error *error) {
    unsigned long long uid = free_range("/etc/subuid"), gid = free_range("/etc/subgid");
    error_set(error, ERROR_CONFIGURATION, "%s has no range of 65536 ids in /etc/subuid and /etc/subgid", name);
    return error_next(error, "sudo usermod --add-subuids %llu-%llu --add-subgids %llu-%llu %s", uid, uid + 65535, gid,
                      gid + 65535, name);
}

static int find_ranges(struct id_ranges *ranges, struct error *error) {
    struct passwd *entry = getpwuid(getuid());
    char number[24];
    snprintf(number, sizeof(number), "%u", getuid());
    const char *name = entry ? entry->pw_name : number;
    AUTO_FREE char *newuidmap = process_find("newuidmap");
    AUTO_FREE char *newgidmap = process_find("newgidmap");
    if (!newuidmap || !newgidmap) {
        error_set(error, ERROR_CONFIGURATION, "newuidmap and newgidmap are not installed");
        return error_next(error, "sudo apt-get install uidmap");
    }
    if (!find_range("/etc/subuid", name, &ranges->uid_first, &ranges->uid_count) ||
        !find_range("/etc/subgid", name, &ranges->gid_first, &ranges->gid_count))
        return explain_ranges(name, error);
    return 0;
}

/* Root needs no helper and no range: it maps its own ids onto themselves, as many as it has. */
static int map_own(pid_t pid, const char *map, struct error *error) {
    AUTO_FREE char *own = text_format("/proc/self/%s", map), *target = text_format("/proc/%d/%s", pid, map);
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    bool found = false;
    unsigned long long inside = 1, outside = 0, count = 0;
    if (file_read(own, &text, &found, error) < 0)
        return -1;
    if (sscanf(buffer_text(&text), "%llu %llu %llu", &inside, &outside, &count) != 3 || inside != 0 || count < 65536)
        return error_set(error, ERROR_CONFIGURATION, "root has less than 65536 ids here (/proc/self/%s)", map);
    if (write_file(target, "0 0 65536\n") < 0)
        return error_set_errno(error, errno, "root cannot map its ids into a user namespace");
    return 0;
}

static int map_ids(const struct id_ranges *ranges, pid_t pid, struct error *error) {
    if (geteuid() == 0)
        return map_own(pid, "uid_map", error) < 0 ? -1 : map_own(pid, "gid_map", error);
    if (run_helper("newuidmap", pid, getuid(), ranges->uid_first, ranges->uid_count, error) < 0)
        return -1;
    return run_helper("newgidmap", pid, getgid(), ranges->gid_first, ranges->gid_count, error);
}

/* A child that stays outside maps the ids of its parent, which is inside the new namespace by then. */
static int map_from_outside(const struct id_ranges *ranges, int ready, int done) {
    struct error error = {0};
    char byte;
    if (read(ready, &byte, 1) != 1)
        _exit(0);
    int status = map_ids(ranges, getppid(), &error);
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

static int become_root(bool drop_groups, struct error *error) {
    if (drop_groups && setgroups(0, NULL) < 0)
        return error_set_errno(error, errno, "cannot drop groups in the user namespace");
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return error_set_errno(error, errno, "cannot become root in the user namespace");
    return 0;
}

int user_namespace_enter_full(struct error *error) {
    struct id_ranges ranges = {0};
    int ready[2], done[2];
    if (geteuid() != 0 && find_ranges(&ranges, error) < 0)
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
    return status < 0 ? -1 : become_root(true, error);
}

int user_namespace_enter_single(struct error *error) {
    AUTO_FREE char *uid = text_format("0 %u 1\n", getuid());
    AUTO_FREE char *gid = text_format("0 %u 1\n", getgid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return explain_unshare(errno, error);
    if (write_file("/proc/self/setgroups", "deny") < 0 || write_file("/proc/self/uid_map", uid) < 0 ||
        write_file("/proc/self/gid_map", gid) < 0)
        return error_set_errno(error, errno, "cannot map one id into a user namespace");
    return become_root(false, error) < 0 ? -1 : confine_owners(error);
}
