/* The options by which every tool that talks to Google is told who it is: one table of rows, shared as a group. A tool
 * has a `struct credential_options` among its arguments and CREDENTIAL_OPTIONS(member) among its groups.
 *
 * The account is --impersonate-service-account, as gcloud calls it: --service-account is, there and here, what a
 * deployed service runs as. */
#ifndef GCP_CREDENTIALS_OPTIONS_H
#define GCP_CREDENTIALS_OPTIONS_H

#include "common/command/command.h"

struct credential_options {
    const char *document;       /* --credentials: where a credentials file's content is, as command_secret takes it */
    const char *provider;       /* --workload-identity-provider */
    const char *id_token;       /* --id-token: where a JWT is, as command_secret takes it */
    const char *audience;       /* --federation-audience */
    const char *account;        /* --impersonate-service-account */
    struct text_list delegates; /* --delegate */
    const char *quota_project;  /* --quota-project */
    bool keep_document;         /* of the tool, not of its user: credentials_document will be asked for */
};

extern const struct option credential_option_rows[];
#define CREDENTIAL_OPTIONS(member)                                                                                     \
    { .title = "Credentials", .options = credential_option_rows, INTO(member) }

#endif
