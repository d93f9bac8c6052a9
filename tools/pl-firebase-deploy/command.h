/* The arguments of pl-firebase-deploy, as its table fills them. */
#ifndef TOOLS_PL_FIREBASE_DEPLOY_COMMAND_H
#define TOOLS_PL_FIREBASE_DEPLOY_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *site;
    bool create_site;
    bool all_sites;
    const char *target;
    const char *project;
    const char *config;
    const char *channel;
    long long expires;
    bool evict_expired;
    const char *message;
    bool dry_run;
    const char *promote;
    bool rollback;
    const char *delete_channel;
    struct text_list runtime_config;
    const char *runtime_config_file;
    bool default_headers;
    int authorized_domains;
    int hooks;
    struct text_list allowed_files;
    struct credential_options credentials;
};

extern const struct command pl_firebase_deploy_command;

#endif
