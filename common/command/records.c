/* A tool's input and output. */
#include "common/command/github.h"
#include "common/command/run.h"
#include "common/file/file.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

enum { INPUT_LIMIT = RECORD_LIMIT * RECORD_COUNT_LIMIT, WAIT_MILLISECONDS = 500 };
#define FIRST_PAUSE 50000   /* nanoseconds */
#define LAST_PAUSE 10000000 /* nanoseconds */
#define READER_NANOSECONDS 10000000000LL

static int stop_waiting(struct error *error) {
    return error_set(error, ERROR_CANCELLED, "stopped while it waited for its input");
}

/* Waits for input, and notices meanwhile that nobody reads our output any more: so the end of a pipe that fails early
 * stops its beginning. 1: there is something to read. */
static int wait_for_input(struct error *error) {
    for (;;) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        int ready = poll(fds, 2, WAIT_MILLISECONDS);
        if (run_is_cancelled())
            return stop_waiting(error);
        if (ready > 0 && fds[0].revents)
            return 1;
    }
}

static int read_input(struct buffer *text, struct error *error) {
    char block[16 * 1024];
    for (;;) {
        if (wait_for_input(error) < 0)
            return -1;
        ssize_t got = read(STDIN_FILENO, block, sizeof(block));
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read standard input");
        if (got == 0)
            return 0;
        buffer_append(text, block, (size_t)got);
        if (buffer_check(text, "standard input", error) < 0)
            return -1;
    }
}

static int refuse_terminal(const struct command *command, struct error *error) {
    error_set(error, ERROR_USAGE, "it reads a record (%s) from a pipe, and standard input is a terminal",
              command->reads ? command->reads : "see --help");
    if (command->examples && command->examples->line)
        return error_next(error, "for example: %s\n  see: %s --help", command->examples->line, command->name);
    return error_next(error, "see: %s --help", command->name);
}

static bool is_pipe(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* The line goes on as it came, so that the end of the pipe knows the first cause. Who hands it on to a next tool leaves
 * the reason to that one: twenty stages that all repeat it would hide the only line that matters. */
static void forward(struct run *run, struct record *upstream, struct error *error) {
    AUTO_BUFFER struct buffer line = BUFFER(2 * RECORD_LIMIT);
    run->upstream_failed = true;
    json_write(upstream->json, JSON_COMPACT_STYLE, &line);
    buffer_append_byte(&line, '\n');
    bool wanted = run->context.command->writes && run->output == OUTPUT_JSON && !isatty(STDOUT_FILENO);
    bool written = wanted && fd_write_all(STDOUT_FILENO, buffer_text(&line), line.length, NULL) == 0;
    if (written && is_pipe(STDOUT_FILENO)) {
        int code = error->exit_code;
        error_set(error, ERROR_STEP, "not started: %s failed (%d)", record_text(upstream, "stage"), code);
        error->exit_code = code;
    }
    record_release(upstream);
}

/* Waits until there is something to read, as the tool wants to know. */
static int await_input(struct command_context *context, struct error *error) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!context->on_wait || poll(&input, 1, 0) > 0)
        return 0;
    if (context->on_wait(context->on_wait_context, true, error) < 0 || wait_for_input(error) < 0)
        return -1;
    return context->on_wait(context->on_wait_context, false, error);
}

static int read_stream(struct run *run, unsigned accepted, struct record_list *list, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(INPUT_LIMIT);
    struct record upstream = {0};
    if (await_input(&run->context, error) < 0 || read_input(&text, error) < 0)
        return -1;
    int result = record_read_text(buffer_text(&text), text.length, accepted, list, &upstream, error);
    if (upstream.json)
        forward(run, &upstream, error);
    return result;
}

int command_read_records(struct command_context *context, unsigned accepted, int (*preflight)(void *, struct error *),
                         void *preflight_context, struct record_list *list, struct error *error) {
    struct run *run = run_of(context);
    bool piped = context->operand_count == 0;
    if (piped && isatty(STDIN_FILENO))
        return refuse_terminal(context->command, error);
    display_wait(run->display, piped);
    int result = preflight ? preflight(preflight_context, error) : 0;
    if (result == 0)
        result = piped ? read_stream(run, accepted, list, error)
                       : record_read_operands(context->operands, context->operand_count, accepted, list, error);
    display_wait(run->display, false);
    return result;
}

int write_output(const char *text, size_t length, struct error *error) {
    if (fd_write_all(STDOUT_FILENO, text, length, error) == 0)
        return 0;
    /* Whatever the system calls it: the output is what could not be written. */
    if (error)
        error->kind = ERROR_CANNOT_WRITE;
    return error_wrap(error, "standard output");
}

static int write_refs(const struct record_list *list, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(INPUT_LIMIT);
    for (size_t i = 0; i < list->count; i++) {
        AUTO_FREE char *ref = text_scrub(record_ref(&list->items[i]), strlen(record_ref(&list->items[i])), false);
        buffer_append_format(&text, "%s\n", ref);
    }
    return write_output(buffer_text(&text), text.length, error);
}

/* Whoever gets a record may count on what it names: it is kept by the store that we hold open until that tool, which
 * opens the store before it reads, has taken the record out of the pipe. Who never reads is not waited for long. */
static void await_reader(void) {
    int left = 0;
    if (!is_pipe(STDOUT_FILENO))
        return;
    for (int64_t pause = FIRST_PAUSE, waited = 0; waited < READER_NANOSECONDS; waited += pause) {
        struct pollfd output = {.fd = STDOUT_FILENO};
        if (ioctl(STDOUT_FILENO, FIONREAD, &left) < 0 || left == 0 || run_is_cancelled() ||
            ppoll(&output, 1, &(struct timespec){.tv_nsec = pause}, NULL) > 0)
            return;
        pause = pause < LAST_PAUSE ? pause * 2 : pause;
    }
}

int command_write_records(struct command_context *context, struct record_list *list, struct error *error) {
    struct run *run = run_of(context);
    display_finish(run->display);
    for (size_t i = 0; i < list->count; i++)
        json_set_text(list->items[i].json, "tool", context->command->name);
    int result = run->output == OUTPUT_JSON ? record_write_all(STDOUT_FILENO, list, error) : write_refs(list, error);
    if (result == 0)
        await_reader();
    if (result == 0 && context->in_github_actions)
        github_outputs(list);
    return result;
}

int command_print(struct command_context *context, const char *text, struct error *error) {
    struct run *run = run_of(context);
    display_finish(run->display);
    run->printed_text = true;
    return write_output(text, strlen(text), error);
}

int command_print_scrubbed(struct command_context *context, const struct buffer *text, const char *what,
                           struct error *error) {
    if (buffer_check(text, what, error) < 0)
        return -1;
    AUTO_FREE char *scrubbed = text_scrub(buffer_text(text), text->length, true);
    return command_print(context, scrubbed, error);
}

bool command_wants_json(const struct command_context *context) {
    const struct run *run = (const struct run *)(const void *)context;
    return run->output_is_named && run->output == OUTPUT_JSON;
}
