/* What pl-from, pl-with and pl-export open before they work: the engine with its store, and the registries that are
 * asked when a base or one of its layers is not here. */
#ifndef CHAIN_SESSION_H
#define CHAIN_SESSION_H

#include "common/command/command.h"
#include "engine/engine.h"
#include "gcp/credentials/credentials.h"
#include "registry/registries.h"

struct chain_session {
    struct command_context *context;
    struct engine engine;
    struct google_login login;
    struct registries registries;
    struct image_source source;
    struct package_source packages;
    char *scope; /* the current directory */
};

/* Both outlive the session. SOURCE_DATE_EPOCH is read. To be closed after success and failure. */
int chain_open(struct chain_session *session, struct command_context *context,
               const struct credential_options *credentials, struct error *error) MUST_CHECK;
/* Gives `result` back; where the store could not be written to, says what to do about it. */
int chain_advise(int result, struct error *error);
void chain_close(struct chain_session *session);

#endif
