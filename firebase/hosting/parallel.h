/* Private to firebase/hosting: many authorized requests, several at once. */
#ifndef FIREBASE_HOSTING_PARALLEL_H
#define FIREBASE_HOSTING_PARALLEL_H

#include "gcp/cloud.h"

/* One request at a time; it and what it points to live until `done` was called for it. */
struct parallel_job {
    struct http_request request; /* authorization and secret are filled in */
    char *url;                   /* owned by the job, freed after `done`, as is body */
    char *body;
    size_t subject; /* for the caller */
};

struct parallel {
    struct cloud *cloud;
    size_t at_once; /* at most PARALLEL_LIMIT */
    /* Fills the next job; returns 1, 0 when there is none left, -1 with *error. */
    int (*next)(void *context, struct parallel_job *job, struct error *error);
    /* A response arrived, whatever its status. The first error ends everything: no further job is begun. */
    int (*done)(void *context, const struct parallel_job *job, const struct http_response *response,
                struct error *error);
    void *context;
};

enum { PARALLEL_LIMIT = 24 };

/* A 401 is answered by a new token, once for each request. */
int parallel_run(const struct parallel *parallel, struct error *error) MUST_CHECK;

#endif
