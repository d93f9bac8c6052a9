/* What pl-run-job does, one file each: deploy.c, execute.c, show.c, log.c. */
#ifndef TOOLS_PL_RUN_JOB_ACTIONS_H
#define TOOLS_PL_RUN_JOB_ACTIONS_H

#include "gcp/cloud.h"
#include "gcp/run/operands.h"
#include "tools/pl-run-job/command.h"

typedef int action(struct command_context *context, struct arguments *arguments, struct error *error);

/* Deploys, and executes when that is asked for, too. */
action action_deploy;
/* --execute without an image, --attach */
action action_execute;
action action_cancel;
/* --list, --executions, --describe, --export */
action action_show;
action action_delete;
/* --logs */
action action_log;

/* The job that the line names: --name, or the operand that is no image. NULL when it names none. */
const char *action_job(const struct command_context *context, const struct arguments *arguments);
/* The same, needed: checks it and opens the session. NULL and ERROR_USAGE without one. */
const char *action_open(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        struct error *error);

/* What is known of a job when it is told; image and execution may be NULL. */
struct told {
    const char *job, *image, *execution;
};
/* The record of a job. */
int action_write_job(struct command_context *context, const struct cloud *cloud, const struct told *told,
                     struct error *error) MUST_CHECK;
/* Executes a job, follows it unless --no-wait, and writes its record. */
int action_run(struct command_context *context, struct cloud *cloud, const struct arguments *arguments,
               struct told *told, struct error *error) MUST_CHECK;

#endif
