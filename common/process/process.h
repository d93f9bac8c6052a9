/* The one way to run another program.
 *
 * The child gets exactly argv and the given environment, standard input from stdin_fd, no other descriptor above 2, and
 * default signal dispositions; with `lead_group` it leads its own process group, so that all it started can be ended.
 * Its output is read as it comes: a callback or a buffer per stream. Nothing is ever passed through a shell. */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "common/base/buffer.h"

#include <stdbool.h>
#include <sys/types.h>

typedef void process_output(void *context, int stream /* 1 or 2 */, const char *data, size_t length);

struct process {
    const char *const *argv;        /* argv[0] is looked up in PATH unless it has a slash */
    const char *const *environment; /* NULL: ours */
    const char *directory;          /* NULL: ours */
    int stdin_fd;                   /* 0 or less: /dev/null */
    const void *input;              /* or these bytes are written to its standard input (at most 60 KiB) */
    size_t input_length;
    process_output *output; /* called for what it prints; NULL: see the buffers */
    void *context;
    struct buffer *out; /* standard output when output is NULL; NULL: discarded */
    struct buffer *err;
    unsigned timeout;          /* seconds, 0: none; then SIGKILL and ERROR_TIMEOUT */
    bool (*cancelled)(void *); /* asked at least every 100 ms; true: SIGTERM, after 2 s SIGKILL, ERROR_CANCELLED */
    void *cancelled_context;
    bool lead_group;
};

/* Runs to the end. Returns 0 with *status = the exit code, or 128 + signal; -1 when it could not be started (a missing
 * program is ERROR_CONFIGURATION), when a limit was reached or when reading failed. */
int process_run(const struct process *process, int *status, struct error *error) MUST_CHECK;

/* process_run that also fails (kind ERROR_STEP, with the last line it printed on stderr) when the status is not 0. */
int process_run_checked(const struct process *process, struct error *error) MUST_CHECK;

/* The absolute path of a program in PATH (and /usr/sbin, /sbin), or NULL. The caller frees. */
char *process_find(const char *name);

#endif
