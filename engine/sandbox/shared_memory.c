/* A file system in memory that several containers mount: made in a mount namespace that ends at once, so that nothing
 * refers to it but the descriptors, and the containers that have mounted them. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

struct errand {
    const char *place;
    uint64_t size;
    int *descriptors;
    size_t count;
    int number; /* errno, or 0 */
};

static bool make(const struct errand *errand) {
    char options[64];
    snprintf(options, sizeof(options), "mode=1777,size=%llu", (unsigned long long)errand->size);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", errand->place, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return false;
    for (size_t i = 0; i < errand->count; i++) {
        errand->descriptors[i] =
            (int)syscall(SYS_open_tree, AT_FDCWD, errand->place, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (errand->descriptors[i] < 0)
            return false;
    }
    return true;
}

/* A thread can have a mount namespace of its own, and it ends with the thread. */
static void *run_errand(void *context) {
    struct errand *errand = context;
    errand->number = make(errand) ? 0 : errno;
    return NULL;
}

int sandbox_shared_memory(const char *place, uint64_t size, int *descriptors, size_t count, struct error *error) {
    struct errand errand = {place, size, descriptors, count, 0};
    pthread_t thread;
    for (size_t i = 0; i < count; i++)
        descriptors[i] = -1;
    if (sandbox_enter(error) < 0)
        return -1;
    if (sandbox_mode() == SANDBOX_CHROOT)
        return error_set(error, ERROR_CONFIGURATION, "containers cannot share memory where nothing can be mounted");
    if (pthread_create(&thread, NULL, run_errand, &errand) != 0)
        return error_set(error, ERROR_INTERNAL, "cannot make a thread");
    pthread_join(thread, NULL);
    if (errand.number == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        cleanup_close(&descriptors[i]);
    return error_set_errno(error, errand.number, "cannot make memory that containers share");
}
