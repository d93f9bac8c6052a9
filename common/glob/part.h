/* Private to common/glob: a pattern for one part of a path, between two slashes. */
#ifndef GLOB_PART_H
#define GLOB_PART_H

#include <stdbool.h>
#include <stddef.h>

struct glob_part;

/* Never NULL. */
struct glob_part *glob_part_new(const char *pattern, size_t length);
bool glob_part_matches(const struct glob_part *part, const char *text, size_t length, bool dot);
void glob_part_release(struct glob_part **part);

#endif
