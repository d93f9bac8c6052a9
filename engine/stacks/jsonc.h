/* JSON with comments and trailing commas, as angular.json and bun.lock may be written, and the comments of JavaScript.
 */
#ifndef STACKS_JSONC_H
#define STACKS_JSONC_H

#include "common/json/json.h"

/* Blanks comments (// and between slash-star) outside of strings, in place; lines stay where they are. Knows the three
 * kinds of JavaScript's strings, but not regular expressions. */
void script_blank_comments(char *text, size_t length);

/* As json_parse; `text` is changed. */
struct json *jsonc_parse(char *text, size_t length, const char *what, struct error *error) MUST_CHECK;

#endif
