/* Versions and ranges of npm: https://github.com/npm/node-semver#ranges. Pre-releases are left out: no release that pl
 * offers is one. */
#ifndef STACKS_SEMVER_H
#define STACKS_SEMVER_H

#include <stdbool.h>

struct semver {
    unsigned part[3]; /* major, minor, patch */
};

/* "22", "v22.11", "22.11.0", "=22.11.0"; what follows ("-rc.1", "+build") is dropped. *given: how many of the three
 * parts are there. False when the text begins with no number, or has anything else behind it. */
bool semver_parse(const char *text, struct semver *version, unsigned *given);
int semver_compare(const struct semver *left, const struct semver *right);

/* Whether a version satisfies a range: "^20.19.0 || ^22.12.0 || >=24", "~22.1", "22.x", "18 - 22", ">=18 <23", "*",
 * "". *understood (may be NULL) is false when a part of the range is none; such a part is satisfied by nothing. */
bool semver_satisfies(const struct semver *version, const char *range, bool *understood);

#endif
