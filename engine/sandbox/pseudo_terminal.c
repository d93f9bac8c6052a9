#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

/* What Linux leaves out of a new terminal: rubbing out a letter of several bytes. */
static void set_modes(int inside) {
    struct termios modes;
    if (tcgetattr(inside, &modes) < 0)
        return;
    modes.c_iflag |= IUTF8;
    (void)!tcsetattr(inside, TCSANOW, &modes);
}

int pseudo_terminal_open(const char *multiplexer, struct pseudo_terminal *terminal, struct error *error) {
    int unlocked = 0;
    *terminal = (struct pseudo_terminal){.inside = -1};
    terminal->outside = open(multiplexer, O_RDWR | O_NOCTTY | O_CLOEXEC);
    /* By the descriptor and not by its name: whatever is at /dev/pts by now does not matter. */
    if (terminal->outside >= 0 && ioctl(terminal->outside, TIOCSPTLCK, &unlocked) == 0)
        terminal->inside = ioctl(terminal->outside, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal->inside >= 0) {
        set_modes(terminal->inside);
        return 0;
    }
    error_set_errno(error, errno, "cannot make a pseudo-terminal");
    cleanup_close(&terminal->outside);
    terminal->outside = -1;
    return -1;
}
