/* One run of pl-gcp-auth. */
#ifndef TOOLS_PL_GCP_AUTH_SESSION_H
#define TOOLS_PL_GCP_AUTH_SESSION_H

#include "gcp/cloud.h"
#include "tools/pl-gcp-auth/command.h"

struct session {
    struct command_context *context;
    const struct arguments *arguments;
    struct http *http;
    struct credentials *credentials;
};

/* Finds the credentials; no token is made yet. */
int session_open(struct session *session, struct error *error) MUST_CHECK;

/* --print: the token alone on standard output. */
int print_token(struct session *session, struct error *error) MUST_CHECK;

#endif
