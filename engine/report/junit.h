/* JUnit documents, as test runners write them.
 *
 * There is no standard: what pytest, vitest, jest-junit, node and karma write agrees on <testcase> with <failure>,
 * <error> or <skipped> inside of <testsuite>; the cases are counted, the counts that a document claims are not used.
 * pytest: https://docs.pytest.org/en/stable/how-to/output.html, junit_family=xunit1 adds file and line (from 0). */
#ifndef REPORT_JUNIT_H
#define REPORT_JUNIT_H

#include "engine/report/place.h"

#include <stdint.h>

enum {
    JUNIT_FAILURES_KEPT = 50,
    JUNIT_MESSAGE_LIMIT = 2000,
    JUNIT_DOCUMENT_LIMIT = 128 << 20,
};

struct junit_failure {
    char *name; /* what the runner calls the test: "tests/test_a.py::TestA::test_b" */
    char *message;
    struct place place; /* file NULL: not known */
    bool is_error;      /* it did not come as far as to fail */
};

struct junit {
    uint64_t tests, passed, failed, errors, skipped;
    uint64_t bad; /* tests that failed or had an error: some have both */
    uint64_t milliseconds;
    struct junit_failure *failures; /* the first JUNIT_FAILURES_KEPT, in the order of the document */
    size_t failure_count;
};

/* Reads a document of at most JUNIT_DOCUMENT_LIMIT bytes from a descriptor. ERROR_DATA: it is no JUnit document. */
int junit_read(int fd, const struct place_search *search, struct junit *junit, struct error *error) MUST_CHECK;
/* A document of the failures that are kept, each a case of its own; of none, one case that passed. For tools that write
 * no document themselves. */
void junit_write(const struct junit *junit, const char *suite, struct buffer *out);
void junit_release(struct junit *junit);
#define AUTO_JUNIT AUTO(junit_release)

#endif
