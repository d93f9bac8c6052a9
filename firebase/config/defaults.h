/* What a site gets when firebase.json does not say.
 *
 * Without a firebase.json: a single-page application (every path that is no file gets /index.html), or, when the site
 * has a 404.html of its own, a site of pages (clean URLs). Headers: files whose name holds a hash of their content
 * never change under that name and are kept by browsers for a year; everything else is asked about at each use, so that
 * no page refers to files of an earlier deployment. */
#ifndef FIREBASE_CONFIG_DEFAULTS_H
#define FIREBASE_CONFIG_DEFAULTS_H

#include "common/json/json.h"
#include "firebase/files/files.h"

#define CACHE_FOREVER "public, max-age=31536000, immutable"
#define CACHE_NOT "no-cache"

/* A ServingConfig for the files (sorted). *pages (may be NULL): the site has pages of its own. */
struct json *defaults_config(const struct site_files *files, bool *pages);
/* The headers alone, an array of Header, for the front of `config`'s own: later rules win. Paths that `config` rewrites
 * to services keep the headers of these. */
struct json *defaults_headers(const struct site_files *files, const struct json *config);
/* Whether the file's name holds a hash of its content, as the bundlers of Angular, Vite, webpack, Astro and Next write
 * it. */
bool defaults_is_hashed(const char *path);

#endif
