/* gc's turn: builds that overlap without end would leave gc none, so whoever begins lets it go first. */
#include "common/store/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MILLISECONDS = 5 };

int store_turn_take(struct store *store) {
    int fd = openat(store->root_fd, "turn", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What comes through the pipe is in the store of whoever wrote it, who holds the lock until it is read: waiting for gc
 * here would be waiting for oneself. */
static bool is_expected(void) {
    struct stat status;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return fstat(STDIN_FILENO, &status) == 0 && S_ISFIFO(status.st_mode) && poll(&input, 1, 0) > 0;
}

void store_turn_await(struct store *store) {
    AUTO_CLOSE int fd = openat(store->root_fd, "turn", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    for (int waited = 0; fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK && !is_expected() &&
                         waited < TURN_MILLISECONDS;
         waited += PAUSE_MILLISECONDS)
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MILLISECONDS * 1000000}, NULL);
}
