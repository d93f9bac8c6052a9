/* The arguments of pl-run-job, as its table fills them. */
#ifndef TOOLS_PL_RUN_JOB_COMMAND_H
#define TOOLS_PL_RUN_JOB_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"
#include "gcp/logging_options.h"
#include "gcp/run/job_settings.h"

struct arguments {
    const char *region;
    const char *project;
    const char *name;
    bool update, dry_run;
    struct text_list scans;
    struct run_job_settings settings;
    bool execute, no_wait;
    long long wait_time;
    struct run_overrides overrides;
    const char *attach, *cancel;
    bool list, executions, describe, export;
    struct logging_options logging;
    const char *execution;
    bool delete_job;
    const char *confirm;
    struct credential_options credentials;
};

extern const struct command pl_run_job_command;

#endif
