/* What is known of a command, as text and as JSON: for --help and for completions/generate. */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include "common/command/command.h"

/* The text of --help; the caller frees. */
char *help_text(const struct command *command);
/* The object of --help=json: name, summary, usage, options with all their properties, exit codes; the caller releases.
 */
struct json *help_json(const struct command *command);

/* "pl-x --region REGION [OPTION...] [REF...]" */
void help_usage(const struct command *command, struct buffer *out);
/* "-e, --env NAME=VALUE"; four spaces where there is no letter. */
void help_option_names(const struct option *option, char *text, size_t size);
/* "(required; default auto; PL_PROGRESS)", or nothing. */
void help_option_notes(const struct option *option, struct buffer *out);

/* Calls `each` for the tool's own options and then the common ones, hidden ones left out. */
void help_each_option(const struct command *command, void (*each)(void *context, const struct option *option),
                      void *context);

#endif
