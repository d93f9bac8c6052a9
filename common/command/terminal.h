/* The terminal of the person who called, lent to a program that runs in a container.
 *
 * Standard input and output of a tool are pipes of records, so it is /dev/tty that is talked to. The program has a
 * pseudo-terminal of its own (the peer); this is what goes on between that and the person:
 *
 *   terminal_open     nothing is told on standard error any more, and no other pl lends the same terminal meanwhile
 *   terminal_say      lines for the person, before and after
 *   terminal_relay    keys go to the program and what it prints to the person, byte by byte, until it has ended
 *   terminal_close    what was not told meanwhile is told now
 *
 * While it is relayed the terminal is in raw mode: Ctrl-C, Ctrl-Z and Ctrl-D are keys like any other, which the
 * program's own terminal gives their meaning. When the window changes its size, that of the program's terminal does.
 * The modes are put back however it ends: when the program has ended or was killed, when a signal asks us to stop (the
 * relay ends then, with ERROR_CANCELLED), and when a second one or SIGKILL ends us at once, by a process of its own
 * that waits for nothing else. Keys that were not read by then are dropped: what a program in a container makes a
 * terminal answer must not become a line of the shell that follows.
 *
 * What the program prints is not looked at: colours, a full-screen editor, the title of the window and whatever else
 * the person's terminal does at a program's request. Secrets in it are not hidden. */
#ifndef COMMAND_TERMINAL_H
#define COMMAND_TERMINAL_H

#include "common/command/command.h"

struct terminal;

/* Waits while another pl lends it. ERROR_CONFIGURATION, which says why: there is none, it is a CI job ($CI), this runs
 * in the background. */
int terminal_open(struct command_context *context, struct terminal **terminal, struct error *error) MUST_CHECK;
/* The last lines of a step that runs, unless the person has been shown them. */
void terminal_say_lines(struct terminal *terminal, int step);
/* Lines, without control characters and secrets. */
void terminal_say(struct terminal *terminal, const char *format, ...) PRINTF_LIKE(2, 3);
/* 0 when it is not known. */
void terminal_size(const struct terminal *terminal, unsigned short *rows, unsigned short *columns);

struct terminal_peer {
    int fd;                       /* our end of its pseudo-terminal */
    int wake;                     /* readable when `ended` has something new to say */
    bool (*ended)(void *context); /* asked a few times in a second */
    void *context;
};
int terminal_relay(struct terminal *terminal, const struct terminal_peer *peer, struct error *error) MUST_CHECK;
void terminal_close(struct terminal **terminal);
#define AUTO_TERMINAL AUTO(terminal_close)

#endif
