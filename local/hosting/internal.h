/* What the files of local/hosting share.
 *
 * One lock (hosting->lock) guards every resource on disk and the versions that are kept in memory for serving. It is
 * held for the time of one API request, never while a body arrives or a site is served. */
#ifndef LOCAL_HOSTING_INTERNAL_H
#define LOCAL_HOSTING_INTERNAL_H

#include "common/crypto/digest.h"
#include "local/cloud.h"
#include "local/hosting/hosting.h"
#include "local/timestamp.h"

#include <pthread.h>

struct served;
struct contents;

enum { SERVED_LIMIT = 16 /* versions kept in memory */, OPERATIONS_LIMIT = 64, ID_LIMIT = 64 };

struct hosting {
    const struct local_cloud *cloud;
    char *root;
    pthread_mutex_t lock;
    struct contents *contents;
    struct json *operations; /* done ones, newest last: they are over when they are answered */
    int64_t last_release;    /* the id of the newest release: no two are alike */
    struct served *served[SERVED_LIMIT];
    uint64_t clock; /* counts uses of them */
};

/* ---- one request of the API ---- */

struct call {
    struct local_cloud *cloud;
    struct hosting *hosting;
    struct request *request;
    struct reply *reply;
    struct json *body;    /* an object; empty when there was none */
    const char *names[3]; /* what stood at the '*' of the route: site, version or channel, release */
    const char *prefix;   /* of names in answers: "projects/NUMBER/" when the request named a project, else "" */
    const char *user;     /* who asks */
    struct timestamp now;
};

void site_list(struct call *call);
void site_get(struct call *call);
void site_create(struct call *call);
void site_patch(struct call *call);
void site_delete(struct call *call);
void site_config_get(struct call *call);
void site_config_patch(struct call *call);
void version_list(struct call *call);
void version_get(struct call *call);
void version_create(struct call *call);
void version_patch(struct call *call);
void version_delete(struct call *call);
void version_clone(struct call *call);
void version_populate(struct call *call);
void version_files(struct call *call);
void channel_list(struct call *call);
void channel_get(struct call *call);
void channel_create(struct call *call);
void channel_patch(struct call *call);
void channel_delete(struct call *call);
/* names[1] is the channel; the routes below a site itself mean "live". */
void release_list(struct call *call);
void release_get(struct call *call);
void release_create(struct call *call);
void domain_list(struct call *call);
void operation_get(struct call *call);

/* Answers. `error`: ERROR_DATA is 400 INVALID_ARGUMENT, ERROR_ANSWER_NO 400 FAILED_PRECONDITION, all else 500. */
void call_fail(struct call *call, const struct error *error);
void call_not_found(struct call *call);
void call_precondition(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* A page of `items` (taken) as {NAME: […], "nextPageToken": …} by pageSize and pageToken. */
void call_page(struct call *call, const char *name, struct json *items, size_t usual, size_t most);
/* The fields of the update mask ("a,b", in either case style); without one those of the body. 400 when one of them is
 * none of `known` (NULL-terminated; "labels" stands for "labels.x" too). */
bool call_mask(struct call *call, const char *const *known, struct text_list *fields);

/* ---- state.c: resources on disk, with the lock held ---- */

bool site_id_is_valid(const char *id);
bool channel_id_is_valid(const char *id);
bool version_id_is_valid(const char *id);
/* NULL when there is none. The caller releases. */
struct json *site_read(const struct hosting *hosting, const char *site);
struct json *version_read(const struct hosting *hosting, const char *site, const char *version);
struct json *channel_read(const struct hosting *hosting, const char *site, const char *channel);
int site_write(const struct hosting *hosting, const char *site, const struct json *document,
               struct error *error) MUST_CHECK;
int version_write(const struct hosting *hosting, const char *site, const char *version, const struct json *document,
                  struct error *error) MUST_CHECK;
int channel_write(const struct hosting *hosting, const char *site, const char *channel, const struct json *document,
                  struct error *error) MUST_CHECK;
/* Ids, sorted. `what` is "channels" or "versions". */
void site_ids(const struct hosting *hosting, struct text_list *ids);
void resource_ids(const struct hosting *hosting, const char *site, const char *what, struct text_list *ids);
void channel_remove(const struct hosting *hosting, const char *site, const char *channel);
int site_make(struct hosting *hosting, const char *site, const char *type, struct error *error) MUST_CHECK;
/* "hosting/SITE/WHAT/ID.EXTENSION"; the caller frees. */
char *resource_path(const struct hosting *hosting, const char *site, const char *what, const char *id,
                    const char *extension);

/* ---- what is shown ---- */

/* {"email": …} */
struct json *acting_user(const char *email);
struct json *site_show(const struct hosting *hosting, const char *site, const struct json *document);
/* The host label of a channel: "SITE", "SITE--CHANNEL-SUFFIX". The caller frees. */
char *channel_label(const char *site, const char *channel, const struct json *document);
struct json *channel_show(const struct call *call, const char *channel, const struct json *document);
/* A release of a channel's file, with the version in full. */
struct json *release_show(const struct call *call, const char *channel, const struct json *release);
struct json *version_show(const struct call *call, const char *version, const struct json *document);
/* The newest release, or NULL. Borrowed. */
const struct json *channel_current(const struct json *document);
/* Whether a channel now shows this version. */
bool version_is_live(const struct hosting *hosting, const char *site, const char *version);
/* "[projects/P/]sites/S/versions/V": false when it is no such name. The caller frees both. */
bool version_name_parse(const char *name, char **site, char **version);
/* The channel of a host label; false when none is there. The caller frees both. */
bool channel_of_label(const struct hosting *hosting, const char *label, char **site, char **channel);

/* ---- contents.c: what was uploaded, in any site; needs no lock ---- */

struct content {
    uint64_t size;  /* gzipped */
    uint64_t plain; /* unpacked */
};
struct contents *contents_open(struct store *store, const char *root, struct error *error) MUST_CHECK;
void contents_close(struct contents **contents);
/* Whether these bytes were uploaded once and are there. `content` may be NULL. */
bool content_find(const struct hosting *hosting, const struct digest *digest, struct content *content);
int content_add(struct contents *contents, const struct digest *digest, const struct content *content,
                struct error *error) MUST_CHECK;
/* What was added survives power loss. */
int contents_sync(struct contents *contents, struct error *error) MUST_CHECK;

/* ---- upload.c ---- */

void content_upload_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* ---- files.c: which version has which; with the lock held ---- */

struct hosted_file {
    char *path;
    struct digest digest;
};
/* Sorted by path. */
struct file_table {
    struct hosted_file *files;
    size_t count;
};
int file_table_load(const struct hosting *hosting, const char *site, const char *version, struct file_table *table,
                    struct error *error) MUST_CHECK;
int file_table_save(const struct hosting *hosting, const char *site, const char *version,
                    const struct file_table *table, struct error *error) MUST_CHECK;
const struct hosted_file *file_table_find(const struct file_table *table, const char *path);
void file_table_release(struct file_table *table);
#define AUTO_FILE_TABLE AUTO(file_table_release)

/* Whether all of its files are there: *count and *bytes. ERROR_ANSWER_NO names one that is not. */
int version_count_files(const struct hosting *hosting, const char *site, const char *version, uint64_t *count,
                        uint64_t *bytes, struct error *error) MUST_CHECK;

/* ---- versions.c ---- */

/* Makes the version FINALIZED in memory: its files are all there, the services of its rewrites exist. */
int version_finalize(struct call *call, const char *site, const char *version, struct json *document,
                     struct error *error) MUST_CHECK;

#endif
