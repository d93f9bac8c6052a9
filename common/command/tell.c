/* What is printed to stay: notes, and each step whole, in the order of their beginning. */
#include "common/command/step.h"

#include <string.h>

bool is_quiet(const struct display *display) {
    return display->verbosity < 0;
}

bool for_github(const struct display *display) {
    return display->mode == DISPLAY_GITHUB;
}

/* Before anything else of this tool: its group, or its name. */
static void add_header(struct display *display) {
    if (display->has_header || display->finished)
        return;
    display->has_header = true;
    if (display->mode != DISPLAY_PLAIN) {
        screen_add(display, for_github(display) ? "::group::" : "");
        screen_add(display, display->name);
        screen_add(display, "\n");
    }
}

/* A line that stays: above the live part, or with the tool's name in front. */
static void add_line(struct display *display, const char *indent, const char *text) {
    if (display->mode != DISPLAY_TTY) {
        screen_add(display, display->name);
        screen_add(display, " │ ");
    }
    screen_add(display, indent);
    screen_add(display, text);
    screen_add(display, "\n");
}

void begin_print(struct display *display) {
    screen_begin(display);
    draw_erase(display);
    add_header(display);
}

void end_print(struct display *display) {
    screen_flush(display);
    display->printed++;
    display->shown_at = display->mode == DISPLAY_TTY ? 0 : milliseconds_now();
}

void print_note(struct display *display, const char *text) {
    if (is_quiet(display))
        return;
    begin_print(display);
    add_line(display, display->mode == DISPLAY_TTY ? "          " : "", text);
    end_print(display);
}

void print_head(struct display *display, struct step *step) {
    if (step->has_head)
        return;
    step->has_head = true;
    add_line(display, display->mode == DISPLAY_TTY ? "          " : "", step->name);
}

/* "NAME: 12.3 s"; on a terminal the time stands first, in a column. */
static void print_end(struct display *display, const struct step *step) {
    char elapsed[32];
    format_elapsed(step->ended - step->begun, elapsed, sizeof(elapsed));
    static const char *const words[] = {[PROGRESS_MADE] = NULL,
                                        [PROGRESS_CACHED] = "cached",
                                        [PROGRESS_FAILED] = "failed",
                                        [PROGRESS_CANCELLED] = "stopped"};
    const char *word = words[step->outcome];
    bool timed_word = word && step->outcome != PROGRESS_CACHED;
    if (display->mode == DISPLAY_TTY) {
        AUTO_FREE char *line = text_format("%8s  %s%s%s%s", word ? word : elapsed, step->name, timed_word ? " (" : "",
                                           timed_word ? elapsed : "", timed_word ? ")" : "");
        add_line(display, "", line);
        return;
    }
    AUTO_FREE char *line = text_format("%s: %s%s%s%s", step->name, word ? word : elapsed, timed_word ? " (" : "",
                                       timed_word ? elapsed : "", timed_word ? ")" : "");
    add_line(display, "", line);
}

static void add_held(struct display *display, struct step *step) {
    if (!step->held.length)
        return;
    print_head(display, step);
    screen_add(display, buffer_text(&step->held));
    if (step->held.failed)
        add_line(display, "  ", "… (more lines: see the log)");
    buffer_release(&step->held);
}

void tell_end(struct display *display, struct step *step) {
    if (!is_quiet(display)) {
        begin_print(display);
        add_held(display, step);
        print_end(display, step);
        end_print(display);
    }
    step->told = true;
    if (step == display->failed)
        display->failed_printed = display->printed;
    if (display->telling == step)
        display->telling = NULL;
}

/* A step that runs and has something to say is told from now on, line by line. */
static void tell_next(struct display *display) {
    for (size_t i = display->first_open; i < display->count && !display->telling; i++) {
        struct step *step = display->steps[i];
        if (!step->running || !step->held.length)
            continue;
        display->telling = step;
        begin_print(display);
        add_held(display, step);
        end_print(display);
    }
}

/* In the order of their beginning: first what has ended, then one that still runs. */
void tell_pending(struct display *display) {
    if (display->waiting)
        return;
    for (size_t i = display->first_open; i < display->count && !display->telling; i++)
        if (!display->steps[i]->running && !display->steps[i]->told)
            tell_end(display, display->steps[i]);
    if (display->mode != DISPLAY_TTY && !is_quiet(display))
        tell_next(display);
    while (display->first_open < display->count && display->steps[display->first_open]->told)
        display->first_open++;
}
