/* How a library tells what it does. It never prints: it calls a struct progress that common/command implements
 * (and tests replace). Every function here accepts a NULL progress and then does nothing. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include "common/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

enum progress_outcome { PROGRESS_MADE, PROGRESS_CACHED, PROGRESS_FAILED, PROGRESS_CANCELLED };

struct progress {
    void *context;
    /* A step of the user's begins; returns its number for the two below. `name` is copied. */
    int (*begin)(void *context, const char *name);
    /* What the step will print is for the user to read, and stays on a terminal too. */
    void (*show)(void *context, int step);
    /* Bytes that the step printed, in any pieces, untrusted. Always kept in full in the log file. */
    void (*output)(void *context, int step, const char *data, size_t length);
    void (*end)(void *context, int step, enum progress_outcome outcome);
    /* One line for the user that belongs to no step: a decision, a warning, a retry. */
    void (*note)(void *context, const char *text);
    /* True once the work must stop: a signal arrived, or the reader of our standard output went away. */
    bool (*cancelled)(void *context);
};

int progress_begin(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);
void progress_show(struct progress *progress, int step);
void progress_output(struct progress *progress, int step, const char *data, size_t length);
void progress_end(struct progress *progress, int step, enum progress_outcome outcome);
void progress_note(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);
bool progress_cancelled(struct progress *progress);

#endif
