/* Private to common/command: how a run is told on standard error. */
#ifndef COMMAND_DISPLAY_H
#define COMMAND_DISPLAY_H

#include "common/base/progress.h"
#include "common/base/text.h"

enum display_mode { DISPLAY_TTY, DISPLAY_PLAIN, DISPLAY_GITHUB };

struct display;

/* `name` is that of the tool and outlives the display; verbosity -1, 0, 1. */
struct display *display_open(const char *name, enum display_mode mode, int verbosity);
void display_close(struct display **display);
struct progress *display_progress(struct display *display);

/* While waiting for the input nothing is told; what comes meanwhile is told when the waiting ends. */
void display_wait(struct display *display, bool waiting);

/* The terminal is lent: nothing is drawn or told until display_wait(display, false). */
void display_lend(struct display *display);
/* The last lines of a step that runs, unless they are on the terminal of standard error. */
void display_unseen_lines(struct display *display, int step, struct text_list *lines);

/* Ends the live part (terminal) or the group (GitHub), before the last words of the run. */
void display_finish(struct display *display);
/* One line after display_finish, scrubbed. */
void display_say(struct display *display, const char *text);

/* The file with everything that the steps printed, or NULL. */
const char *display_log_path(const struct display *display);

/* The step that failed last, with its last lines; borrowed from the display. False when no step failed. */
struct display_failure {
    const char *step;
    char *const *lines;
    size_t line_count;
    size_t line_total;
    bool told; /* these lines are already the last ones on the screen */
};
bool display_failed_step(struct display *display, struct display_failure *failure);

#endif
