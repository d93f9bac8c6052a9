/* Times as Google's APIs write them: RFC 3339 in UTC, "2026-01-31T23:59:59.123456Z". */
#ifndef LOCAL_TIMESTAMP_H
#define LOCAL_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

struct timestamp {
    char text[48];
};

int64_t timestamp_now(void); /* microseconds since 1970 */
struct timestamp timestamp_format(int64_t microseconds);
/* Years 1970 to 9999, "Z" or an offset. False when it is none. */
bool timestamp_parse(const char *text, int64_t *microseconds);
/* Google's form of a duration: "3.5s". False when it is none, is negative or longer than 10,000 years. */
bool duration_parse(const char *text, int64_t *microseconds);

#endif
