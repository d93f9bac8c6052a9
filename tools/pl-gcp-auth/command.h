/* The arguments of pl-gcp-auth, as its table fills them. */
#ifndef TOOLS_PL_GCP_AUTH_COMMAND_H
#define TOOLS_PL_GCP_AUTH_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    bool check;
    struct text_list tools;
    const char *print;
    const char *audience;
    bool include_email;
    struct text_list scopes;
    bool force;
    const char *write_adc;
    int export;
    bool cleanup;
    struct text_list docker_login;
    const char *project;
    const char *region;
    const char *repo;
    struct credential_options credentials;
};

extern const struct command pl_gcp_auth_command;

#endif
