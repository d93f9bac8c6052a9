/* Which files of a directory do not belong to the site: the "ignore" of firebase.json.
 *
 * Patterns as firebase-tools takes them (minimatch, dots included, no negation): each is held against the path of every
 * file below the public directory; one that ends in a double star also leaves out whole directories. One that begins
 * with '/' is about the file system's root and so matches nothing. firebase-tools' own files (firebase-debug.log,
 * .firebase/…) are always left out. */
#ifndef FIREBASE_CONFIG_IGNORE_H
#define FIREBASE_CONFIG_IGNORE_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct site_ignore;

/* With the patterns that are always there. Never NULL. */
struct site_ignore *site_ignore_new(void);
/* `number` comes back from site_ignore_largest. ERROR_DATA: see glob_new. */
int site_ignore_add(struct site_ignore *ignore, const char *pattern, size_t number, struct error *error) MUST_CHECK;
/* Whether the file, or the directory with all below, is left out; counted. */
bool site_ignore_matches(struct site_ignore *ignore, const char *path, bool is_directory);
/* Which of the added patterns left out most, and how much; false when none left out anything. */
bool site_ignore_largest(const struct site_ignore *ignore, size_t *number, size_t *count);
void site_ignore_release(struct site_ignore **ignore);
#define AUTO_SITE_IGNORE AUTO(site_ignore_release)

#endif
