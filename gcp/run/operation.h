/* Long-running operations of Cloud Run, and waiting. */
#ifndef GCP_RUN_OPERATION_H
#define GCP_RUN_OPERATION_H

#include "gcp/cloud.h"

/* Waits until *operation is done: operations:wait, or polling where that is not offered. The done operation replaces
 * it; an `error` in it is left to the caller. ERROR_TIMEOUT after `seconds`, ERROR_CANCELLED. */
int run_operation_wait(struct cloud *cloud, struct json **operation, unsigned seconds, struct error *error) MUST_CHECK;

/* Of a clock that only goes forward. */
int64_t run_seconds_now(void);
void run_pause(long milliseconds);

#endif
