/* Where the site's files come from: a tree of the store, or a directory that becomes one. */
#ifndef TOOLS_PL_FIREBASE_DEPLOY_SOURCE_H
#define TOOLS_PL_FIREBASE_DEPLOY_SOURCE_H

#include "engine/tree.h"
#include "firebase/config/ignore.h"
#include "firebase/files/files.h"

/* "directory:sha256:…" into a tree. */
int source_load(struct engine *engine, const char *ref, struct tree *tree, struct error *error) MUST_CHECK;
/* A directory (absolute) into a tree, without what `ignore` leaves out; *ref is the tree's name, the caller frees it.
 * Neither the tree nor its contents go into the store.
 * `allowed`: files that may look like credentials. */
int source_scan(struct engine *engine, const char *directory, struct site_ignore *ignore,
                const struct text_list *allowed, struct tree *tree, char **ref, struct error *error) MUST_CHECK;
/* The files of a tree that `ignore` does not leave out; symbolic links are followed within the tree, others are
 * ERROR_DATA by name. The tree is used up: the paths are taken out of it, to be released all the same. */
int source_files(struct tree *tree, struct site_ignore *ignore, struct site_files *files,
                 struct error *error) MUST_CHECK;

#endif
