/* Numbers with a unit, as options and files of settings take them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>

/* 90, 90s, 5m, 2h, 7d: in seconds; false when it is malformed or too large. */
bool parse_duration(const char *text, long long *seconds);
/* 512, 512Ki, 512Mi, 2Gi, 2G: in bytes; likewise. */
bool parse_size(const char *text, long long *bytes);

#endif
