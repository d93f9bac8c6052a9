/* The arguments of pl-run-deploy, as its table fills them. */
#ifndef TOOLS_PL_RUN_DEPLOY_COMMAND_H
#define TOOLS_PL_RUN_DEPLOY_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"
#include "gcp/logging_options.h"
#include "gcp/run/settings.h"

struct arguments {
    const char *region;
    const char *project;
    const char *name;
    int allow_unauthenticated;
    struct run_settings settings;
    bool update, enable_apis;
    bool dry_run, diff;
    struct credential_options credentials;
    bool no_traffic, keep_traffic;
    const char *tag;
    const char *smoke;
    long long canary, step, every;
    const char *gate;
    long long gate_latency, gate_errors;
    const char *promote;
    bool rollback;
    const char *to;
    struct text_list traffic, set_tags, removed_tags;
    bool revisions, list, describe, export;
    bool delete_service;
    const char *confirm;
    struct logging_options logging;
    bool policy_check;
    struct text_list scans;
};

extern const struct command pl_run_deploy_command;

#endif
