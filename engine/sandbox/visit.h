/* Programs on a terminal in a container: visitors.
 *
 * A visitor is run by the container's process 1 in the same namespaces, on the same file system and mounts, as the same
 * user, with the same environment, directory and limits as the command, and as confined as that. It has a new
 * pseudo-terminal, which is its controlling terminal: of the container's own /dev/pts, or one of the host's that was
 * handed in where nothing can be mounted (mode chroot). Never the terminal of whoever looks: what it does to its own
 * (TIOCSTI, modes) reaches nobody else. What it prints comes to us as it is.
 *
 * There are two occasions. In a container whose command has ended (`ended` of struct sandbox): whatever that left is
 * still there, also its processes in the background and what is in memory. And in one that has no command. One visitor
 * at a time, any number after each other. */
#ifndef SANDBOX_VISIT_H
#define SANDBOX_VISIT_H

#include "engine/sandbox/sandbox.h"

struct sandbox_visit;

struct visit_terminal {
    unsigned short rows, columns;
    const char *type; /* $TERM for the visitor, unless the container sets it; NULL: none */
};

/* Starts the first of the sandbox's visitors that is there; *terminal is our end of its terminal, which the caller
 * closes. ERROR_STEP: none of them is there, or it could not be started. */
int sandbox_visit_start(struct sandbox_visit *visit, const struct visit_terminal *wanted, int *terminal,
                        struct error *error) MUST_CHECK;
/* False while it runs; then *status is the exit code or 128 + signal. Passes on what the container's other processes
 * print meanwhile, so it is to be called a few times in a second. Never blocks. */
bool sandbox_visit_ended(struct sandbox_visit *visit, int *status);
/* Readable when sandbox_visit_ended has something new to say. */
int sandbox_visit_wake(const struct sandbox_visit *visit);

/* A container that is there for visitors alone: the sandbox's argv is NULL. What its other processes print is dropped.
 */
int sandbox_visit_open(const struct sandbox *sandbox, struct sandbox_visit **visit, struct error *error) MUST_CHECK;
/* Ends it with all its processes. */
void sandbox_visit_close(struct sandbox_visit **visit);

#endif
