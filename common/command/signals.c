#include "common/command/run.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static volatile sig_atomic_t caught;
static bool abandoned;

static void catch_signal(int number) {
    if (caught) {
        terminal_restore();
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    caught = number;
}

void signals_open(void) {
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = catch_signal};
    for (size_t i = 0; i < ARRAY_LENGTH(stopping); i++) {
        struct sigaction old;
        /* nohup and background jobs of a shell ignore a signal on purpose. */
        if (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stopping[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

int signals_caught(void) {
    return caught;
}

bool output_is_abandoned(void) {
    struct pollfd output = {.fd = STDOUT_FILENO};
    if (!abandoned && poll(&output, 1, 0) > 0 && (output.revents & POLLERR))
        abandoned = true;
    return abandoned;
}

bool output_was_abandoned(void) {
    return abandoned;
}

bool run_is_cancelled(void) {
    return caught || output_is_abandoned();
}

void signals_raise(void) {
    signal(caught, SIG_DFL);
    raise(caught);
}
