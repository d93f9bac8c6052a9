/* --terminal: a person in a new container. */
#ifndef TOOLS_PL_SERVE_TERMINAL_H
#define TOOLS_PL_SERVE_TERMINAL_H

#include "tools/pl-serve/served.h"

/* A shell of the image, or what follows "--", on the person's terminal, to its end; its exit code is the error's.
 * ERROR_CONFIGURATION: there is no terminal. */
int terminal_serve(struct command_context *context, struct served *service, struct error *error) MUST_CHECK;

#endif
