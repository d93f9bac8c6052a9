/* One run of pl-gcp-auth. */
#ifndef TOOLS_PL_GCP_AUTH_SESSION_H
#define TOOLS_PL_GCP_AUTH_SESSION_H

#include "gcp/cloud.h"
#include "tools/pl-gcp-auth/command.h"

struct session {
    struct command_context *context;
    const struct arguments *arguments;
    bool keep_document;                /* the credentials will be written as a file */
    struct credential_options options; /* the arguments', borrowed, and that */
    struct http *http;
    struct credentials *credentials;
};

/* Finds the credentials; no token is made yet. */
int session_open(struct session *session, struct error *error) MUST_CHECK;

/* --check: a text, and a failure when a hop or a permission is missing. */
int check_credentials(struct session *session, struct error *error) MUST_CHECK;
/* --write-adc, --cleanup */
int adc_write(struct session *session, struct error *error) MUST_CHECK;
int adc_cleanup(struct session *session, struct error *error) MUST_CHECK;
/* --docker-login, and what docker's credential helpers are asked: "get", "store", "erase", "list" */
int docker_login_write(struct session *session, struct error *error) MUST_CHECK;
int docker_helper(struct session *session, const char *verb, struct error *error) MUST_CHECK;
/* --print: the token alone on standard output. */
int print_token(struct session *session, struct error *error) MUST_CHECK;

#endif
