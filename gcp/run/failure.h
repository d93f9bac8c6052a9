/* Why a container did not start, in words that help.
 *
 * Google tells it in the operation's error, the revision's conditions and the revision's log; the reason is read out of
 * their text. pl-local tells it in the operation's error in a form that can be relied on, one element of `details`:
 *
 *   {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "pl-local", "reason": REASON, "metadata": {…}}
 *
 *   REASON              metadata (all values are text, as ErrorInfo wants it)
 *   CONTAINER_EXITED    exitCode ("1"), or signal ("11")
 *   WRONG_PORT          port: the one that it listens on ("9999"), expected ("8080")
 *   LOOPBACK_ONLY       address ("127.0.0.1"), port, expected
 *   WRONG_ARCHITECTURE  architecture ("arm64")
 *   IMAGE_NOT_FOUND     image
 *   OUT_OF_MEMORY       limit ("512Mi")
 *   TOO_SLOW            seconds ("240")
 *
 * and with each of them, container: the name of the one that it was, where the service has several.
 *
 * The revision's last lines come from Cloud Logging in both cases (resource.type cloud_run_revision). */
#ifndef GCP_RUN_FAILURE_H
#define GCP_RUN_FAILURE_H

#include "common/base/text.h"
#include "common/json/json.h"

enum run_failure {
    RUN_FAILURE_UNKNOWN,
    RUN_CONTAINER_EXITED,
    RUN_WRONG_PORT,
    RUN_LOOPBACK_ONLY,
    RUN_WRONG_ARCHITECTURE,
    RUN_IMAGE_NOT_FOUND,
    RUN_OUT_OF_MEMORY,
    RUN_TOO_SLOW,
};

struct run_diagnosis {
    enum run_failure failure;
    char address[64]; /* where it listens */
    unsigned port;    /* where it listens, 0: not known */
    unsigned expected;
    int exit_code;      /* -1: not known; 128 + signal */
    char detail[128];   /* architecture, image, limit, seconds */
    char container[64]; /* "": the only one, or it is not known */
};

/* From the operation's error (a google.rpc.Status), the revision's conditions as one text (may be NULL), and the log
 * lines, oldest first. */
struct run_diagnosis run_failure_diagnose(const struct json *status, const char *conditions,
                                          const struct text_list *lines);

/* Fills *error (ERROR_STEP; CONFIGURATION or DATA where the container is not to blame): what it was, and what to
 * change. `service` and `revision` are short names. Always returns -1. */
int run_failure_set(struct error *error, const struct run_diagnosis *diagnosis, const struct json *status,
                    const char *service, const char *revision);

#endif
