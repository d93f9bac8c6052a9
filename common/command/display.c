#include "common/command/display.h"

#include "common/base/text.h"
#include "common/command/run.h"
#include "common/file/file.h"

#include <string.h>

struct display {
    struct progress progress;
    const char *name;
    enum display_mode mode;
    int verbosity;
};

static void note(void *context, const char *text) {
    struct display *display = context;
    AUTO_FREE char *line = text_format("%s: %s", display->name, text);
    if (display->verbosity >= 0)
        display_say(display, line);
}

static int begin(void *context, const char *name) {
    note(context, name);
    return 1;
}

static void output(void *context, int step, const char *data, size_t length) {
    (void)context;
    (void)step;
    if (fd_write_all(STDERR_FILENO, data, length, NULL) < 0)
        return;
}

static void end(void *context, int step, enum progress_outcome outcome) {
    (void)context;
    (void)step;
    (void)outcome;
}

static bool cancelled(void *context) {
    (void)context;
    return run_is_cancelled();
}

struct display *display_open(const char *name, enum display_mode mode, int verbosity) {
    struct display *display = memory_allocate(1, sizeof(*display));
    display->name = name;
    display->mode = mode;
    display->verbosity = verbosity;
    display->progress = (struct progress){
        .context = display, .begin = begin, .output = output, .end = end, .note = note, .cancelled = cancelled};
    return display;
}

void display_close(struct display **display) {
    free(*display);
    *display = NULL;
}

struct progress *display_progress(struct display *display) {
    return &display->progress;
}

void display_wait(struct display *display, bool waiting) {
    (void)display;
    (void)waiting;
}

void display_finish(struct display *display) {
    (void)display;
}

void display_say(struct display *display, const char *text) {
    (void)display;
    AUTO_FREE char *clean = text_scrub(text, strlen(text), true);
    AUTO_FREE char *line = text_format("%s\n", clean);
    if (fd_write_all(STDERR_FILENO, line, strlen(line), NULL) < 0)
        return;
}

bool display_failed_step(struct display *display, struct display_failure *failure) {
    (void)display;
    (void)failure;
    return false;
}
