#ifndef REGEX_INTERNAL_H
#define REGEX_INTERNAL_H

#include "common/base/error.h"

/* Refuses what RE2's syntax does not have, in RE2's words. What is malformed in PCRE2's eyes too is left to it. */
int re2_check(const char *pattern, struct error *error);

#endif
