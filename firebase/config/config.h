/* The hosting part of firebase.json, for one site.
 *
 * "hosting" is an object, or an array of objects for several sites, each with "site" or "target". What is in it becomes
 * a ServingConfig as firebase-tools makes it: source and glob give glob, destination gives path or location, type gives
 * statusCode, a list of headers a map, trailingSlash ADD or REMOVE. Everything is checked here, with the line in every
 * message: unknown keys, wrong types, regular expressions that are not RE2's, header values with a line break.
 * Reference: https://firebase.google.com/docs/hosting/full-config and firebase-tools' schema. */
#ifndef FIREBASE_CONFIG_CONFIG_H
#define FIREBASE_CONFIG_CONFIG_H

#include "common/base/text.h"
#include "firebase/config/file.h"
#include "firebase/config/ignore.h"

/* A rewrite that leads to a Cloud Run service, or to a function that may be one. */
struct config_service {
    size_t rewrite; /* which of the ServingConfig's rewrites */
    unsigned line;
    char *pattern;
    char *name;   /* of the service or the function */
    char *region; /* NULL: us-central1 */
    bool is_function;
    bool pin_tag; /* to the revision that serves now */
};

struct site_config {
    char *site;   /* as written, or NULL */
    char *target; /* as written, or NULL */
    char *public; /* as written, or NULL */
    struct site_ignore *ignore;
    struct text_list ignore_lines; /* "firebase.json:7: the pattern …" of each */
    struct text_list predeploy, postdeploy;
    struct json *serving; /* a ServingConfig */
    struct config_service *services;
    size_t service_count;
    struct text_list destinations; /* "firebase.json:12\n/index.html" of each static rewrite */
};

/* What tells which site is meant, the first that is there: what the user asked for, or a directory (absolute) that is
 * what a site calls public, or that holds the public directory of one site alone. All may be NULL. */
struct config_wish {
    const char *site, *target;
    const char *public; /* what is deployed */
    const char *source; /* what it was built from */
};
/* Which of the file's sites: *index is the element of an array, or SIZE_MAX for an object. ERROR_DATA for what is no
 * hosting part, ERROR_CONFIGURATION when none or several fit. */
int config_choose(const struct firebase_file *file, const struct json *rc, const struct config_wish *wish,
                  size_t *index, struct error *error) MUST_CHECK;
/* How many sites the file has, and for `entry` below that *index as config_choose gives it. */
int config_count(const struct firebase_file *file, size_t *count, struct error *error) MUST_CHECK;
int config_entry(const struct firebase_file *file, size_t entry, size_t *index, struct error *error) MUST_CHECK;
/* Reads one, as config_choose named it. */
int config_read(const struct firebase_file *file, size_t index, struct site_config *config,
                struct error *error) MUST_CHECK;
void site_config_release(struct site_config *config);
#define AUTO_SITE_CONFIG AUTO(site_config_release)

#endif
