/* The Firebase Hosting REST API, v1beta1: sites, channels, versions, releases.
 *
 * A site serves through channels ("live" and previews); a channel shows the version of its last release; a version is
 * a list of files and a ServingConfig, made (CREATED), filled, then FINALIZED and never changed again. Resources are
 * kept as the JSON that Google sent. Reference: the discovery document of firebasehosting.v1beta1; what its client
 * firebase-tools does. Names in what is returned are borrowed from the JSON. */
#ifndef FIREBASE_HOSTING_HOSTING_H
#define FIREBASE_HOSTING_HOSTING_H

#include "gcp/cloud.h"

enum { HOSTING_MESSAGE_LIMIT = 512, HOSTING_LIST_LIMIT = 16 << 20 };

/* One site of the cloud's project. */
struct hosting {
    struct cloud *cloud;
    char *site;
};
void hosting_release(struct hosting *hosting);
#define AUTO_HOSTING AUTO(hosting_release)

/* Lower-case letters, digits and hyphens. ERROR_USAGE. */
int hosting_site_check(const char *site, struct error *error) MUST_CHECK;
/* A channel's id as Google takes it: '/', ':', '_' and '#' become '-', as firebase-tools does it. The caller frees;
 * NULL and ERROR_USAGE for what is no id. */
char *hosting_channel_id(const char *given, struct error *error) MUST_CHECK;
/* The last part of a resource name: "V" of "sites/S/versions/V". "" for NULL. */
const char *hosting_short_name(const char *resource);
/* The id of a version that Google sent, fit for a URL: ERROR_PROTOCOL else. */
int hosting_version_id(const struct json *version, const char **id, struct error *error) MUST_CHECK;
/* The caller frees: the URL of a path below the site ("/channels/live"; "" is the site). */
char *hosting_url(const struct hosting *hosting, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- sites ---- */

/* *site is NULL when there is none of this name. */
int hosting_site_get(struct hosting *hosting, struct json **site, struct error *error) MUST_CHECK;
/* Makes the site; fine, too, when the project has it by now. Ids are unique among all projects of Google's: with
 * `only_ask` it is only asked whether this one is free, and nothing is made. */
int hosting_site_create(struct hosting *hosting, bool only_ask, struct error *error) MUST_CHECK;
/* Sets ERROR_CONFIGURATION: there is no such site; names those that there are. Returns -1. */
int hosting_site_missing(struct hosting *hosting, struct error *error);
/* The site that every project has. The caller frees. */
int hosting_site_default(struct cloud *cloud, char **site, struct error *error) MUST_CHECK;

/* ---- channels ---- */

/* *channel is NULL when there is none. */
int hosting_channel_get(struct hosting *hosting, const char *id, struct json **channel, struct error *error) MUST_CHECK;
/* `ttl` in seconds. *full is set, and 0 returned with *channel NULL, when the site has as many channels as it may. */
int hosting_channel_create(struct hosting *hosting, const char *id, int64_t ttl, struct json **channel, bool *full,
                           struct error *error) MUST_CHECK;
int hosting_channel_set_ttl(struct hosting *hosting, const char *id, int64_t ttl, struct json **channel,
                            struct error *error) MUST_CHECK;
/* *missing may be NULL; with it a channel that does not exist is no error. */
int hosting_channel_delete(struct hosting *hosting, const char *id, bool *missing, struct error *error) MUST_CHECK;
/* An array of all. */
int hosting_channel_list(struct hosting *hosting, struct json **channels, struct error *error) MUST_CHECK;
/* The version that a channel shows, or NULL: never released, disabled, or `channel` is NULL. */
const struct json *hosting_channel_version(const struct json *channel);

/* ---- versions ---- */

int hosting_version_create(struct hosting *hosting, const struct json *config, const struct json *labels,
                           struct json **version, struct error *error) MUST_CHECK;
/* *version is NULL when there is none. */
int hosting_version_get(struct hosting *hosting, const char *id, struct json **version, struct error *error) MUST_CHECK;
/* Also right when it is final already. *refused is set, and 0 returned with *version NULL, when Google says that it
 * cannot be (400): then files are missing, or the configuration does not please; *error says it all the same. */
int hosting_version_finalize(struct hosting *hosting, const char *id, const struct json *config, struct json **version,
                             bool *refused, struct error *error) MUST_CHECK;
/* The newest versions, one page. */
int hosting_version_list(struct hosting *hosting, struct json **versions, struct error *error) MUST_CHECK;
/* Every file of a version, in pages. `visit` is given path (with its slash) and hash. */
typedef int hosting_file_visit(void *context, const char *path, const char *hash, struct error *error);
int hosting_version_files(struct hosting *hosting, const char *id, hosting_file_visit *visit, void *context,
                          struct error *error) MUST_CHECK;

/* ---- releases ---- */

/* Makes a channel show a version. A release cannot be repeated blindly: when its answer is lost, the channel is asked
 * whether it took place. `message` may be NULL. */
int hosting_release_create(struct hosting *hosting, const char *channel, const struct json *version,
                           const char *message, struct error *error) MUST_CHECK;
/* The newest releases of a channel, newest first, one page. */
int hosting_release_list(struct hosting *hosting, const char *channel, struct json **releases,
                         struct error *error) MUST_CHECK;

#endif
