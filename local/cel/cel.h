/* The part of the Common Expression Language (github.com/google/cel-spec) that people write into the attribute mappings
 * and conditions of workload identity providers:
 *
 *   literals     'text' "text" r'raw' 123 true false null [a, b]
 *   operators    || && ! == != < <= > >= + in ?: (with short circuit)
 *   access       assertion.sub, assertion['a:b'], list[0]; has(assertion.x)
 *   functions    size(x)  string(x)  x.size()  s.startsWith(t)  s.endsWith(t)  s.contains(t)  s.matches(RE2)
 *                s.lowerAscii()  s.upperAscii()  s.split(t)  list.join(t)  s.extract('before{name}after') (IAM's own)
 *   variables    assertion, google, attribute
 *
 * Everything else (macros such as exists and map, timestamps, arithmetic, maps, other functions and variables) is
 * refused when the expression is compiled, by name. Values are JSON values; a claim with a number in it is a double or
 * an integer as it was sent. */
#ifndef LOCAL_CEL_CEL_H
#define LOCAL_CEL_CEL_H

#include "common/json/json.h"

enum { CEL_LENGTH = 4096, CEL_DEPTH = 32 };

struct cel;

/* ERROR_DATA: "at character N: …". */
struct cel *cel_compile(const char *text, struct error *error) MUST_CHECK;
void cel_release(struct cel **expression);
#define AUTO_CEL AUTO(cel_release)

/* `variables` is an object: its members are the variables. The result is the caller's; NULL with ERROR_DATA when a
 * claim that it needs is missing or has another type. */
struct json *cel_evaluate(const struct cel *expression, const struct json *variables, struct error *error) MUST_CHECK;

/* Whether it looks at a variable at all: a condition that does not admits everybody. */
bool cel_uses_variables(const struct cel *expression);

#endif
