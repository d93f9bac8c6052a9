/* --shell-on-failure: a person looks around in the container of a step that has failed. */
#ifndef CHAIN_SHELL_H
#define CHAIN_SHELL_H

#include "common/command/command.h"
#include "engine/engine.h"
#include "engine/sandbox/visit.h"

/* The row of the option table. */
#define SHELL_ON_FAILURE_OPTION                                                                                        \
    {                                                                                                                  \
        .name = "shell-on-failure",                                                                                    \
        .help = "when a step fails, open a shell in its container, as it is then; needs a terminal",                   \
        .kind = OPTION_FLAG, INTO(shell_on_failure)                                                                    \
    }

/* What to do about an image that has none. */
#define SHELL_ADVICE "put one in: apt-get install busybox-static; … | pl-with file /bin/busybox /bin/ --mode 755 | …"

/* From now on a step that fails opens a shell on the terminal, or says why there is none. It fails all the same. */
void shell_on_failure(struct engine *engine, struct command_context *context);

/* Runs the first of a sandbox's visitors on the person's terminal, to its end. *status: its exit code or 128 + signal.
 */
struct terminal;
int shell_run(struct terminal *terminal, struct sandbox_visit *visit, int *status, struct error *error) MUST_CHECK;

#endif
