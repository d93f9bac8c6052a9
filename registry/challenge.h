/* WWW-Authenticate (RFC 7235): how a registry wants to be asked. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include "common/http/http.h"

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
    enum challenge_scheme scheme;
    char *realm; /* Bearer: the URL of the token endpoint, not yet judged */
    char *service;
    char *scope;
};

/* The best challenge of all WWW-Authenticate headers: Bearer with a realm, else Basic. scheme is CHALLENGE_NONE when
 * there is none that we know. */
void challenge_read(const struct http_response *response, struct challenge *challenge);
void challenge_release(struct challenge *challenge);
#define AUTO_CHALLENGE AUTO(challenge_release)

#endif
