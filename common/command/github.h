/* Private to common/command: what GitHub Actions reads, from standard error and from its files. */
#ifndef COMMAND_GITHUB_H
#define COMMAND_GITHUB_H

#include "common/command/command.h"
#include "common/command/display.h"
#include "common/record/record.h"

/* A copy in which the runner finds no command: a line that begins with "::" or holds "##[" is broken up. */
char *github_disarm(const char *text);
/* One ::error annotation, and the step's last lines in the step summary; `failure` may be NULL. */
void github_failure(const char *tool, const struct error *error, const struct display_failure *failure);
/* One ::error annotation. */
void github_annotate(const struct command_annotation *annotation);
/* NAME=VALUE in the runner's file that `file_variable` (GITHUB_ENV, GITHUB_OUTPUT) names. */
void github_set(const char *file_variable, const char *name, const char *value);
/* ::add-mask:: on standard error: standard output may be captured. */
int github_mask(const char *secret, struct error *error);
/* A row of the table in the step summary. */
void github_summary(const char *tool, const char *text);
/* record=, ref=, digest=, and the type's own name, for the following steps. */
void github_outputs(const struct record_list *list);

#endif
