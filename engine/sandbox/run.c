/* Our side of a container: starting it, reading what it prints, ending it. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { BLOCK = 64 * 1024, POLL_MILLISECONDS = 100, LAST_BLOCKS = 16 };

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_pipe(int ends[2], struct error *error) {
    return pipe2(ends, O_CLOEXEC) < 0 ? error_set_errno(error, errno, "cannot make a pipe") : 0;
}

static int read_report(struct sandbox_process *process, struct contain_report *report) {
    for (;;) {
        ssize_t got = read(process->report, report, sizeof(*report));
        if (got >= 0 || errno != EINTR)
            return got == (ssize_t)sizeof(*report) ? 1 : 0;
    }
}

void process_release(struct sandbox_process *process) {
    cleanup_close(&process->report);
    cleanup_close(&process->visit);
    memory_group_release(&process->memory);
    host_settings_release(&process->host);
    free(process);
}

static void reap(struct sandbox_process *process) {
    int status = 0;
    if (process->has_ended)
        return;
    while (waitpid(process->holder, &status, 0) < 0 && errno == EINTR)
        continue;
    process->has_ended = true;
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void process_end(struct sandbox_process *process) {
    if (process->has_ended)
        return;
    /* Process 1 first: its parent then takes the mounts down in order. */
    if (process->init > 0)
        kill(process->init, SIGKILL);
    else
        kill(process->holder, SIGKILL);
    reap(process);
}

/* The command waits until the caller has prepared what it will find. */
static void prepare(const struct sandbox *sandbox, const struct sandbox_process *process, int go) {
    if (sandbox->prepare)
        sandbox->prepare(sandbox->prepare_context, process->init);
    if (go >= 0 && write(go, "", 1) < 0)
        return; /* it has ended; whoever waits for it sees that */
}

/* Pairs of descriptors: ours is the first. */
struct channels {
    int report[2], go[2], visit[2];
};

static void close_side(struct channels *channels, int side) {
    int *pairs[] = {channels->report, channels->go, channels->visit};
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        cleanup_close(&pairs[i][side]);
        pairs[i][side] = -1;
    }
}

static int open_channels(const struct sandbox *sandbox, struct channels *channels, struct error *error) {
    *channels = (struct channels){{-1, -1}, {-1, -1}, {-1, -1}};
    int result = open_pipe(channels->report, error);
    if (result == 0 && sandbox->prepare)
        result = open_pipe(channels->go, error);
    /* Into this one it is us who write. */
    int read_end = channels->go[0];
    channels->go[0] = channels->go[1];
    channels->go[1] = read_end;
    if (result == 0 && sandbox->visitor_count > 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels->visit) < 0)
        result = error_set_errno(error, errno, "cannot make a channel to the container");
    if (result < 0)
        close_side(channels, 0), close_side(channels, 1);
    return result;
}

static pid_t fork_holder(const struct sandbox *sandbox, const struct sandbox_process *process,
                         struct channels *channels, int out, int err) {
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    close_side(channels, 0);
    contain(&(struct contain){.sandbox = sandbox,
                              .host = &process->host,
                              .memory = &process->memory,
                              .parent = parent,
                              .out = out,
                              .err = err,
                              .report = channels->report[1],
                              .go = channels->go[1],
                              .visit = channels->visit[1]});
}

struct sandbox_process *process_launch(const struct sandbox *sandbox, int out, int err, struct error *error) {
    struct channels channels;
    if (sandbox_enter(error) < 0 || open_channels(sandbox, &channels, error) < 0)
        return NULL;
    struct sandbox_process *process = memory_allocate(1, sizeof(*process));
    host_settings_find(&process->host);
    memory_group_make(&process->memory, sandbox->memory_limit);
    process->holder = fork_holder(sandbox, process, &channels, out, err);
    close_side(&channels, 1);
    process->report = channels.report[0];
    process->visit = channels.visit[0];
    AUTO_CLOSE int start = channels.go[0];
    struct contain_report report = {0};
    bool told = process->holder > 0 && read_report(process, &report);
    if (told && report.error.kind == ERROR_NONE) {
        process->init = report.init;
        prepare(sandbox, process, start);
        return process;
    }
    if (process->holder > 0)
        reap(process);
    if (told && error)
        *error = report.error;
    else
        error_set(error, ERROR_INTERNAL, "the container could not be started");
    process_release(process);
    return NULL;
}

