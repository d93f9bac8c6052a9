/* Base images. Design section 8. */
#ifndef ENGINE_BASE_H
#define ENGINE_BASE_H

#include "engine/container.h"

/* python:3.12-slim and any registry reference (lazy: manifest and config only), oci:DIR[:TAG], docker-archive:FILE,
 * rootfs:FILE.tar[.gz], apt:SUITE?pkg,pkg (mmdebstrap), apt:SUITE?pkg,pkg&node=22.23.3 (with Node and npm from npm's
 * registry), scratch. What a reference resolved to is remembered in names/bases and asked again after a day (a digest
 * never), or at once with engine->ask_bases; engine->lock decides before that. ERROR_UNAVAILABLE when no registry can
 * be reached, so that a caller can fall back and say so. A base of another architecture that cannot run here is
 * ERROR_DATA. */
int base_resolve(struct engine *engine, const char *reference, const char *platform, struct container *container,
                 struct error *error) MUST_CHECK;

#endif
