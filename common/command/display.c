/* Steps as they run: each is told whole and by itself, however many run at once. */
#include "common/command/display.h"

#include "common/command/github.h"
#include "common/command/run.h"
#include "common/command/step.h"
#include "common/file/file.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

enum { REDRAW_AFTER = 100, SIGN_OF_LIFE_AFTER = 15000, TIMER_TTY = 1000, TIMER_PLAIN = 15000, NOTE_LIMIT = 1000 };

/* The display that the timer's signal draws. */
static struct display *timed;

static void lock(struct display *display) {
    while (atomic_flag_test_and_set(&display->busy))
        sched_yield();
}

static void unlock(struct display *display) {
    atomic_flag_clear(&display->busy);
}

static void show_what_runs(struct display *display, int64_t now) {
    if (display->waiting || display->finished || is_quiet(display))
        return;
    if (display->mode == DISPLAY_TTY && now - display->shown_at >= REDRAW_AFTER)
        draw_live(display, now);
    else if (display->mode != DISPLAY_TTY && now - display->shown_at >= SIGN_OF_LIFE_AFTER)
        draw_sign_of_life(display, now);
}

static void set_timer(int64_t milliseconds) {
    struct timeval span = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    struct itimerval timer = {.it_interval = span, .it_value = span};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Runs only between the calls of the display: a call that is under way draws by itself. */
static void on_timer(int number) {
    (void)number;
    int saved = errno;
    struct display *display = timed;
    if (display && !atomic_flag_test_and_set(&display->busy)) {
        show_what_runs(display, milliseconds_now());
        unlock(display);
    }
    errno = saved;
}

/* Every call pushes the timer back, so that its signal interrupts nothing but a silence. */
static void tick(struct display *display) {
    int64_t now = milliseconds_now(), span = display->mode == DISPLAY_TTY ? TIMER_TTY : TIMER_PLAIN;
    show_what_runs(display, now);
    if (display->first_open < display->count && now - display->armed_at >= span / 2) {
        display->armed_at = now;
        set_timer(span);
    } else if (display->first_open == display->count && display->armed_at) {
        display->armed_at = 0;
        set_timer(0);
    }
}

static struct step *find_step(struct display *display, int number) {
    return number > 0 && (size_t)number <= display->count ? display->steps[number - 1] : NULL;
}

static void free_tail(struct step *step) {
    for (size_t i = 0; i < TAIL_LINES; i++) {
        free(step->tail[i]);
        step->tail[i] = NULL;
    }
}

static int begin(void *context, const char *name) {
    struct display *display = context;
    if (display->count >= STEP_LIMIT)
        return -1;
    lock(display);
    if (display->finished) {
        display->finished = false;
        display->has_header = !for_github(display);
    }
    struct step *step = memory_allocate(1, sizeof(*step));
    step->number = (int)display->count + 1;
    step->name = lines_clean(name, strlen(name), false, for_github(display));
    step->begun = milliseconds_now();
    step->running = true;
    step->held.limit = HELD_LIMIT;
    /* The work went on after that failure, so it is not why the run ends. */
    if (display->failed)
        free_tail(display->failed);
    display->failed = NULL;
    display->steps = memory_resize(display->steps, display->count + 1, sizeof(struct step *));
    display->steps[display->count++] = step;
    if (display->mode == DISPLAY_TTY)
        display->shown_at = 0;
    else if (display->first_open + 1 == display->count)
        display->shown_at = step->begun;
    tick(display);
    unlock(display);
    return step->number;
}

/* What one call of output() brings goes to the log and to the screen in one piece each. */
struct delivery {
    struct display *display;
    struct step *step;
    struct buffer log, lines;
};

static void take_line(void *context, const char *text, size_t length) {
    struct delivery *delivery = context;
    struct display *display = delivery->display;
    struct step *step = delivery->step;
    char *line = lines_clean(text, length, false, for_github(display));
    buffer_append_format(&delivery->log, "[%d] %s\n", step->number, line);
    if (display->mode != DISPLAY_TTY)
        buffer_append_format(&delivery->lines, "%s │   %s\n", display->name, line);
    else if (step->is_shown)
        buffer_append_format(&delivery->lines, "%s\n", line);
    char **place = &step->tail[step->line_total++ % TAIL_LINES];
    free(*place);
    *place = line;
}

static struct delivery open_delivery(struct display *display, struct step *step) {
    struct delivery delivery = {display, step, BUFFER(64 << 20), BUFFER(64 << 20)};
    if (step->line_total == 0)
        buffer_append_format(&delivery.log, "[%d] = %s\n", step->number, step->name);
    return delivery;
}

static void close_delivery(struct delivery *delivery) {
    struct display *display = delivery->display;
    struct step *step = delivery->step;
    if (step->line_total)
        log_write(&display->log, display->name, buffer_text(&delivery->log), delivery->log.length);
    bool shown = delivery->lines.length && !is_quiet(display);
    if (shown && !display->telling && !display->waiting)
        display->telling = step;
    if (shown && display->telling == step) {
        begin_print(display);
        print_head(display, step);
        screen_add(display, buffer_text(&delivery->lines));
        end_print(display);
    } else if (shown) {
        buffer_append(&step->held, buffer_text(&delivery->lines), delivery->lines.length);
    }
    buffer_release(&delivery->log);
    buffer_release(&delivery->lines);
}

static void show(void *context, int number) {
    struct display *display = context;
    lock(display);
    struct step *step = find_step(display, number);
    if (step)
        step->is_shown = true;
    unlock(display);
}

static void output(void *context, int number, const char *data, size_t length) {
    struct display *display = context;
    lock(display);
    struct step *step = find_step(display, number);
    if (step && step->running) {
        struct delivery delivery = open_delivery(display, step);
        lines_cut(&step->cutter, data, length, take_line, &delivery);
        close_delivery(&delivery);
    }
    tick(display);
    unlock(display);
}

static void log_end(struct display *display, const struct step *step) {
    static const char *const words[] = {"made", "cached", "failed", "stopped"};
    if (!step->line_total)
        return;
    char elapsed[32];
    format_elapsed(step->ended - step->begun, elapsed, sizeof(elapsed));
    AUTO_FREE char *line = text_format("[%d] = %s (%s)\n", step->number, words[step->outcome], elapsed);
    log_write(&display->log, display->name, line, strlen(line));
}

static void end_step(struct display *display, struct step *step, enum progress_outcome outcome) {
    struct delivery delivery = open_delivery(display, step);
    lines_flush(&step->cutter, take_line, &delivery);
    close_delivery(&delivery);
    step->running = false;
    step->ended = milliseconds_now();
    step->outcome = outcome;
    log_end(display, step);
    if (outcome != PROGRESS_FAILED) {
        free_tail(step);
    } else {
        if (display->failed)
            free_tail(display->failed);
        display->failed = step;
    }
    if (display->telling == step)
        tell_end(display, step);
    tell_pending(display);
}

static void end(void *context, int number, enum progress_outcome outcome) {
    struct display *display = context;
    lock(display);
    struct step *step = find_step(display, number);
    if (step && step->running)
        end_step(display, step, outcome);
    tick(display);
    unlock(display);
}

static void note(void *context, const char *text) {
    struct display *display = context;
    lock(display);
    AUTO_FREE char *line = lines_clean(text, strlen(text), false, for_github(display));
    if (!display->waiting)
        print_note(display, line);
    else if (display->notes.count < NOTE_LIMIT)
        text_list_add(&display->notes, line);
    tick(display);
    unlock(display);
}

static bool cancelled(void *context) {
    struct display *display = context;
    lock(display);
    if (signals_caught() && !display->is_stopping) {
        display->is_stopping = true;
        if (!display->waiting)
            print_note(display, "stopping; the same signal again ends it at once");
    }
    tick(display);
    unlock(display);
    return run_is_cancelled();
}

static void start_timer(struct display *display) {
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    timed = display;
    sigaction(SIGALRM, &action, NULL);
}

struct display *display_open(const char *name, enum display_mode mode, int verbosity) {
    struct display *display = memory_allocate(1, sizeof(*display));
    display->name = name;
    display->mode = mode;
    display->verbosity = verbosity;
    display->coloured = text_is_empty(getenv("NO_COLOR"));
    display->shown_at = milliseconds_now();
    display->log.fd = -1;
    display->progress = (struct progress){.context = display,
                                          .begin = begin,
                                          .show = show,
                                          .output = output,
                                          .end = end,
                                          .note = note,
                                          .cancelled = cancelled};
    start_timer(display);
    return display;
}

void display_close(struct display **opened) {
    struct display *display = *opened;
    if (!display)
        return;
    set_timer(0);
    timed = NULL;
    for (size_t i = 0; i < display->count; i++) {
        free_tail(display->steps[i]);
        buffer_release(&display->steps[i]->held);
        buffer_release(&display->steps[i]->cutter.part);
        free(display->steps[i]->name);
        free(display->steps[i]);
    }
    free(display->steps);
    text_list_release(&display->notes);
    log_close(&display->log);
    free(display);
    *opened = NULL;
}

struct progress *display_progress(struct display *display) {
    return &display->progress;
}

void display_wait(struct display *display, bool waiting) {
    lock(display);
    display->waiting = waiting;
    for (size_t i = 0; !waiting && i < display->notes.count; i++)
        print_note(display, display->notes.items[i]);
    if (!waiting) {
        text_list_release(&display->notes);
        display->shown_at = milliseconds_now();
        tell_pending(display);
    }
    unlock(display);
}

void display_lend(struct display *display) {
    lock(display);
    screen_begin(display);
    draw_erase(display);
    screen_flush(display);
    display->waiting = true;
    display->telling = NULL;
    unlock(display);
}

void display_unseen_lines(struct display *display, int number, struct text_list *lines) {
    lock(display);
    struct step *step = find_step(display, number);
    bool is_seen =
        step && isatty(STDERR_FILENO) && !is_quiet(display) && (display->mode != DISPLAY_TTY || step->is_shown);
    if (step && !is_seen) {
        size_t kept = step->line_total < TAIL_LINES ? step->line_total : TAIL_LINES;
        for (size_t i = step->line_total - kept; i < step->line_total; i++)
            text_list_add(lines, step->tail[i % TAIL_LINES]);
        if (step->cutter.part.length)
            text_list_add(lines, buffer_text(&step->cutter.part));
    }
    unlock(display);
}

/* Steps that nobody ended were stopped with the run. */
static void stop_steps(struct display *display) {
    for (size_t i = display->first_open; i < display->count; i++)
        if (display->steps[i]->running)
            end_step(display, display->steps[i], PROGRESS_CANCELLED);
    tell_pending(display);
}

void display_finish(struct display *display) {
    if (!display)
        return;
    lock(display);
    if (!display->finished) {
        stop_steps(display);
        screen_begin(display);
        draw_erase(display);
        if (for_github(display) && display->has_header)
            screen_add(display, "::endgroup::\n");
        screen_flush(display);
        display->finished = true;
    }
    unlock(display);
}

void display_say(struct display *display, const char *text) {
    bool github = display ? for_github(display) : text_equal(getenv("GITHUB_ACTIONS"), "true");
    AUTO_FREE char *clean = lines_clean(text, strlen(text), true, github);
    AUTO_FREE char *line = text_format("%s\n", clean);
    if (fd_write_all(STDERR_FILENO, line, strlen(line), NULL) < 0)
        return;
}

const char *display_log_path(const struct display *display) {
    return display ? display->log.path : NULL;
}

bool display_failed_step(struct display *display, struct display_failure *failure) {
    struct step *step = display->failed;
    if (!step)
        return false;
    size_t kept = step->line_total < TAIL_LINES ? step->line_total : TAIL_LINES, first = step->line_total - kept;
    char **ordered = memory_allocate(TAIL_LINES, sizeof(char *));
    for (size_t i = 0; i < kept; i++) {
        ordered[i] = step->tail[(first + i) % TAIL_LINES];
        step->tail[(first + i) % TAIL_LINES] = NULL;
    }
    memcpy(step->tail, ordered, kept * sizeof(char *));
    free(ordered);
    *failure = (struct display_failure){
        .step = step->name,
        .lines = step->tail,
        .line_count = kept,
        .line_total = step->line_total,
        .told = (display->mode == DISPLAY_PLAIN || (display->mode == DISPLAY_TTY && step->is_shown)) &&
                display->verbosity >= 0 && display->printed == display->failed_printed};
    return true;
}
