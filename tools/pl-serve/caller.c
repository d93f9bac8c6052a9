#include "tools/pl-serve/caller.h"

#include "common/base/buffer.h"
#include "common/file/file.h"
#include "common/process/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { ENVIRONMENT_LIMIT = 64 << 10, NOT_RUN = 126 };

static _Noreturn void be_command(int go, pid_t parent, const char *program, char *const *argv) {
    char given[ENVIRONMENT_LIMIT];
    size_t used = 0;
    ssize_t got;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(NOT_RUN);
    while ((got = read(go, given + used, sizeof(given) - used)) > 0 || (got < 0 && errno == EINTR))
        used += got > 0 ? (size_t)got : 0;
    if (used == 0)
        _exit(NOT_RUN);
    for (char *at = given; at < given + used; at += strlen(at) + 1)
        putenv(at);
    signal(SIGPIPE, SIG_DFL);
    execv(program, argv);
    dprintf(STDERR_FILENO, "pl-serve: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(NOT_RUN);
}

/* What command_main made of them; a signal that the shell ignores stays ignored. */
static void reset_signals(void) {
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    for (size_t i = 0; i < ARRAY_LENGTH(caught); i++) {
        struct sigaction old;
        if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            signal(caught[i], SIG_DFL);
    }
}

int caller_prepare(struct caller *caller, char *const *argv, struct error *error) {
    AUTO_FREE char *program = strchr(argv[0], '/') ? text_copy(argv[0]) : process_find(argv[0]);
    int ends[2];
    if (!program || access(program, X_OK) < 0)
        return error_set(error, ERROR_CONFIGURATION, "there is no program %s", argv[0]);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    pid_t parent = getpid();
    caller->pid = fork();
    if (caller->pid == 0) {
        close(ends[1]);
        reset_signals();
        be_command(ends[0], parent, program, argv);
    }
    int number = errno;
    close(ends[0]);
    caller->go = ends[1];
    return caller->pid < 0 ? error_set_errno(error, number, "cannot make a process") : 0;
}

int caller_begin(struct caller *caller, const struct text_list *environment, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(ENVIRONMENT_LIMIT);
    for (size_t i = 0; i < environment->count; i++)
        buffer_append(&text, environment->items[i], strlen(environment->items[i]) + 1);
    if (buffer_check(&text, "the environment", error) < 0 ||
        fd_write_all(caller->go, buffer_text(&text), text.length, error) < 0)
        return -1;
    close(take_fd(&caller->go));
    return 0;
}

bool caller_ended(struct caller *caller, int *status) {
    int end;
    if (waitpid(caller->pid, &end, WNOHANG) != caller->pid)
        return false;
    caller->pid = 0;
    *status = WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
    return true;
}

void caller_stop(struct caller *caller, unsigned grace) {
    int status;
    cleanup_close(&caller->go);
    caller->go = -1;
    if (caller->pid <= 0)
        return;
    kill(caller->pid, SIGTERM);
    for (unsigned waited = 0; waited < grace * 100; waited++) {
        if (caller_ended(caller, &status))
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    kill(caller->pid, SIGKILL);
    while (waitpid(caller->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    caller->pid = 0;
}
