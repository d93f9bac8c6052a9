/* Asking a container whether it is well. A gRPC probe is a connection here: nothing is asked through it. */
#ifndef LOCAL_RUN_PROBE_H
#define LOCAL_RUN_PROBE_H

#include "local/run/container.h"

struct probe {
    const struct json *http; /* its httpGet, borrowed; NULL: a connection is enough */
    unsigned port;
    int64_t delay, period, timeout; /* milliseconds */
    unsigned failures, successes;   /* so many one after another decide */
};

enum probe_answer { PROBE_GOOD, PROBE_BAD, PROBE_REFUSED /* nobody listens */ };

/* What a probe of the API says, with Google's defaults; `port` where it names none. */
struct probe probe_read(const struct json *given, unsigned port);
/* A connection, and for HTTP a GET that is answered with 200 to 399 in time. */
enum probe_answer probe_ask(const struct instance *instance, const struct probe *probe);
/* Milliseconds of the monotonic clock. */
int64_t probe_now(void);

#endif
