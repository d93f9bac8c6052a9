/* Start commands, wherever somebody wrote one: "start" in pl.json, a Procfile, a script. */
#ifndef STACKS_START_H
#define STACKS_START_H

#include "engine/stacks/stack.h"

/* Adds a command that is text for sh. One simple command replaces the shell, so that it gets the signals itself. */
void start_add_shell(struct text_list *command, const char *text);
/* A port between 1 and 65535 that the command names after "--port", "-p" or a colon; 0: none. */
unsigned start_literal_port(const char *command);
/* Whether a word of the command is the program, with or without a path. */
bool start_names_program(const char *command, const char *program);
/* A port that the command names itself instead of $PORT becomes the plan's, and that is told. */
void start_take_port(struct stack_plan *plan, const char *command, const char *where);

/* "port" of the settings, or STACK_PORT. ERROR_DATA when it is none. */
int start_read_port(const struct json *settings, unsigned *port, struct error *error) MUST_CHECK;
/* "start" of the settings: a text for the shell, or a list that is run as it is. Nothing is added when it is absent.
 * *text is what it says, or its first word; borrowed. */
int start_read_setting(const struct json *settings, struct text_list *command, const char **text,
                       struct error *error) MUST_CHECK;
/* The command after "web:" in a Procfile, or NULL. The caller frees. */
char *start_procfile_command(const char *procfile);

/* The step that makes a service of the container: user, port, command. Takes over `environment` and `labels`. */
void start_plan_config(struct stack_plan *plan, const char *directory, struct json *environment,
                       const struct text_list *command, struct json *labels);

#endif
