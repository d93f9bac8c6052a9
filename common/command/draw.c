/* What is drawn while steps run: by the calls of the run, and by a timer's signal while no call comes. */
#include "common/command/step.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum { LIVE_STEPS = 8, LIVE_LINES = 4, TIME_COLUMNS = 8 };

int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t put_number(char *text, int64_t number) {
    char digits[24];
    size_t count = 0, used = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        text[used++] = digits[--count];
    return used;
}

void format_elapsed(int64_t milliseconds, char *text, size_t size) {
    char out[64];
    size_t used = 0;
    if (milliseconds < 60000) {
        used += put_number(out, milliseconds / 1000);
        out[used++] = '.';
        out[used++] = (char)('0' + milliseconds / 100 % 10);
        out[used++] = ' ';
    } else {
        used += put_number(out, milliseconds / 60000);
        out[used++] = 'm';
        if (milliseconds / 1000 % 60 < 10)
            out[used++] = '0';
        used += put_number(out + used, milliseconds / 1000 % 60);
    }
    out[used++] = 's';
    if (used >= size)
        used = size - 1;
    memcpy(text, out, used);
    text[used] = '\0';
}

void screen_begin(struct display *display) {
    display->screen.used = 0;
}

static void add_bytes(struct display *display, const char *text, size_t length) {
    if (length > SCREEN_LIMIT - display->screen.used)
        screen_flush(display);
    while (length > SCREEN_LIMIT) {
        if (write(STDERR_FILENO, text, SCREEN_LIMIT) < 0)
            return;
        text += SCREEN_LIMIT;
        length -= SCREEN_LIMIT;
    }
    memcpy(display->screen.text + display->screen.used, text, length);
    display->screen.used += length;
}

void screen_add(struct display *display, const char *text) {
    add_bytes(display, text, strlen(text));
}

void screen_flush(struct display *display) {
    const char *at = display->screen.text;
    size_t left = display->screen.used;
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        at += written;
        left -= (size_t)written;
    }
    display->screen.used = 0;
}

/* Characters from the Hangul and CJK blocks and the emoji take two columns of a terminal. */
static unsigned character_columns(const unsigned char *text, size_t size) {
    uint32_t point = size == 3   ? (text[0] & 0x0Fu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu)
                     : size == 4 ? 0x10000
                                 : 0;
    return point >= 0x1100 && !(point >= 0x2000 && point < 0x2E80) ? 2 : 1;
}

/* As much of `text` (clean UTF-8) as fits into `columns`. */
static void add_cut(struct display *display, const char *text, unsigned columns) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t size = *at < 0x80 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
        for (size_t i = 1; i < size; i++)
            if ((at[i] & 0xC0) != 0x80)
                return;
        unsigned wide = character_columns(at, size);
        if (wide > columns)
            return;
        columns -= wide;
        add_bytes(display, (const char *)at, size);
        at += size;
    }
}

static unsigned terminal_columns(unsigned *rows) {
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *rows = known && size.ws_row > 0 ? size.ws_row : 24;
    return known ? size.ws_col : 80;
}

void draw_erase(struct display *display) {
    char number[24];
    if (display->drawn_lines == 0)
        return;
    screen_add(display, "\x1b[");
    add_bytes(display, number, put_number(number, display->drawn_lines));
    screen_add(display, "A\r\x1b[J");
    display->drawn_lines = 0;
}

static void add_running(struct display *display, const struct step *step, int64_t now, unsigned columns) {
    char elapsed[32];
    format_elapsed(now - step->begun, elapsed, sizeof(elapsed));
    for (size_t i = strlen(elapsed); i < TIME_COLUMNS; i++)
        screen_add(display, " ");
    screen_add(display, elapsed);
    screen_add(display, "  ");
    add_cut(display, step->name, columns > TIME_COLUMNS + 3 ? columns - TIME_COLUMNS - 3 : 0);
    screen_add(display, "\n");
    display->drawn_lines++;
}

static void add_tail(struct display *display, const struct step *step, unsigned lines, unsigned columns) {
    size_t first = step->line_total > lines ? step->line_total - lines : 0;
    for (size_t i = first; i < step->line_total; i++) {
        screen_add(display, display->coloured ? "\x1b[2m" : "");
        screen_add(display, "            ");
        add_cut(display, step->tail[i % TAIL_LINES], columns > 13 ? columns - 13 : 0);
        screen_add(display, display->coloured ? "\x1b[0m\n" : "\n");
        display->drawn_lines++;
    }
}

void draw_live(struct display *display, int64_t now) {
    unsigned rows, columns = terminal_columns(&rows), steps = 0;
    const struct step *latest = NULL;
    draw_erase(display);
    for (size_t i = display->first_open; i < display->count && steps < LIVE_STEPS && steps + 2 < rows; i++)
        if (display->steps[i]->running) {
            add_running(display, display->steps[i], now, columns);
            steps++;
            if (!latest || display->steps[i]->line_total)
                latest = display->steps[i];
        }
    if (latest && !latest->is_shown && rows > steps + LIVE_LINES + 2)
        add_tail(display, latest, LIVE_LINES, columns);
    screen_flush(display);
    display->shown_at = now;
}

/* Plain: nothing was printed for a while, and yet it works. */
void draw_sign_of_life(struct display *display, int64_t now) {
    const struct step *step = display->telling;
    for (size_t i = display->first_open; !step && i < display->count; i++)
        if (display->steps[i]->running)
            step = display->steps[i];
    if (!step || !step->running)
        return;
    char elapsed[32];
    format_elapsed(now - step->begun, elapsed, sizeof(elapsed));
    screen_add(display, display->name);
    screen_add(display, " │ still running: ");
    screen_add(display, step->name);
    screen_add(display, " (");
    screen_add(display, elapsed);
    screen_add(display, ")\n");
    screen_flush(display);
    display->printed++;
    display->shown_at = now;
}
