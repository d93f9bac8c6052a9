/* Our side of a container: starting it, reading what it prints, ending it. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { BLOCK = 64 * 1024, POLL_MILLISECONDS = 100 };

struct sandbox_process {
    pid_t holder, init; /* our child, and the container's process 1 */
    int report;         /* its end, or a report of failure, is readable once the command was started or not */
    struct memory_group memory;
    struct host_settings host;
    bool has_ended;
    int status;
    int64_t deadline; /* milliseconds of the monotonic clock, 0: none */
    bool is_late;     /* the deadline has passed: now it is that of the grace */
};

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

static void release(struct sandbox_process *process) {
    if (process->report >= 0)
        close(process->report);
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

static void end_now(struct sandbox_process *process) {
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

static struct sandbox_process *launch(const struct sandbox *sandbox, int out, int err, struct error *error) {
    int ends[2], go[2] = {-1, -1};
    if (sandbox_enter(error) < 0 || open_pipe(ends, error) < 0)
        return NULL;
    if (sandbox->prepare && open_pipe(go, error) < 0) {
        close(ends[0]), close(ends[1]);
        return NULL;
    }
    struct sandbox_process *process = memory_allocate(1, sizeof(*process));
    host_settings_find(&process->host);
    memory_group_make(&process->memory, sandbox->memory_limit);
    process->report = ends[0];
    pid_t parent = getpid();
    process->holder = fork();
    if (process->holder == 0) {
        close(ends[0]);
        contain(&(struct contain){.sandbox = sandbox,
                                  .host = &process->host,
                                  .memory = &process->memory,
                                  .parent = parent,
                                  .out = out,
                                  .err = err,
                                  .report = ends[1],
                                  .go = go[0]});
    }
    close(ends[1]);
    cleanup_close(&go[0]);
    AUTO_CLOSE int start = go[1];
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
    release(process);
    return NULL;
}

/* After the first report: whether the command could be started at all. 1: *error says why not. */
static int failed_to_start(struct sandbox_process *process, struct error *error) {
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

static bool holder_ended(struct sandbox_process *process) {
    int status;
    if (!process->has_ended && waitpid(process->holder, &status, WNOHANG) == process->holder) {
        process->has_ended = true;
        process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return process->has_ended;
}

/* Cancelled, or out of time: -1 once the container was ended. */
static int check_limits(struct sandbox_process *process, const struct sandbox *sandbox, struct error *error) {
    if (progress_cancelled(sandbox->progress)) {
        end_now(process);
        return error_set(error, ERROR_CANCELLED, "cancelled");
    }
    if (process->deadline == 0 || milliseconds_now() < process->deadline)
        return 0;
    if (process->is_late) {
        end_now(process);
        return error_set(error, ERROR_TIMEOUT, "it did not end within %u s", sandbox->timeout);
    }
    process->is_late = true;
    process->deadline += SANDBOX_GRACE * 1000;
    if (process->init > 0)
        kill(process->init, SIGINT);
    return 0;
}

/* Until both streams end, or the container has ended (then what is in the pipes is still read). */
static int pump(struct sandbox_process *process, const struct sandbox *sandbox, int out, int err, struct error *error) {
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd streams[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        bool ended = holder_ended(process);
        int ready = poll(streams, 2, ended ? 0 : POLL_MILLISECONDS);
        if (!ended && check_limits(process, sandbox, error) < 0)
            return -1;
        if (ready <= 0 && ended)
            return 0;
        for (int i = 0; i < 2; i++)
            if (streams[i].revents && !pass_on(sandbox, streams[i].fd, i + 1, block))
                streams[i].fd = -1;
    }
    return 0;
}

static int wait_or_end(struct sandbox_process *process, const struct sandbox *sandbox, struct error *error) {
    /* Readable when the holder has ended. Without it (EMFILE) poll only waits, so it waits shortly. */
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, process->holder, 0);
    struct pollfd holder = {.fd = fd, .events = POLLIN};
    while (!holder_ended(process)) {
        if (check_limits(process, sandbox, error) < 0)
            return -1;
        poll(&holder, 1, fd < 0 ? 1 : POLL_MILLISECONDS);
    }
    if (process->is_late)
        return error_set(error, ERROR_TIMEOUT, "it did not end within %u s", sandbox->timeout);
    return 0;
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
    struct sandbox_process *process = launch(sandbox, out[1], sandbox->joins_streams ? out[1] : err[1], error);
    close(out[1]), close(err[1]);
    if (process && sandbox->timeout > 0)
        process->deadline = milliseconds_now() + (int64_t)sandbox->timeout * 1000;
    int result = process ? pump(process, sandbox, out[0], err[0], error) : -1;
    close(out[0]), close(err[0]);
    if (!process)
        return -1;
    if (result == 0)
        result = wait_or_end(process, sandbox, error);
    if (result == 0 && failed_to_start(process, error))
        result = -1;
    if (result == 0 && memory_group_ran_out(&process->memory))
        result = error_set(error, ERROR_STEP, "out of memory: more than %llu MiB",
                           (unsigned long long)(sandbox->memory_limit >> 20));
    *status = process->status;
    release(process);
    return result;
}

/* ---- services ---- */

struct sandbox_process *sandbox_start(const struct sandbox *sandbox, int output_fd, struct error *error) {
    struct sandbox_process *process = launch(sandbox, output_fd, output_fd, error);
    if (process && failed_to_start(process, error)) {
        end_now(process);
        release(process);
        return NULL;
    }
    return process;
}

pid_t sandbox_process_pid(const struct sandbox_process *process) {
    return process->init;
}

bool sandbox_process_ended(struct sandbox_process *process, int *status, bool *out_of_memory) {
    if (!holder_ended(process))
        return false;
    *status = process->status;
    *out_of_memory = memory_group_ran_out(&process->memory);
    return true;
}

void sandbox_process_stop(struct sandbox_process **pointer, unsigned grace) {
    struct sandbox_process *process = *pointer;
    if (!process)
        return;
    *pointer = NULL;
    if (!holder_ended(process) && grace > 0) {
        kill(process->init, SIGTERM);
        for (unsigned waited = 0; waited < grace * 100 && !holder_ended(process); waited++)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    end_now(process);
    release(process);
}
