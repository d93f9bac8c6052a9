/* The command of the host that the services are for.
 *
 * Its process is made before anything else, and waits: later this process may be in a user namespace, in which the
 * command would not be the user that it is. */
#ifndef TOOLS_PL_SERVE_CALLER_H
#define TOOLS_PL_SERVE_CALLER_H

#include "common/base/error.h"
#include "common/base/text.h"

#include <stdbool.h>
#include <sys/types.h>

struct caller {
    pid_t pid;
    int go; /* NAME=VALUE lines that end with a NUL each, then the end: it begins */
};

/* ERROR_CONFIGURATION: there is no such program. The caller must have no threads yet. */
int caller_prepare(struct caller *caller, char *const *argv, struct error *error) MUST_CHECK;
/* It begins, with these variables beside ours. */
int caller_begin(struct caller *caller, const struct text_list *environment, struct error *error) MUST_CHECK;
/* False while it runs; then *status is the exit code or 128 + signal. Never blocks. */
bool caller_ended(struct caller *caller, int *status);
/* SIGTERM, after `grace` seconds SIGKILL; of one that has not begun nothing is left. */
void caller_stop(struct caller *caller, unsigned grace);

#endif
