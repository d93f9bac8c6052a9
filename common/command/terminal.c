#include "common/command/terminal.h"

#include "common/command/lines.h"
#include "common/command/run.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

enum { BLOCK = 16 << 10, LOOK_MILLISECONDS = 100, HUNG_MILLISECONDS = 10, LAST_BLOCKS = 64, PTS_MAJOR = 136 };

struct terminal {
    struct command_context *context;
    int fd;
    int lock; /* on the device itself; -1 where it has no name */
    struct termios before, raw;
    int guard; /* to the process that puts the modes back when we cannot */
    pid_t guardian;
};

/* ---- which one, and whose ---- */

static bool is_ci(void) {
    const char *ci = getenv("CI");
    return !text_is_empty(ci) && !text_equal(ci, "false") && !text_equal(ci, "0");
}

static int open_device(struct terminal *terminal, struct error *error) {
    if (is_ci())
        return error_set(error, ERROR_CONFIGURATION, "this is a CI job ($CI is set), in which nobody types");
    terminal->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->before) < 0)
        return error_set(error, ERROR_CONFIGURATION, "there is no terminal");
    if (tcgetpgrp(terminal->fd) != getpgrp())
        return error_set(error, ERROR_CONFIGURATION, "this runs in the background of its terminal");
    return 0;
}

/* /dev/tty is every process's own terminal: a lock on it would be one for all of them. */
static void open_lock(struct terminal *terminal) {
    unsigned number;
    struct stat status;
    if (ioctl(terminal->fd, TIOCGDEV, &number) < 0)
        return;
    AUTO_FREE char *path = major(number) == PTS_MAJOR ? text_format("/dev/pts/%u", minor(number))
                                                      : text_format("/dev/char/%u:%u", major(number), minor(number));
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == number)
        terminal->lock = take_fd(&fd);
}

