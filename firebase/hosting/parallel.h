/* Private to firebase/hosting: many authorized requests, several at once.
 *
 * What is answered by 408, 429 or 5xx, or not at all, is sent again, at most PARALLEL_TRIES times, after Retry-After or
 * with full jitter min(30 s, 0.5 s * 2^n); each time only half as many go on at once, down to one, and one more after
 * each round that went well. So a server that has enough is not asked by all of them again and again. */
#ifndef FIREBASE_HOSTING_PARALLEL_H
#define FIREBASE_HOSTING_PARALLEL_H

#include "gcp/cloud.h"

enum { PARALLEL_LIMIT = 24, PARALLEL_TRIES = 8 };

/* One request at a time; it and what it points to live until `done` was called for it. It must be idempotent. */
struct parallel_job {
    struct http_request request; /* authorization, secret, delay and no_retry are filled in */
    char *url;                   /* owned by the job, freed after `done`, as is body */
    char *body;
    size_t subject; /* for the caller */
};

struct parallel {
    struct cloud *cloud;
    size_t at_once; /* at most PARALLEL_LIMIT */
    /* Fills the next job; returns 1, 0 when there is none left, -1 with *error. */
    int (*next)(void *context, struct parallel_job *job, struct error *error);
    /* A response arrived that is not to be waited out. The first error ends everything: no further job is begun. */
    int (*done)(void *context, const struct parallel_job *job, const struct http_response *response,
                struct error *error);
    void *context;
};

/* A 401 is answered by a new token, once for each request. */
int parallel_run(const struct parallel *parallel, struct error *error) MUST_CHECK;

#endif
