/* A revision that gets traffic step by step, and none as soon as it is not good. */
#ifndef GCP_RUN_CANARY_H
#define GCP_RUN_CANARY_H

#include "gcp/run/gate.h"

struct run_canary {
    const char *service;  /* a valid name */
    const char *revision; /* short name; it is ready */
    const char *tag;      /* by which the revision can be reached alone */
    bool drop_tag;        /* the tag is pl's own: it goes with the last step */
    unsigned first;       /* percent to begin with; 0: the revision is asked once (smoke), then gets all */
    unsigned step;        /* percent more each time */
    unsigned seconds;     /* how long each step is watched */
    struct run_gate gate;
};

/* After 0 the revision has all the traffic. ERROR_STEP: it was not good, has none any more, and its last lines were
 * told through cloud->progress. ERROR_CANCELLED: it has what it had, and how to go on was told. */
int run_canary(struct cloud *cloud, const struct run_canary *canary, struct error *error) MUST_CHECK;

#endif