/* After the first report: whether the command could be started at all. 1: *error says why not. */
int process_failed_to_start(struct sandbox_process *process, struct error *error) {
    struct contain_report report;
    if (!read_report(process, &report))
        return 0;
    if (error)
        *error = report.error;
    return 1;
}

/* ---- to the end ---- */

static bool pass_on(const struct sandbox *sandbox, int fd, int stream, char *block) {
    ssize_t got = read(fd, block, BLOCK);
    if (got > 0 && sandbox->output)
        sandbox->output(sandbox->output_context, stream, block, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

bool process_holder_ended(struct sandbox_process *process) {
    int status;
    if (!process->has_ended && waitpid(process->holder, &status, WNOHANG) == process->holder) {
        process->has_ended = true;
        process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return process->has_ended;
}

static int out_of_time(const struct sandbox *sandbox, struct error *error) {
    return error_set(error, ERROR_TIMEOUT, "it did not end within %u s", sandbox->timeout);
}

/* Cancelled, or out of time: -1 once the container was ended. */
static int check_limits(struct sandbox_process *process, const struct sandbox *sandbox, struct error *error) {
    if (progress_cancelled(sandbox->progress)) {
        process_end(process);
        return error_set(error, ERROR_CANCELLED, "cancelled");
    }
    if (process->deadline == 0 || milliseconds_now() < process->deadline)
        return 0;
    if (process->is_late) {
        process_end(process);
        return out_of_time(sandbox, error);
    }
    process->is_late = true;
    process->deadline += SANDBOX_GRACE * 1000;
    if (process->init > 0)
        kill(process->init, SIGINT);
    return 0;
}

void process_drain(const struct sandbox *sandbox, int out, int err) {
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd streams[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    for (int blocks = 0; blocks < LAST_BLOCKS && poll(streams, 2, 0) > 0; blocks++)
        for (int i = 0; i < 2; i++)
            if (streams[i].revents && !pass_on(sandbox, streams[i].fd, i + 1, block))
                streams[i].fd = -1;
}

/* The first that comes through the channel; after it nothing is waited for there. */
static int hear_of_end(struct sandbox_process *process) {
    struct visit_reply reply;
    int passed;
    process->command_ended = visit_receive(process->visit, &reply, sizeof(reply), &passed) == 1;
    process->command_status = reply.status;
    return -1;
}

/* Until the command has ended, or all of the container has: what is in the pipes then is for process_drain. */
static int pump(struct sandbox_process *process, const struct sandbox *sandbox, int out, int err, struct error *error) {
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd streams[3] = {
        {.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}, {.fd = process->visit, .events = POLLIN}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0 || streams[2].fd >= 0) {
        if (process_holder_ended(process) || process->command_ended)
            return 0;
        poll(streams, 3, POLL_MILLISECONDS);
        if (check_limits(process, sandbox, error) < 0)
            return -1;
        for (int i = 0; i < 2; i++)
            if (streams[i].revents && !pass_on(sandbox, streams[i].fd, i + 1, block))
                streams[i].fd = -1;
        if (streams[2].revents)
            streams[2].fd = hear_of_end(process);
    }
    return 0;
}

/* The command has ended, and its container waits. */
static void let_visitors_in(struct sandbox_process *process, const struct sandbox *sandbox, int out, int err,
                            const struct error *failure) {
    struct error late;
    struct sandbox_visit visit = {.sandbox = sandbox, .process = process, .out = out, .err = err};
    if (process->is_late)
        (void)!out_of_time(sandbox, &late);
    process->deadline = 0;
    if (sandbox->ended)
        sandbox->ended(sandbox->ended_context, &visit, process->command_status, process->is_late ? &late : failure);
    /* Then it ends. */
    cleanup_close(&process->visit);
    process->visit = -1;
}

static int wait_or_end(struct sandbox_process *process, const struct sandbox *sandbox, struct error *error) {
    /* Readable when the holder has ended. Without it (EMFILE) poll only waits, so it waits shortly. */
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, process->holder, 0);
    struct pollfd holder = {.fd = fd, .events = POLLIN};
    while (!process_holder_ended(process)) {
        if (check_limits(process, sandbox, error) < 0)
            return -1;
        poll(&holder, 1, fd < 0 ? 1 : POLL_MILLISECONDS);
    }
    if (process->is_late)
        return out_of_time(sandbox, error);
    return 0;
}

/* Its output, its visitors, its end. */
static int attend(struct sandbox_process *process, const struct sandbox *sandbox, int out, int err,
                  struct error *error) {
    struct error failure;
    int result = pump(process, sandbox, out, err, error), has_failed = -1;
    process_drain(sandbox, out, err);
    if (result == 0 && process->command_ended) {
        has_failed = process_failed_to_start(process, &failure);
        let_visitors_in(process, sandbox, out, err, has_failed ? &failure : NULL);
    }
    if (result == 0)
        result = wait_or_end(process, sandbox, error);
    if (result == 0 && has_failed < 0)
        has_failed = process_failed_to_start(process, &failure);
    if (result == 0 && has_failed) {
        if (error)
            *error = failure;
        result = -1;
    }
    if (result == 0 && memory_group_ran_out(&process->memory))
        result = error_set(error, ERROR_STEP, "out of memory: more than %llu MiB",
                           (unsigned long long)(sandbox->memory_limit >> 20));
    return result;
}

int sandbox_run(const struct sandbox *sandbox, int *status, struct error *error) {
    int out[2], err[2];
    *status = -1;
    if (open_pipe(out, error) < 0)
        return -1;
    if (open_pipe(err, error) < 0) {
        close(out[0]), close(out[1]);
        return -1;
    }
    struct sandbox_process *process = process_launch(sandbox, out[1], sandbox->joins_streams ? out[1] : err[1], error);
    close(out[1]), close(err[1]);
    if (process && sandbox->timeout > 0)
        process->deadline = milliseconds_now() + (int64_t)sandbox->timeout * 1000;
    int result = process ? attend(process, sandbox, out[0], err[0], error) : -1;
    close(out[0]), close(err[0]);
    if (!process)
        return -1;
    *status = process->status;
    process_release(process);
    return result;
}

/* ---- services ---- */

struct sandbox_process *sandbox_start(const struct sandbox *sandbox, int output_fd, struct error *error) {
    struct sandbox_process *process = process_launch(sandbox, output_fd, output_fd, error);
    if (process && process_failed_to_start(process, error)) {
        process_end(process);
        process_release(process);
        return NULL;
    }
    return process;
}

pid_t sandbox_process_pid(const struct sandbox_process *process) {
    return process->init;
}

bool sandbox_process_ended(struct sandbox_process *process, int *status, bool *out_of_memory) {
    if (!process_holder_ended(process))
        return false;
    *status = process->status;
    *out_of_memory = memory_group_ran_out(&process->memory);
    return true;
}

void sandbox_process_ask(struct sandbox_process *process) {
    if (!process || process->asked || process_holder_ended(process))
        return;
    kill(process->init, SIGTERM);
    process->asked = milliseconds_now();
}

void sandbox_process_stop(struct sandbox_process **pointer, unsigned grace) {
    struct sandbox_process *process = *pointer;
    if (!process)
        return;
    *pointer = NULL;
    if (grace > 0)
        sandbox_process_ask(process);
    while (process->asked && !process_holder_ended(process) &&
           milliseconds_now() < process->asked + (int64_t)grace * 1000)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    process_end(process);
    process_release(process);
}
