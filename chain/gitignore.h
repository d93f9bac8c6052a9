/* .gitignore files, nested ones too, by git's rules (gitignore(5)): the last pattern that matches decides, a pattern
 * with a slash counts from its own directory, one without matches at any depth, one that ends with a slash means
 * directories alone, and nothing below a directory that is left out can be taken in again. */
#ifndef CHAIN_GITIGNORE_H
#define CHAIN_GITIGNORE_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct gitignore;

struct gitignore *gitignore_new(void);
/* The text of the file in `directory` ("" is the top). ERROR_DATA: more patterns than anybody writes. */
int gitignore_add(struct gitignore *gitignore, const char *directory, const char *text, struct error *error) MUST_CHECK;
/* Whether a path is left out; those of the directories above it were asked before, and were not. */
bool gitignore_matches(const struct gitignore *gitignore, const char *path, bool is_directory);
void gitignore_release(struct gitignore **gitignore);
#define AUTO_GITIGNORE AUTO(gitignore_release)

#endif
