/* Runs command_main in a child whose streams are pipes (or a terminal), and keeps what it wrote. */
#ifndef TESTS_COMMAND_HARNESS_H
#define TESTS_COMMAND_HARNESS_H

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/command/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include <cmocka.h>

struct ran {
    int status; /* exit code, or 128 + signal */
    char out[65536], err[262144];
};

struct running {
    pid_t pid;
    int out, err;
};

/* Standard error becomes a terminal of 60 columns when asked for. */
static inline void open_error(int err[2], bool on_terminal) {
    struct winsize size = {.ws_row = 24, .ws_col = 60};
    assert_int_equal(on_terminal ? openpty(&err[0], &err[1], NULL, NULL, &size) : pipe(err), 0);
}

static inline struct running start_with(const struct command *command, command_run *work, int in, bool on_terminal,
                                        const char *const *argv) {
    int out[2], err[2];
    assert_int_equal(pipe(out), 0);
    open_error(err, on_terminal);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int argc = 0;
        while (argv[argc])
            argc++;
        dup2(in, 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        close_range(3, ~0u, 0);
        _exit(command_main(command, work, argc, (char **)(uintptr_t)argv));
    }
    close(out[1]);
    close(err[1]);
    return (struct running){pid, out[0], err[0]};
}

/* Its standard input stays open with the caller. */
static inline struct running start_tool_reading(const struct command *command, command_run *work, int in,
                                                const char *const *argv) {
    return start_with(command, work, in, false, argv);
}

static inline struct running start_tool(const struct command *command, command_run *work, const char *input,
                                        bool on_terminal, const char *const *argv) {
    int in[2];
    assert_int_equal(pipe(in), 0);
    size_t length = input ? strlen(input) : 0;
    assert_true(length == 0 || write(in[1], input, length) == (ssize_t)length);
    close(in[1]);
    struct running running = start_with(command, work, in[0], on_terminal, argv);
    close(in[0]);
    return running;
}

static inline bool take(int *fd, char *text, size_t size) {
    size_t used = strlen(text);
    ssize_t got = read(*fd, text + used, size - 1 - used);
    if (got > 0) {
        text[used + (size_t)got] = '\0';
        return true;
    }
    close(*fd);
    *fd = -1;
    return false;
}

static inline void finish_tool(struct running *running, struct ran *ran) {
    while (running->out >= 0 || running->err >= 0) {
        struct pollfd fds[] = {{.fd = running->out, .events = POLLIN}, {.fd = running->err, .events = POLLIN}};
        assert_true(poll(fds, 2, 30000) > 0);
        if (fds[0].revents)
            take(&running->out, ran->out, sizeof(ran->out));
        if (fds[1].revents)
            take(&running->err, ran->err, sizeof(ran->err));
    }
    int status = 0;
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    ran->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Until its standard error says `part`. */
static inline void await_text(struct running *running, struct ran *ran, const char *part) {
    while (!strstr(ran->err, part)) {
        struct pollfd fds = {.fd = running->err, .events = POLLIN};
        assert_true(poll(&fds, 1, 30000) > 0);
        assert_true(take(&running->err, ran->err, sizeof(ran->err)));
    }
}

static inline void run_tool(struct ran *ran, const struct command *command, command_run *work, const char *input,
                            bool on_terminal, const char *const *argv) {
    memset(ran, 0, sizeof(*ran));
    struct running running = start_tool(command, work, input, on_terminal, argv);
    finish_tool(&running, ran);
}

static inline void says(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("does not say:\n%s\nbut:\n%s", part, text);
}

static inline void says_not(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("says:\n%s\nin:\n%s", part, text);
}

#endif
