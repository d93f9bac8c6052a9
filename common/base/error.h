/* The one error type.
 *
 * A function that can fail takes `struct error *error` as its last argument and returns 0 or -1 (or a pointer or
 * NULL); on failure *error is filled. The function that fails first says what and why with error_set(); a caller adds
 * context with error_wrap() on the way up and what the user should type with error_next(). Libraries print nothing:
 * only common/command turns an error into text on stderr and into an exit code.
 *
 * A struct error owns no memory and needs no release. Text that is too long is cut, never overrun. Text from outside
 * (a server, a file name, a build step) may be put into it as it is: it is scrubbed when it is printed.
 * `error` may be NULL where a caller only wants to know that something failed. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "common/base/cleanup.h"

enum error_kind {
    ERROR_NONE = 0,
    ERROR_ANSWER_NO,     /* the tool worked and the answer is no: tests failed, a difference      exit 1 */
    ERROR_USAGE,         /* the command line is wrong                                             exit 64 */
    ERROR_DATA,          /* a record, a file or an input is malformed or refused                  exit 65 */
    ERROR_NO_INPUT,      /* nothing arrived on standard input                                     exit 66 */
    ERROR_UNAVAILABLE,   /* a remote end does not answer, after retries                           exit 69 */
    ERROR_STEP,          /* a build step, a child or the deployed container failed                exit 70 */
    ERROR_INTERNAL,      /* a bug, or the system refused something that always works              exit 70 */
    ERROR_CANNOT_WRITE,  /* disk full, read-only, output closed                                   exit 73 */
    ERROR_TEMPORARY,     /* safe to try again: 429, 503, a lock that is held                      exit 75 */
    ERROR_PROTOCOL,      /* the remote end does not speak its protocol: wrong digest, bad JSON    exit 76 */
    ERROR_PERMISSION,    /* credentials are missing or do not suffice                             exit 77 */
    ERROR_CONFIGURATION, /* a setting is missing or wrong: project, region, base, API             exit 78 */
    ERROR_TIMEOUT,       /* a time limit of ours was reached                                      exit 124 */
    ERROR_CANCELLED,     /* a signal arrived or the reader of our output went away                exit 130 */
};

struct error {
    enum error_kind kind;
    int exit_code;   /* 0, or the exit code to use instead of the kind's (an upstream stage's, a signal's) */
    char text[1536]; /* what failed and why; starts lower case, no full stop at the end */
    char next[512];  /* what to type or do next; may be empty */
};

/* Fill *error; always return -1 so that a caller can `return error_set(...)`. error_set clears `next`. */
int error_set(struct error *error, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set, with ": " and the system's text for `number` appended; the kind follows from it
 * (see error_kind_of_errno). */
int error_set_errno(struct error *error, int number, const char *format, ...) PRINTF_LIKE(3, 4);

/* Put context in front: "FORMAT: old text". Keeps kind, exit code and next. */
int error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Say what to type or do next. Replaces what was there. */
int error_next(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

void error_clear(struct error *error);

/* ENOSPC, EDQUOT, EROFS, EFBIG: CANNOT_WRITE; EACCES, EPERM: PERMISSION; ENOENT, ENOTDIR, ELOOP, ENXIO: DATA;
 * EAGAIN, EBUSY: TEMPORARY; ETIMEDOUT: TIMEOUT; everything else INTERNAL. */
enum error_kind error_kind_of_errno(int number);

/* The exit code of an error: its own, or its kind's by the one table of design section 12. */
int error_exit_code(const struct error *error);

/* The name of a kind for records and --help=json: "usage", "data", ... Never NULL. */
const char *error_kind_name(enum error_kind kind);

#endif
