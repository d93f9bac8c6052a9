/* Looking after the store. */
#ifndef STORE_MAINTENANCE_H
#define STORE_MAINTENANCE_H

#include "common/store/store.h"

struct store_findings {
    uint64_t objects, object_bytes; /* looked at */
    uint64_t damaged_objects;       /* moved to quarantine/ */
    uint64_t names, damaged_names;  /* removed */
    uint64_t trees, broken_trees;   /* without their mark: removed */
    struct text_list complaints;    /* one line for each damage; released by the caller */
};

/* Hashes every object, parses every name, looks for the mark of every tree. What is damaged is put away, so that the
 * next build makes it again. Safe beside running builds. */
int store_verify(struct store *store, struct progress *progress, struct store_findings *findings,
                 struct error *error) MUST_CHECK;

/* What the folders of the store hold. */
struct store_usage {
    uint64_t objects, object_bytes, names, trees, mounts;
};
int store_usage(struct store *store, struct store_usage *usage, struct error *error) MUST_CHECK;

#endif
