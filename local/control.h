/* Starting, finding and stopping the serving process: what the tool does.
 *
 * The serving process is pl-local itself, started anew with the word `--serve` (it is no option for people): it leads
 * its own session and keeps nothing of the shell that started it. */
#ifndef LOCAL_CONTROL_H
#define LOCAL_CONTROL_H

#include "common/base/buffer.h"
#include "local/cloud.h"

#include <sys/types.h>

struct local_status {
    bool running;
    pid_t pid;
    char *state;
    char *project;
    unsigned port;
};
void local_status_release(struct local_status *status);
#define AUTO_STATUS AUTO(local_status_release)

int local_status(const char *state, struct local_status *status, struct error *error) MUST_CHECK;

/* Returns when the cloud answers. *started: it did not run before. ERROR_CONFIGURATION when it runs with other
 * settings than those given. */
int local_start(const struct local_settings *settings, bool *started, struct error *error) MUST_CHECK;
/* Ends it and everything it runs. *stopped: it ran. */
int local_stop(const char *state, bool *stopped, struct error *error) MUST_CHECK;
/* Stops it and removes its state. */
int local_reset(const char *state, struct error *error) MUST_CHECK;

/* Lines for a shell to evaluate. */
int local_environment(const char *state, struct buffer *out, struct error *error) MUST_CHECK;
void local_environment_unset(struct buffer *out);
/* "export NAME='VALUE'" for a POSIX shell. */
void environment_append(struct buffer *out, const char *name, const char *value);

/* The serving process: `arguments` come from local_start. Returns the exit status. */
int local_serve(int argc, char **argv);

#endif
