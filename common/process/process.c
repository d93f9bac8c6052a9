#include "common/process/process.h"

#include "common/base/text.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { INPUT_LIMIT = 60 * 1024, POLL_MILLISECONDS = 100, GRACE_MILLISECONDS = 2000 };

struct running {
    const struct process *process;
    pid_t pid;
    int streams[2]; /* our ends of its standard output and standard error; -1 once closed */
    long long started;
    long long told_to_stop; /* 0, or when SIGTERM was sent */
};

static long long now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_both(int pair[2]) {
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static int open_input(const struct process *process, struct error *error) {
    if (process->stdin_fd > 0)
        return fcntl(process->stdin_fd, F_DUPFD_CLOEXEC, 3);
    if (!process->input)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int pair[2];
    if (process->input_length > INPUT_LIMIT)
        return error_set(error, ERROR_INTERNAL, "input of a child is larger than %d bytes", INPUT_LIMIT);
    if (pipe2(pair, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    /* A pipe holds 64 KiB, so this never waits for the child. */
    ssize_t written = write(pair[1], process->input, process->input_length);
    close(pair[1]);
    if (written >= 0 && (size_t)written == process->input_length)
        return pair[0];
    close(pair[0]);
    return error_set(error, ERROR_INTERNAL, "cannot write the input of a child");
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
}

/* In the child, between fork and exec: async-signal-safe calls only. Reports errno through `report`. */
static _Noreturn void become(const struct process *process, int input, int out, int err, int report,
                             const char *program) {
    reset_signals();
    if (process->lead_group)
        setpgid(0, 0);
    /* Descriptors of libraries that forgot O_CLOEXEC; `report` has it and is needed until the exec. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    int ok = dup2(input, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err, 2) >= 0;
    if (ok && process->directory)
        ok = chdir(process->directory) == 0;
    if (ok) {
        char *const *environment = process->environment ? (char *const *)process->environment : environ;
        execve(program, (char *const *)process->argv, environment);
    }
    int number = errno;
    ssize_t ignored = write(report, &number, sizeof(number));
    (void)ignored;
    _exit(127);
}

static int wait_for_exec(int report, pid_t pid, const char *name, struct error *error) {
    int number = 0;
    ssize_t got;
    do
        got = read(report, &number, sizeof(number));
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return 0;
    waitpid(pid, NULL, 0);
    return error_set_errno(error, number, "cannot run %s", name);
}

static int start(struct running *running, const char *program, struct error *error) {
    const struct process *process = running->process;
    int out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
    AUTO_CLOSE int input = open_input(process, error);
    if (input < 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
        error_set_errno(error, errno, "cannot make a pipe");
        close_both(out), close_both(err), close_both(report);
        return -1;
    }
    running->pid = fork();
    if (running->pid == 0)
        become(process, input, out[1], err[1], report[1], program);
    int forked = running->pid < 0 ? error_set_errno(error, errno, "cannot start %s", process->argv[0]) : 0;
    close(out[1]), close(err[1]), close(report[1]);
    if (forked == 0)
        forked = wait_for_exec(report[0], running->pid, process->argv[0], error);
    close(report[0]);
    running->streams[0] = out[0];
    running->streams[1] = err[0];
    return forked;
}

static void deliver(const struct process *process, int stream, const char *data, size_t length) {
    struct buffer *buffer = stream == 1 ? process->out : process->err;
    if (process->output)
        process->output(process->context, stream, data, length);
    else if (buffer)
        buffer_append(buffer, data, length);
}

static void read_stream(struct running *running, int index) {
    char block[16 * 1024];
    ssize_t got = read(running->streams[index], block, sizeof(block));
    if (got > 0)
        deliver(running->process, index + 1, block, (size_t)got);
    else if (got == 0 || errno != EINTR) {
        close(running->streams[index]);
        running->streams[index] = -1;
    }
}

static void send_signal(const struct running *running, int number) {
    kill(running->process->lead_group ? -running->pid : running->pid, number);
}

/* Returns -1 with *error once a limit is reached; the child has then been told to end. */
static int check_limits(struct running *running, struct error *error) {
    const struct process *process = running->process;
    long long now = now_milliseconds();
    if (running->told_to_stop) {
        if (now - running->told_to_stop > GRACE_MILLISECONDS)
            send_signal(running, SIGKILL);
        return 0;
    }
    if (process->timeout && now - running->started > (long long)process->timeout * 1000) {
        send_signal(running, SIGKILL);
        running->told_to_stop = now;
        return error_set(error, ERROR_TIMEOUT, "%s did not end within %u s", process->argv[0], process->timeout);
    }
    if (process->cancelled && process->cancelled(process->cancelled_context)) {
        send_signal(running, SIGTERM);
        running->told_to_stop = now;
        return error_set(error, ERROR_CANCELLED, "%s was stopped", process->argv[0]);
    }
    return 0;
}

/* Reads until both streams end and the child is reaped. A grandchild that keeps a stream open is not waited for. */
static int attend(struct running *running, int *wait_status, struct error *error) {
    int result = 0;
    bool ended = false;
    while (!ended || running->streams[0] >= 0 || running->streams[1] >= 0) {
        struct pollfd polls[2] = {{.fd = running->streams[0], .events = POLLIN},
                                  {.fd = running->streams[1], .events = POLLIN}};
        bool closed = running->streams[0] < 0 && running->streams[1] < 0;
        int ready = poll(polls, 2, closed ? 2 : ended ? 0 : POLL_MILLISECONDS);
        for (int i = 0; i < 2; i++)
            if (polls[i].fd >= 0 && polls[i].revents)
                read_stream(running, i);
        if (ended && ready == 0)
            break;
        if (!ended && waitpid(running->pid, wait_status, WNOHANG) == running->pid)
            ended = true;
        if (!ended && check_limits(running, error) < 0)
            result = -1;
    }
    for (int i = 0; i < 2; i++)
        if (running->streams[i] >= 0)
            close(running->streams[i]);
    return result;
}

int process_run(const struct process *process, int *status, struct error *error) {
    AUTO_FREE char *program = process_find(process->argv[0]);
    if (!program) {
        error_set(error, ERROR_CONFIGURATION, "the program %s is not installed", process->argv[0]);
        return error_next(error, "apt-get install %s (or what provides it)", process->argv[0]);
    }
    struct running running = {.process = process, .streams = {-1, -1}, .started = now_milliseconds()};
    if (start(&running, program, error) < 0) {
        close_both(running.streams);
        return -1;
    }
    int wait_status = 0;
    int result = attend(&running, &wait_status, error);
    *status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return result;
}

static void last_line(const struct buffer *buffer, char *line, size_t size) {
    const char *text = buffer_text(buffer);
    size_t end = buffer->length;
    while (end > 0 && text[end - 1] == '\n')
        end--;
    size_t begin = end;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    snprintf(line, size, "%.*s", (int)(end - begin), text + begin);
}

int process_run_checked(const struct process *process, struct error *error) {
    struct process copy = *process;
    AUTO_BUFFER struct buffer own = BUFFER(64 * 1024);
    if (!copy.err && !copy.output)
        copy.err = &own;
    int status = 0;
    if (process_run(&copy, &status, error) < 0)
        return -1;
    if (status == 0)
        return 0;
    char line[512] = "";
    if (copy.err)
        last_line(copy.err, line, sizeof(line));
    return error_set(error, ERROR_STEP, "%s ended with status %d%s%s", process->argv[0], status, *line ? ": " : "",
                     line);
}

char *process_find(const char *name) {
    if (strchr(name, '/'))
        return text_copy(name);
    const char *path = getenv("PATH");
    AUTO_FREE char *all =
        text_format("%s:/usr/local/sbin:/usr/sbin:/sbin", text_is_empty(path) ? "/usr/bin:/bin" : path);
    AUTO_LIST struct text_list folders = {0};
    text_list_split(&folders, all, ':');
    for (size_t i = 0; i < folders.count; i++) {
        char *candidate = text_format("%s/%s", *folders.items[i] ? folders.items[i] : ".", name);
        if (access(candidate, X_OK) == 0)
            return candidate;
        free(candidate);
    }
    return NULL;
}
