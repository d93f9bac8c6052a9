/* Private to local/run: what requests about services and about jobs have in common. */
#ifndef LOCAL_RUN_RESOURCE_H
#define LOCAL_RUN_RESOURCE_H

#include "local/run/internal.h"

/* The google.rpc.Status that an error is: 400 for ERROR_DATA, 404 for ERROR_NO_INPUT, 403 for ERROR_PERMISSION, 429 for
 * ERROR_TEMPORARY. */
void resource_refuse(struct reply *reply, const struct error *error);
/* One page of `all` (taken) as answer[key], by pageSize and pageToken. */
void resource_list_page(struct json *answer, const char *key, struct json *all, const struct request *request);
/* The next generation and etag, and who made it when. */
void resource_touch(struct json *document, const char *principal, bool is_new);
/* Answers validateOnly with an operation that is done; takes `after`. */
void resource_reply_validated(const struct run_path *path, const char *type, struct json *after, struct reply *reply);
/* An etag that the client names (NULL, empty: none) and that is not the current one. */
bool resource_etag_differs(const struct json *document, const char *etag);
void resource_reply_conflict(const char *name, struct reply *reply);
/* A letter, then letters, digits and hyphens in lower case, no hyphen at the end. */
bool resource_is_name(const char *name, size_t most);

/* Whoever deploys acts as the account that it runs as; a PATCH that makes it needs the permission to create, too. */
struct deploying {
    const char *account; /* NULL: the cloud's own */
    const char *create;  /* the permission, or NULL */
};
/* ERROR_PERMISSION. */
int resource_check_deployer(const struct run *run, const struct run_path *path, const struct deploying *deploying,
                            const struct request *request, struct error *error) MUST_CHECK;
/* False: it is answered with 403. */
bool resource_may_deploy(const struct run *run, const struct run_path *path, const struct deploying *deploying,
                         const struct request *request, struct reply *reply);

#endif
