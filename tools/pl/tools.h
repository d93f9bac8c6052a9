/* The executables named pl-TOOL: ours, beside pl, and those of other people in PATH. */
#ifndef TOOLS_PL_TOOLS_H
#define TOOLS_PL_TOOLS_H

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/json/json.h"

/* "build" or "pl-build" to the path of pl-build: beside us, else in PATH. NULL when there is none; the caller frees. */
char *tools_find(const char *name);

/* The manual page pl-NAME of a section where `make install` put it, or NULL. The caller frees. */
char *tools_page(const char *name, const char *section);
/* "pl-build", ...: all that is to be had, ours first; nothing is run. */
void tools_names(struct text_list *names);
/* What one of ours ("pl-build") says of itself, or NULL. */
struct json *tools_describe(const char *name);
/* What each tool beside us says of itself (`--help=json`), by name. */
struct json *tools_ours(struct error *error) MUST_CHECK;
/* The same for those in the absolute folders of PATH that are not among `ours`, the first of each name, each with its
 * "path". One that does not answer within two seconds with a description is {"name", "path"} alone. They are run
 * all at once, without input, and what they print on standard error is not shown. */
struct json *tools_others(const struct json *ours);

#endif
