/* Where user names and secrets for a host come from, so that registry/ need not know gcp/ nor Docker's files: a tool
 * chains them. */
#ifndef HTTP_LOGIN_SOURCE_H
#define HTTP_LOGIN_SOURCE_H

#include "common/base/error.h"

struct login_source {
    void *context;
    /* For "HOST[:PORT]": 0 with both set (the caller wipes *secret and frees both), 0 with both NULL when this source
     * has none, -1 when it should have one and failed. `again` is true after a 401: a cached token must not be given
     * again. */
    int (*find)(void *context, const char *host, int again, char **user, char **secret, struct error *error);
    const struct login_source *next; /* asked when this one has none */
};

#endif
