#include "engine/sandbox/internal.h"

#include "common/crypto/random.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define GROUPS_V1 "/sys/fs/cgroup/memory"
#define GROUPS_V2 "/sys/fs/cgroup"
enum { GROUP_DIGITS = 16 };

static int write_value(const char *folder, const char *name, const char *text) {
    AUTO_FREE char *path = path_join(folder, name);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    return fd >= 0 && write(fd, text, length) == (ssize_t)length ? 0 : -1;
}

/* Where memory is accounted: cgroup v2 with the controller handed down, or the v1 hierarchy beside it. */
static bool try_group(struct memory_group *group, const char *parent, bool is_v2, const char *limit) {
    char random[GROUP_DIGITS + 1];
    random_hex(random, sizeof(random));
    AUTO_FREE char *path = text_format("%s/pl-%s", parent, random);
    if (mkdir(path, 0755) < 0)
        return false;
    if (write_value(path, is_v2 ? "memory.max" : "memory.limit_in_bytes", limit) < 0) {
        rmdir(path);
        return false;
    }
    (void)!write_value(path, is_v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", is_v2 ? "0" : limit);
    group->path = take_pointer(&path);
    group->is_v2 = is_v2;
    return true;
}

/* A group in use cannot be removed, and one that was made a moment ago is about to be used. */
static void clean_folder(const char *parent) {
    enum { SETTLED_SECONDS = 60 };
    AUTO_LIST struct text_list names = {0};
    if (directory_list(parent, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = path_join(parent, names.items[i]);
        struct stat status;
        if (text_starts_with(names.items[i], "pl-") && strlen(names.items[i]) == strlen("pl-") + GROUP_DIGITS &&
            stat(path, &status) == 0 && status.st_mtime + SETTLED_SECONDS < time(NULL))
            rmdir(path);
    }
}

void sandbox_clean(void) {
    clean_folder(GROUPS_V1);
    clean_folder(GROUPS_V2);
}

void memory_group_make(struct memory_group *group, uint64_t limit) {
    *group = (struct memory_group){0};
    if (limit == 0)
        return;
    AUTO_FREE char *text = text_format("%llu", (unsigned long long)limit);
    if (!try_group(group, GROUPS_V1, false, text))
        try_group(group, GROUPS_V2, true, text);
}

void memory_group_join(const struct memory_group *group, uint64_t limit) {
    struct rlimit data = {.rlim_cur = limit, .rlim_max = limit};
    if (limit == 0 || (group->path && write_value(group->path, "cgroup.procs", "0") == 0))
        return;
    /* Without a cgroup each process has the limit for itself: better than none. */
    setrlimit(RLIMIT_DATA, &data);
}

bool memory_group_ran_out(const struct memory_group *group) {
    AUTO_FREE char *path =
        group->path ? path_join(group->path, group->is_v2 ? "memory.events" : "memory.oom_control") : NULL;
    AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char block[2048];
    ssize_t got = fd >= 0 ? read(fd, block, sizeof(block) - 1) : -1;
    if (got <= 0)
        return false;
    block[got] = '\0';
    const char *kills = strstr(block, "oom_kill ");
    return kills && strtoul(kills + strlen("oom_kill "), NULL, 10) > 0;
}

void memory_group_release(struct memory_group *group) {
    if (group->path)
        rmdir(group->path);
    free(group->path);
    group->path = NULL;
}
