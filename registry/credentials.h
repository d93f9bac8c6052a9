/* The logins that Docker's and podman's files and credential helpers hold.
 *
 * Files, in this order: $REGISTRY_AUTH_FILE, ${DOCKER_CONFIG:-~/.docker}/config.json,
 * $XDG_RUNTIME_DIR/containers/auth.json, ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json. In each: credHelpers of
 * the host, then credsStore, then auths. A helper is the program docker-credential-NAME, asked with the host on its
 * standard input; one that is not installed counts as having no login (a config.json that was copied from another
 * machine is no reason to fail). Entries of auth.json for a path below a host are not used. */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include "common/base/progress.h"
#include "common/http/login_source.h"

/* What a login's user is when its secret is an identity token (an OAuth refresh token) instead of a password. */
#define IDENTITY_TOKEN_USER "<token>"

struct docker_login {
    struct progress *progress; /* told of helpers that are missing; may be NULL */
    bool no_helpers;           /* credential helpers, which may ask the user for something, are not run */
};
/* `login` must live as long as the source. */
struct login_source docker_login_source(struct docker_login *login, const struct login_source *next);

#endif
