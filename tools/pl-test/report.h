/* How pl-test tells what came of the tests. */
#ifndef TOOLS_PL_TEST_REPORT_H
#define TOOLS_PL_TEST_REPORT_H

#include "common/command/command.h"
#include "engine/stacks/test.h"

struct told {
    struct command_context *context;
    const char *name;      /* of the application */
    const char *given;     /* the directory as the user named it */
    const char *directory; /* absolute */
    const char *runner;
    bool without_container; /* nothing was run */
    enum test_suite suite;
    long long timeout, coverage_minimum;
    const struct test_result *result;
};

/* The record, the annotations, the summary; -1 with the error that a verdict other than "passed" is. */
int report_result(const struct told *told, struct error *error) MUST_CHECK;

#endif
