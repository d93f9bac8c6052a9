/* Checks: steps that are run for their verdict and for what they write down, not for a layer. Design section 5, "a
 * captured output". A test suite, a linter. */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "engine/step.h"

/* Where the command finds an empty directory for its results; all else that it writes is dropped. */
#define CHECK_RESULTS "/run/pl/results"

enum { CHECK_FILES = 4, CHECK_FILE_LIMIT = 128 << 20 };

struct check {
    struct step_exec exec;
    const char *files[CHECK_FILES]; /* paths in CHECK_RESULTS that are kept; NULL where there are fewer */
    unsigned timeout;               /* seconds, 0: none; as in struct sandbox. Not part of the key */
    bool again;                     /* run although it is known to pass */
    bool is_volatile;               /* its verdict depends on more than its inputs: it is never found */
    /* What it prints, beside the progress: both streams in their order, as 1. May be NULL. */
    void (*output)(void *context, int stream, const char *data, size_t length);
    void *output_context;
};

struct check_result {
    bool found;           /* it passed before, and was not run */
    int status;           /* the exit code, or 128 + signal */
    int64_t milliseconds; /* how long it ran, also when it was found */
    bool timed_out;       /* it was ended; the status says nothing */
    struct check_file {
        bool is_there; /* it was written, as a regular file of at most CHECK_FILE_LIMIT bytes */
        struct digest digest;
    } files[CHECK_FILES]; /* as in struct check */
};

/* 0 whatever the verdict is; only status 0 is recorded. The same check at the same time in another process is waited
 * for: what is green is run once. -1: it could not be run. */
int check_run(struct engine *engine, const struct container *input, const struct check *check,
              struct check_result *result, struct error *error) MUST_CHECK;

#endif
