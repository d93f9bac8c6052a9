/* Private to common/command: one run of a tool. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "common/command/command.h"
#include "common/command/display.h"
#include "common/command/options.h"

enum output_mode { OUTPUT_JSON, OUTPUT_REF, OUTPUT_HUMAN };

struct run {
    struct command_context context; /* first: a tool's context is its run */
    struct display *display;
    enum output_mode output;
    bool output_is_named;
    bool upstream_failed; /* its error record was forwarded: nothing of ours follows it */
    bool printed_text;    /* standard output holds a text, so no record may follow */
};

static inline struct run *run_of(struct command_context *context) {
    return (struct run *)(void *)context;
}

/* Signals: INT, TERM and HUP ask to stop (a second one ends the process), PIPE is ignored. */
void signals_open(void);
/* The signal that asked to stop, or 0. */
int signals_caught(void);
/* True when the reader of standard output has gone away. */
bool output_is_abandoned(void);
/* True when that was noticed before. */
bool output_was_abandoned(void);
/* A signal was caught, or the output is abandoned. */
bool run_is_cancelled(void);
/* Ends the process by the signal that was caught, so that the shell sees it. */
void signals_raise(void);

/* Puts the modes of a terminal that is lent (terminal.h) back; safe in a signal handler. */
void terminal_restore(void);

/* To standard output; a failure is ERROR_CANNOT_WRITE. */
int write_output(const char *text, size_t length, struct error *error) MUST_CHECK;

/* The texts of a failure: annotations, last lines, log, and last of all what failed, why, what to type. */
void report_failure(struct run *run, const struct error *error);
/* Where the full log of this run is, when there is one. */
void report_log(const struct run *run);

#endif
