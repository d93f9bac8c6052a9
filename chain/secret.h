/* Secrets that a stage is given: env:NAME, file:PATH, cmd:COMMAND, gcp:projects/P/secrets/S/versions/V, also with ://.
 * From then on it is shown as *** in everything that this run prints. */
#ifndef CHAIN_SECRET_H
#define CHAIN_SECRET_H

#include "chain/session.h"

struct chain_secret {
    char *content;
    size_t length;
};

int chain_secret_read(struct chain_session *session, const char *source, struct chain_secret *secret,
                      struct error *error) MUST_CHECK;
/* Wipes it. */
void chain_secret_release(struct chain_secret *secret);

#endif
