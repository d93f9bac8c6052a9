/* What pl-run-deploy does, one file each: deploy.c, move.c, show.c, log.c, policy.c. */
#ifndef TOOLS_PL_RUN_DEPLOY_ACTIONS_H
#define TOOLS_PL_RUN_DEPLOY_ACTIONS_H

#include "gcp/cloud.h"
#include "gcp/run/deploy.h"
#include "gcp/run/operands.h"
#include "tools/pl-run-deploy/command.h"

typedef int action(struct command_context *context, struct arguments *arguments, struct error *error);

action action_deploy;
/* --promote, --rollback, --traffic */
action action_move;
/* --list, --revisions, --describe */
action action_show;
/* --delete */
action action_delete;
/* --logs */
action action_log;

/* --policy-check */
action action_policy;

/* Switches on the APIs that the deployment needs and the project has off; what must be permitted is permitted first. */
int apis_enable(struct cloud *cloud, const struct run_deployment *deployment, struct error *error) MUST_CHECK;

/* The service that the line names: --name, or the operand that is no image. NULL when it names none. */
const char *action_service(const struct command_context *context, const struct arguments *arguments);
/* The same, needed: checks it and opens the session. ERROR_USAGE without one. */
const char *action_open(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        struct error *error);

#endif
