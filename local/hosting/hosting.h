/* Firebase Hosting of the local cloud: the Hosting API v1beta1, the upload endpoint, and the sites themselves.
 *
 *   hosting/SITE/site.json           the Site, its SiteConfig
 *   hosting/SITE/channels/C.json     the Channel and its releases, newest first; "live" is always there
 *   hosting/SITE/versions/V.json     the Version as Google shows it
 *   hosting/SITE/versions/V.files    its files: one JSON object {path: hash, …} a line, later lines win
 *   store/                           the files' content by its hash, gzipped as it was uploaded; the name
 * "hosting/HASH" says that it was, and how long it is unpacked
 *
 * A release is one atomic write of a channel's file, so that a site is at any moment exactly one version. A version is
 * CREATED, then FINALIZED (nothing changes in it any more), DELETED, or ABANDONED when it was not finalized within 12
 * hours; only a finalized one can be released.
 *
 * Sites are served at http://SITE.localhost:PORT, channels at http://SITE--CHANNEL-SUFFIX.localhost:PORT: browsers and
 * curl resolve every name below "localhost" to this machine. What is answered and in which order: serve.h. */
#ifndef LOCAL_HOSTING_HOSTING_H
#define LOCAL_HOSTING_HOSTING_H

#include "common/base/error.h"
#include "local/server/server.h"

struct local_cloud;
struct hosting;

enum {
    SITES_LIMIT = 36,    /* of a project, as Google's */
    CHANNELS_LIMIT = 50, /* of a site, besides live */
    POPULATE_LIMIT = 20000,
    FILES_LIMIT = 500000,
    PATH_LIMIT = 2048, /* bytes of a file's path */
    ABANDONED_HOURS = 12,
};
#define HOSTED_FILE_LIMIT (UINT64_C(2) << 30) /* gzipped, and again unpacked */

/* Needs cloud->store. The project's default site is there afterwards. */
struct hosting *hosting_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void hosting_close(struct hosting **hosting);

/* The API: /v1beta1/[projects/P/]sites…, its operations, and /upload/sites/…. */
bool hosting_is_path(const char *path);
void hosting_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* The sites: whether a Host header names one (or one that could be), and a request for it. */
bool hosting_is_host(const char *host);
void hosting_serve_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* One line for each site that has a release, "site SITE URL", into `out`. Needs no running cloud: reads the state. */
void hosting_list_sites(const char *state, unsigned port, struct buffer *out);

#endif
