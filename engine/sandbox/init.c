/* Process 1 of a container: reaps whatever is left behind, passes signals on, ends with the command, or after the
 * visitors that came when that had ended. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { REAP_MILLISECONDS = 1000 };

static volatile sig_atomic_t command_pid;

/* An interrupt is for all that the command runs, as on a terminal. */
static void pass_signal(int number) {
    if (command_pid > 0)
        kill(number == SIGINT ? -(pid_t)command_pid : (pid_t)command_pid, number);
}

static void wait_for_go(const struct contain *contain) {
    char byte;
    ssize_t got = 1;
    if (contain->go >= 0)
        do
            got = read(contain->go, &byte, 1);
        while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(START_FAILED);
}

static void prepare_signals(void) {
    static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < ARRAY_LENGTH(passed); i++)
        sigaction(passed[i], &(struct sigaction){.sa_handler = pass_signal, .sa_flags = SA_RESTART}, NULL);
    /* Whoever waits for signals with sigwait has blocked them, and that was inherited. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_all(void) {
    syscall(SYS_close_range, 0, ~0U, 0);
}

/* The places of the standard streams stay taken, so that nothing that is made for a visitor gets one of them. */
static void close_all_but(int channel) {
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)!dup3(channel, fd, O_CLOEXEC);
    if (channel > STDERR_FILENO + 1)
        syscall(SYS_close_range, STDERR_FILENO + 1, (unsigned)channel - 1, 0);
    syscall(SYS_close_range, (unsigned)channel + 1, ~0U, 0);
}

static int wait_for(pid_t child) {
    int status;
    for (;;) {
        pid_t ended = waitpid(-1, &status, 0);
        if (ended == child)
            return contain_exit_status(status);
        if (ended < 0 && errno != EINTR)
            _exit(START_FAILED);
    }
}

/* ---- the command ---- */

static _Noreturn void become_command(const struct place *place) {
    const struct contain *contain = place->contain;
    struct error error = {0};
    int given = contain->sandbox->input_fd;
    struct program program = {.argvs = contain->sandbox->argv,
                              .count = 1,
                              .in = given > 0 ? given : open("/dev/null", O_RDONLY),
                              .out = contain->out,
                              .err = contain->err};
    (void)!program_exec(place, &program, &error);
    contain_give_up(contain, &error);
}

static pid_t start_command(const struct place *place) {
    pid_t child = fork();
    if (child == 0)
        become_command(place);
    if (child < 0) {
        struct error error;
        error_set_errno(&error, errno, "cannot start the command");
        contain_give_up(place->contain, &error);
    }
    return child;
}

/* ---- visitors ---- */

static _Noreturn void become_visitor(const struct place *place, const struct visit_request *request, int terminal,
                                     int failure) {
    const struct sandbox *sandbox = place->contain->sandbox;
    struct error error = {0};
    struct program program = {.argvs = sandbox->visitors,
                              .count = sandbox->visitor_count,
                              .in = terminal,
                              .out = terminal,
                              .err = terminal,
                              .terminal = request->terminal};
    (void)!program_exec(place, &program, &error);
    ssize_t ignored = write(failure, &error, sizeof(error));
    (void)ignored;
    _exit(START_FAILED);
}

/* Its terminal belongs to whom it runs as: as after a login. */
static void prepare_terminal(const struct place *place, const struct visit_request *request, int inside) {
    const struct winsize size = {.ws_row = request->rows, .ws_col = request->columns};
    (void)!ioctl(inside, TIOCSWINSZ, &size);
    (void)!fchown(inside, place->user.uid, (gid_t)-1);
    (void)!fchmod(inside, 0620);
}

static pid_t start_on(const struct place *place, const struct visit_request *request, int inside,
                      struct visit_reply *reply) {
    int failure[2];
    if (pipe2(failure, O_CLOEXEC) < 0) {
        error_set_errno(&reply->error, errno, "cannot make a pipe");
        return -1;
    }
    pid_t child = fork();
    if (child == 0)
        become_visitor(place, request, inside, failure[1]);
    int number = errno;
    close(failure[1]);
    AUTO_CLOSE int read_end = failure[0];
    if (child < 0)
        error_set_errno(&reply->error, number, "cannot start a process");
    /* Nothing comes when it was started: exec closes the other end. */
    else if (read(read_end, &reply->error, sizeof(reply->error)) == (ssize_t)sizeof(reply->error)) {
        (void)!wait_for(child);
        child = -1;
    }
    return child;
}

/* `given`: the inside of a terminal that is ours, or -1. */
static void admit(const struct place *place, const struct visit_request *request, int given) {
    int channel = place->contain->visit;
    struct pseudo_terminal terminal = {.outside = -1, .inside = given};
    struct visit_reply reply = {.kind = VISIT_FAILED};
    pid_t child = -1;
    if (given >= 0 || pseudo_terminal_open("/dev/pts/ptmx", &terminal, &reply.error) == 0) {
        prepare_terminal(place, request, terminal.inside);
        child = start_on(place, request, terminal.inside, &reply);
    }
    command_pid = child > 0 ? child : 0;
    cleanup_close(&terminal.inside);
    if (child > 0)
        reply.kind = VISIT_STARTED;
    (void)!visit_send(channel, &reply, sizeof(reply), terminal.outside);
    cleanup_close(&terminal.outside);
    if (child < 0)
        return;
    reply = (struct visit_reply){.kind = VISIT_ENDED, .status = wait_for(child)};
    command_pid = 0;
    (void)!visit_send(channel, &reply, sizeof(reply), -1);
}

/* What the command left running goes on meanwhile, and is reaped. */
static void admit_visitors(const struct place *place) {
    struct pollfd channel = {.fd = place->contain->visit, .events = POLLIN};
    struct visit_request request;
    int given;
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (poll(&channel, 1, REAP_MILLISECONDS) <= 0)
            continue;
        if (visit_receive(channel.fd, &request, sizeof(request), &given) != 1)
            return;
        admit(place, &request, given);
    }
}

_Noreturn void init_run(const struct place *place) {
    const struct contain *contain = place->contain;
    int status = 0;
    wait_for_go(contain);
    pid_t child = contain->sandbox->argv ? start_command(place) : 0;
    command_pid = child;
    prepare_signals();
    if (contain->visit >= 0)
        close_all_but(contain->visit);
    else
        close_all();
    if (child > 0)
        status = wait_for(child);
    command_pid = 0;
    if (contain->visit >= 0) {
        struct visit_reply reply = {.kind = VISIT_COMMAND_ENDED, .status = status};
        if (visit_send(contain->visit, &reply, sizeof(reply), -1) == 0)
            admit_visitors(place);
    }
    _exit(status);
}
