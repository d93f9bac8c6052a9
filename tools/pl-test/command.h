/* The arguments of pl-test, as its table fills them. */
#ifndef TOOLS_PL_TEST_COMMAND_H
#define TOOLS_PL_TEST_COMMAND_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct arguments {
    const char *suite;
    long long coverage_minimum;
    long long timeout;
    const char *findings;
    const char *base;
    const char *file;
    const char *target;
    struct text_list build_arguments;
    const char *name;
    struct text_list environment;
    struct text_list secrets;
    struct text_list services;
    struct text_list allowed_files;
    bool no_cache;
    bool explain;
    bool shell_on_failure;
    bool plan;
    struct credential_options credentials;
};

extern const struct command pl_test_command;

#endif
