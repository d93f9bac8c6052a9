/* Completions, manual pages and docs/tools, written from the tools' own tables: nothing in them is described twice.
 *
 * commands[] is made by the Makefile from the folders in tools/. */
#ifndef COMPLETIONS_GENERATE_H
#define COMPLETIONS_GENERATE_H

#include "common/command/command.h"
#include "common/command/help.h"

extern const struct command *const commands[]; /* ends with NULL; sorted by name */

void write_bash(const struct command *command, struct buffer *out);
void write_zsh(const struct command *command, struct buffer *out);
void write_fish(const struct command *command, struct buffer *out);
void write_man(const struct command *command, struct buffer *out);
void write_markdown(const struct command *command, struct buffer *out);

/* FOLDER/man/ gets the pages that docs/ has beside those of the tools: records, configuration, ... */
int write_pages(const char *folder, const char *docs, struct error *error);
/* Their names, for SEE ALSO. */
void append_pages(struct buffer *out);

/* Shell functions that all completions use: in pl's own file for bash, in files of their own for zsh and fish. */
extern const char bash_engine[], zsh_values[], fish_values[];

/* pl itself: its first operand is the name of another tool, whose completion then goes on. */
bool is_front(const struct command *command);
/* "build help local ..." for pl. */
void append_tool_names(struct buffer *out);
/* "pl_build" */
char *function_name(const struct command *command);
void append_choices(struct buffer *out, const char *const *choices);
/* The text with each byte of `special` behind `escape`. */
void append_escaped(struct buffer *out, const char *text, const char *special, const char *escape);

#endif
