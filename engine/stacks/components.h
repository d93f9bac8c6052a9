/* Directories that hold several applications: which ones, and how each is built. */
#ifndef STACKS_COMPONENTS_H
#define STACKS_COMPONENTS_H

#include "engine/stacks/stack.h"

/* The stack that a directory is by its files alone, STACK_UNKNOWN when it is none. */
enum stack_kind stack_kind_of(const char *directory);
/* The same when a Dockerfile says nothing. */
enum stack_kind stack_kind_beside(const char *directory);

/* Fills *error for a directory that is no application: what lies in it that is one, at most two directories deep, and
 * what to type for it. Always returns -1. */
int components_refuse(const char *directory, struct error *error);

/* The workspace of npm, pnpm, yarn or bun that a directory is a member of: a directory above it whose package.json or
 * pnpm-workspace.yaml names it, and which has the lock file for it. *root (absolute) and *member ("apps/web") are
 * allocated; without a workspace *root is the directory itself and *member "". */
int workspace_locate(const char *directory, char **root, char **member, struct error *error) MUST_CHECK;

#endif
