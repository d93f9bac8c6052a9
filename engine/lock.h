/* pl.lock: what the references to base images mean, so that a build means the same tomorrow and elsewhere. Design
 * section 8.
 *
 *   {"lock": 1, "bases": {"python:3.12-slim": {"linux/amd64": "docker.io/library/python@sha256:…"}}}
 *
 * A git repository of a chain is locked to a commit: {"https://host/x.git#main": {"git": "commit:HEX"}}.
 * A reference to a registry is locked to the manifest of one platform. Every other base (oci:, docker-archive:,
 * rootfs:, apt:) is locked to the image ID that it gave, and is refused when it gives another. */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "common/base/error.h"

#include <stdbool.h>

struct lock;

struct lock *lock_new(void);
/* *lock is NULL when there is no such file. ERROR_DATA when it is malformed or of a newer kind. */
int lock_read(const char *path, struct lock **lock, struct error *error) MUST_CHECK;
/* What a reference is locked to, borrowed, or NULL. */
const char *lock_find(const struct lock *lock, const char *reference, const char *platform);
void lock_set(struct lock *lock, const char *reference, const char *platform, const char *meaning);
/* Sorted, so that two of them can be compared by line. What `old` (may be NULL) says about platforms that `lock` says
 * nothing about is kept. */
int lock_write(const struct lock *lock, const struct lock *old, const char *path, struct error *error) MUST_CHECK;
/* Sets one entry in the file, which is made when there is none; all others stay. */
int lock_update(const char *path, const char *reference, const char *platform, const char *meaning,
                struct error *error) MUST_CHECK;
void lock_release(struct lock **lock);
#define AUTO_LOCK AUTO(lock_release)

#endif
