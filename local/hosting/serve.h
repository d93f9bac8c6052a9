/* How a site answers a request. The first of these that applies:
 *
 *   1. /__/…                          Hosting's own paths (reserved.c)
 *   2. redirects                      of the configuration, in its order
 *   3. files                          at the path itself, as a directory with index.html, as a clean URL; with i18n in
 *                                     ROOT/LANGUAGE_COUNTRY, ROOT/ALL_COUNTRY, ROOT/LANGUAGE_ALL, ROOT/LANGUAGE first
 *   4. the two files of app association, empty, unless the configuration says NONE
 *   5. rewrites                       to a file, to a service of Cloud Run (proxy.c)
 *   6. 404.html                       of a language or of the site, else a page of Hosting's
 *
 * Headers of the configuration are added to what 3 to 6 answer, by the path that was asked for, whatever answers it;
 * of several rules that set the same one the last counts. 404.html has its own path's too. Paths are matched as they
 * were sent, still percent-encoded (redirects: decoded); files are looked up decoded. */
#ifndef LOCAL_HOSTING_SERVE_H
#define LOCAL_HOSTING_SERVE_H

#include "local/hosting/internal.h"
#include "local/hosting/rules.h"

/* A version in memory. */
struct served {
    char *site, *version;
    struct file_table files;
    struct rules *rules;
    int64_t released; /* microseconds: Last-Modified of what it serves */
    uint64_t used;
    unsigned users; /* requests, and one for its place in hosting->served */
};

/* What a host label shows now. */
enum shown { SHOWN_VERSION, SHOWN_NO_SITE, SHOWN_NOTHING /* no release yet, or disabled */, SHOWN_BROKEN };
/* Takes the lock itself. *served must be given back; *error for SHOWN_BROKEN. */
enum shown served_find(struct hosting *hosting, const char *label, struct served **served, struct error *error);
void served_give(struct hosting *hosting, struct served **served);
void served_release_all(struct hosting *hosting);

/* One request for a site. */
struct visit {
    struct local_cloud *cloud;
    const struct served *served;
    struct request *request;
    struct reply *reply;
    char *raw;   /* the path as it was sent */
    char *path;  /* decoded, "//" made one */
    char *query; /* with its '?', or "" */
    struct text_list languages;
    char *country;            /* or "" */
    struct spool *body;       /* of a request that has one, or NULL */
    struct text_list headers; /* of the answer: name, value, name, value… */
};

/* Sets a header of the answer, once. */
void visit_header(struct visit *visit, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
/* The headers of the configuration for a path. */
void visit_add_configured(struct visit *visit, const char *path);
/* The file of that path, in the visitor's language if there is one. NULL when there is none. */
const struct hosted_file *visit_find(const struct visit *visit, const char *path);

/* ---- content.c ---- */
/* Answers with a file: 200, 206, 304, or `status` when it is not 200. `path` decides the type. */
void content_answer(struct visit *visit, const struct hosted_file *file, const char *path, unsigned status);
/* Text made here. */
void content_answer_text(struct visit *visit, unsigned status, const char *type, const char *text);

/* ---- types.c ---- */
/* The media type of a path by its extension; never NULL. */
const char *media_type(const char *path);

/* ---- i18n.c ---- */
void visit_read_languages(struct visit *visit);
/* Where a path is looked for before the path itself; nothing without i18n. */
void i18n_paths(const struct visit *visit, const char *path, struct text_list *paths);

/* ---- proxy.c ---- */
struct spool;
/* A body in a file without a name, of at most 32 MiB. */
struct spool *spool_new(const struct hosting *hosting, struct error *error) MUST_CHECK;
int spool_write(void *spool, const void *data, size_t length, struct error *error);
void spool_release(void *spool);
/* Asks the service and answers with what it says, whole. False: it said 404 with "X-Cascade: PASS", and the next step
 * is taken. */
bool proxy_answer(struct visit *visit, const struct rewrite *rewrite);

/* ---- reserved.c ---- */
/* A path below "/__/": always answers. */
void reserved_answer(struct visit *visit);

#endif
