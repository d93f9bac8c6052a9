/* Private to common/command: the state that display.c keeps and draw.c shows. */
#ifndef COMMAND_STEP_H
#define COMMAND_STEP_H

#include "common/base/text.h"
#include "common/command/display.h"
#include "common/command/lines.h"
#include "common/command/log.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
    TAIL_LINES = 40,
    STEP_LIMIT = 100000,
    HELD_LIMIT = 1 << 20, /* bytes of a step's lines that wait until another step has been told */
    SCREEN_LIMIT = 64 * 1024,
};

struct step {
    int number;
    char *name;
    int64_t begun, ended; /* milliseconds */
    enum progress_outcome outcome;
    bool running, has_head, told;
    bool is_shown; /* its lines stay on a terminal */
    struct line_cutter cutter;
    char *tail[TAIL_LINES]; /* a ring: line n is at n % TAIL_LINES */
    size_t line_total;
    struct buffer held;
};

struct display {
    struct progress progress;
    const char *name;
    enum display_mode mode;
    int verbosity;
    bool coloured, waiting, finished, has_header, is_stopping;
    struct log log;
    struct step **steps;
    size_t count;
    size_t first_open;       /* all steps before this one have ended and been told */
    struct step *telling;    /* plain: the step whose lines are being printed */
    struct step *failed;     /* the one that failed last */
    uint64_t printed;        /* how many times something was printed, */
    uint64_t failed_printed; /* and how many it was when the failed step had been told */
    struct text_list notes;  /* those that came while waiting */
    int64_t shown_at;        /* when something was last printed or drawn */
    int64_t armed_at;
    unsigned drawn_lines; /* terminal: the lines of the live part */
    struct {
        char text[SCREEN_LIMIT];
        size_t used;
    } screen;
    atomic_flag busy;
};

int64_t milliseconds_now(void);

/* All of these are safe in a signal handler: no allocation, one write(). They need the display locked. */
void draw_live(struct display *display, int64_t now);
void draw_erase(struct display *display);
void draw_sign_of_life(struct display *display, int64_t now);
void screen_begin(struct display *display);
void screen_add(struct display *display, const char *text);
void screen_flush(struct display *display);
bool is_quiet(const struct display *display);
bool for_github(const struct display *display);

/* tell.c: lines that stay. Between begin_print and end_print they are put on the screen; they need the lock, too. */
void begin_print(struct display *display);
void end_print(struct display *display);
void print_note(struct display *display, const char *text);
void print_head(struct display *display, struct step *step);
/* A step that has ended; and whatever else can be told after that. */
void tell_end(struct display *display, struct step *step);
void tell_pending(struct display *display);

/* "0.4 s", "12.3 s", "1m15s" */
void format_elapsed(int64_t milliseconds, char *text, size_t size);

#endif