/* Silently: what is told while another has the terminal would be told into that one's session. */
static int take_turn(struct terminal *terminal, struct error *error) {
    open_lock(terminal);
    while (terminal->lock >= 0 && flock(terminal->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 0;
        if (progress_cancelled(terminal->context->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        poll(NULL, 0, LOOK_MILLISECONDS);
    }
    /* Whoever had it has changed its modes, and put them back. */
    return tcgetattr(terminal->fd, &terminal->before) < 0
               ? error_set(error, ERROR_CONFIGURATION, "the terminal is gone")
               : 0;
}

int terminal_open(struct command_context *context, struct terminal **opened, struct error *error) {
    struct terminal *terminal = memory_allocate(1, sizeof(*terminal));
    *terminal = (struct terminal){.context = context, .fd = -1, .lock = -1, .guard = -1};
    *opened = NULL;
    if (open_device(terminal, error) < 0 || take_turn(terminal, error) < 0) {
        cleanup_close(&terminal->lock);
        cleanup_close(&terminal->fd);
        free(terminal);
        return -1;
    }
    display_lend(run_of(context)->display);
    *opened = terminal;
    return 0;
}

void terminal_close(struct terminal **opened) {
    struct terminal *terminal = *opened;
    *opened = NULL;
    if (!terminal)
        return;
    cleanup_close(&terminal->lock);
    cleanup_close(&terminal->fd);
    display_wait(run_of(terminal->context)->display, false);
    free(terminal);
}

void terminal_size(const struct terminal *terminal, unsigned short *rows, unsigned short *columns) {
    struct winsize size = {0};
    (void)!ioctl(terminal->fd, TIOCGWINSZ, &size);
    *rows = size.ws_row;
    *columns = size.ws_col;
}

/* ---- lines for the person ---- */

/* False when the terminal is gone or the run is to stop. */
static bool write_all(struct terminal *terminal, const char *text, size_t length) {
    struct pollfd writable = {.fd = terminal->fd, .events = POLLOUT};
    while (length > 0) {
        ssize_t written = write(terminal->fd, text, length);
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (written < 0 && (poll(&writable, 1, LOOK_MILLISECONDS), progress_cancelled(terminal->context->progress)))
            return false;
        text += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

void terminal_say(struct terminal *terminal, const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    AUTO_FREE char *clean = lines_clean(text, strlen(text), true, false);
    AUTO_FREE char *line = text_format("%s\n", clean);
    (void)!write_all(terminal, line, strlen(line));
}

void terminal_say_lines(struct terminal *terminal, int step) {
    AUTO_LIST struct text_list lines = {0};
    display_unseen_lines(run_of(terminal->context)->display, step, &lines);
    for (size_t i = 0; i < lines.count; i++)
        terminal_say(terminal, "  │ %s", lines.items[i]);
}

/* ---- modes ---- */

/* The one that is in raw mode, for the signal that ends us. */
static struct terminal *volatile raw_terminal;

void terminal_restore(void) {
    struct terminal *terminal = raw_terminal;
    if (terminal)
        (void)!tcsetattr(terminal->fd, TCSANOW, &terminal->before);
}

/* Lives until we let it go or are gone. Others may have put the modes back before it. */
static _Noreturn void be_guardian(const struct terminal *terminal, int ours) {
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM};
    struct termios now;
    char byte;
    ssize_t got;
    for (size_t i = 0; i < ARRAY_LENGTH(ignored); i++)
        signal(ignored[i], SIG_IGN);
    setpgid(0, 0);
    int fd = dup2(terminal->fd, 0), end = dup2(ours, 1);
    syscall(SYS_close_range, 2, ~0U, 0);
    do
        got = read(end, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0 && tcgetattr(fd, &now) == 0 && now.c_lflag == terminal->raw.c_lflag &&
        now.c_oflag == terminal->raw.c_oflag && now.c_iflag == terminal->raw.c_iflag)
        (void)!tcsetattr(fd, TCSAFLUSH, &terminal->before);
    _exit(0);
}

static int start_guardian(struct terminal *terminal, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    terminal->guardian = fork();
    if (terminal->guardian == 0) {
        close(ends[1]);
        be_guardian(terminal, ends[0]);
    }
    int number = errno;
    close(ends[0]);
    terminal->guard = ends[1];
    return terminal->guardian < 0 ? error_set_errno(error, number, "cannot start a process") : 0;
}

static void end_guardian(struct terminal *terminal) {
    if (terminal->guardian > 0) {
        (void)!write(terminal->guard, "", 1);
        while (waitpid(terminal->guardian, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    cleanup_close(&terminal->guard);
    terminal->guard = -1;
    terminal->guardian = 0;
}

static int make_raw(struct terminal *terminal, struct error *error) {
    terminal->raw = terminal->before;
    cfmakeraw(&terminal->raw);
    terminal->raw.c_cc[VMIN] = 1;
    terminal->raw.c_cc[VTIME] = 0;
    if (start_guardian(terminal, error) < 0)
        return -1;
    raw_terminal = terminal;
    return tcsetattr(terminal->fd, TCSADRAIN, &terminal->raw) < 0
               ? error_set_errno(error, errno, "cannot set the terminal's modes")
               : 0;
}

static void make_as_before(struct terminal *terminal) {
    /* What an editor that was killed leaves behind: no cursor, mouse reports, marks around what is pasted. */
    static const char usual[] = "\x1b[0m\x1b[?25h\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l";
    const char *type = getenv("TERM");
    if (!text_is_empty(type) && !text_equal(type, "dumb"))
        (void)!write_all(terminal, usual, strlen(usual));
    (void)!tcsetattr(terminal->fd, TCSAFLUSH, &terminal->before);
    raw_terminal = NULL;
    end_guardian(terminal);
}

/* ---- to and fro ---- */

static volatile sig_atomic_t has_changed;

static void note_change(int number) {
    has_changed = number;
}

/* The window has another size, or we were stopped and whoever let us go on has set other modes. */
static void follow_changes(struct terminal *terminal, int peer) {
    struct winsize size;
    if (!has_changed)
        return;
    if (has_changed == SIGCONT)
        (void)!tcsetattr(terminal->fd, TCSADRAIN, &terminal->raw);
    has_changed = 0;
    if (ioctl(terminal->fd, TIOCGWINSZ, &size) == 0)
        (void)!ioctl(peer, TIOCSWINSZ, &size);
}

struct flow {
    char data[BLOCK];
    size_t used;
};

/* False at the end. */
static bool fill(struct flow *flow, int fd) {
    ssize_t got = read(fd, flow->data, BLOCK);
    if (got > 0)
        flow->used = (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool pour(struct flow *flow, int fd) {
    ssize_t written = write(fd, flow->data, flow->used);
    if (written > 0) {
        flow->used -= (size_t)written;
        memmove(flow->data, flow->data + written, flow->used);
    }
    return written > 0 || (written < 0 && (errno == EAGAIN || errno == EINTR));
}

struct relay {
    struct terminal *terminal;
    const struct terminal_peer *peer;
    struct flow keys, prints;
    bool is_hung; /* nothing has the program's terminal open */
};

static short wish(const struct flow *in, const struct flow *out) {
    return (short)((in->used ? 0 : POLLIN) | (out->used ? POLLOUT : 0));
}

/* False when the person's terminal is gone. */
static bool move(struct relay *relay) {
    int user = relay->terminal->fd, peer = relay->peer->fd;
    struct pollfd ends[3] = {{.fd = user, .events = wish(&relay->keys, &relay->prints)},
                             {.fd = relay->is_hung ? -1 : peer, .events = wish(&relay->prints, &relay->keys)},
                             {.fd = relay->peer->wake, .events = POLLIN}};
    if (poll(ends, 3, relay->is_hung ? HUNG_MILLISECONDS : LOOK_MILLISECONDS) <= 0)
        return true;
    if ((ends[0].revents & POLLOUT) && !pour(&relay->prints, user))
        return false;
    if ((ends[0].revents & (POLLIN | POLLHUP | POLLERR)) && !relay->keys.used && !fill(&relay->keys, user))
        return false;
    if ((ends[1].revents & POLLOUT) && !pour(&relay->keys, peer))
        relay->keys.used = 0;
    if ((ends[1].revents & (POLLIN | POLLHUP | POLLERR)) && !relay->prints.used && !fill(&relay->prints, peer))
        relay->is_hung = true;
    return true;
}

/* What the program printed before it ended; one of its children may have its terminal open and print on. */
static void finish(struct relay *relay) {
    for (int blocks = 0; blocks < LAST_BLOCKS; blocks++) {
        if (!write_all(relay->terminal, relay->prints.data, relay->prints.used))
            return;
        relay->prints.used = 0;
        if (!fill(&relay->prints, relay->peer->fd) || !relay->prints.used)
            return;
    }
}

static int relay_all(struct relay *relay, struct error *error) {
    const struct terminal_peer *peer = relay->peer;
    while (!peer->ended(peer->context)) {
        follow_changes(relay->terminal, peer->fd);
        if (!move(relay) || progress_cancelled(relay->terminal->context->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
    }
    finish(relay);
    return 0;
}

int terminal_relay(struct terminal *terminal, const struct terminal_peer *peer, struct error *error) {
    struct sigaction noting = {.sa_handler = note_change}, resized, continued;
    AUTO_FREE struct relay *relay = memory_allocate(1, sizeof(*relay));
    *relay = (struct relay){.terminal = terminal, .peer = peer};
    if (fcntl(peer->fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        return error_set_errno(error, errno, "cannot use the program's terminal");
    sigaction(SIGWINCH, &noting, &resized);
    sigaction(SIGCONT, &noting, &continued);
    /* It may have changed since the program was started. */
    has_changed = SIGWINCH;
    int result = make_raw(terminal, error);
    if (result == 0)
        result = relay_all(relay, error);
    make_as_before(terminal);
    sigaction(SIGWINCH, &resized, NULL);
    sigaction(SIGCONT, &continued, NULL);
    return result;
}
