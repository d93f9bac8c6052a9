/* Which files of a directory are meant: --include, --exclude, --gitignore. On the disk and in a directory record. */
#ifndef CHAIN_SELECTION_H
#define CHAIN_SELECTION_H

#include "chain/gitignore.h"
#include "engine/ignore.h"
#include "engine/tree.h"

/* Patterns are those of .dockerignore (engine/ignore.h). Left out is what --exclude or a .gitignore names, and, where
 * there is an --include, what none of these names. */
struct selection_options {
    const struct text_list *include, *exclude; /* may be NULL */
    bool gitignore;
    const struct text_list *allowed_files; /* --allow-file; may be NULL */
};

/* A directory of the disk (absolute path). .git is never taken. Files that hold credentials are ERROR_DATA unless they
 * are allowed. */
int selection_scan(struct engine *engine, const char *directory, const struct selection_options *options,
                   struct tree *tree, struct error *error) MUST_CHECK;
/* Of a tree what is meant, with the directories above it. */
int selection_filter(struct engine *engine, const struct tree *all, const struct selection_options *options,
                     struct tree *tree, struct error *error) MUST_CHECK;
/* One file of the disk as a tree that holds it under its own name. Links are followed. */
int selection_file(struct engine *engine, const char *path, const struct selection_options *options, struct tree *tree,
                   struct error *error) MUST_CHECK;

#endif
