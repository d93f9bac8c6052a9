/* Whether a revision is good enough for (more) traffic: it is asked at its own address.
 *
 * An answer below 400 within the latency is good. Who must sign in to call the service gets an ID token of the
 * credentials, for the service's URL, when the first answer is 401 or 403. */
#ifndef GCP_RUN_GATE_H
#define GCP_RUN_GATE_H

#include "gcp/cloud.h"

struct run_gate {
    const char *path; /* "/health" */
    unsigned latency; /* milliseconds until the answer is there; 0: 10000 */
    unsigned errors;  /* percent of the questions that may fail */
    const char
        *command; /* for sh -c, or NULL: must end with 0; PL_URL, PL_REVISION and PL_PERCENT tell it about what */
};

struct run_gate_target {
    const char *url;      /* of the revision, by its tag */
    const char *audience; /* the service's URL */
    const char *revision;
    unsigned percent;
};

/* A path of an URL: begins with one slash, has no control characters, at most 1000 bytes. ERROR_USAGE. */
int run_gate_check(const struct run_gate *gate, struct error *error) MUST_CHECK;
/* Some questions within a few seconds: the first good answer is enough. ERROR_STEP with what the last one was. */
int run_gate_smoke(struct cloud *cloud, const struct run_gate *gate, const struct run_gate_target *target,
                   struct error *error) MUST_CHECK;
/* Asks for `seconds`, at least three times, and runs the command at the end. ERROR_STEP as soon as too many have
 * failed. */
int run_gate_watch(struct cloud *cloud, const struct run_gate *gate, const struct run_gate_target *target,
                   unsigned seconds, struct error *error) MUST_CHECK;

#endif
