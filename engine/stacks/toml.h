/* Reading TOML (https://toml.io/en/v1.0.0) into the JSON value that means the same.
 *
 * No C library for it is in Debian 12. Dates, times and floating point numbers come as the text they were written as.
 * Nesting is limited to 32; malformed text is ERROR_DATA with the line. What TOML forbids but what has a plain meaning
 * (a table that is opened twice) is accepted: the package manager itself judges that. */
#ifndef STACKS_TOML_H
#define STACKS_TOML_H

#include "common/json/json.h"

struct json *toml_parse(const char *text, size_t length, const char *what, struct error *error) MUST_CHECK;

#endif
