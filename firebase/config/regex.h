/* Whether Hosting will take a regular expression.
 *
 * Hosting's are RE2's (https://github.com/google/re2/wiki/Syntax), which have no look-around, no back references and no
 * possessive repetition; people write them by habit, and Hosting then only says that the configuration is invalid. This
 * reads the syntax and nothing more: the names of Unicode classes are not checked. */
#ifndef FIREBASE_CONFIG_REGEX_H
#define FIREBASE_CONFIG_REGEX_H

#include "common/base/error.h"

/* ERROR_DATA: what is wrong and where in the expression. */
int regex_check(const char *regex, struct error *error) MUST_CHECK;

#endif
