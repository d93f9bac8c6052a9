/* One change of a service or a job, as every change is made: read, plan, write with the etag that was read, wait. When
 * somebody else changed it in between, it is read and planned again, so nothing of theirs is lost. */
#ifndef GCP_RUN_CHANGE_H
#define GCP_RUN_CHANGE_H

#include "gcp/run/resource.h"

/* Whether it may become this: asked with each plan, before anything is sent that changes something. `current` as it was
 * read, or NULL; `after` in the form of kind->writable. Its failure ends the change. */
typedef int run_permit(void *context, const struct json *current, const struct json *after, struct error *error);

struct run_change {
    const struct run_kind *kind;
    /* Changes `after`, which is the writable part of `current` (NULL: there is none) in the form of kind->writable.
     * *force: a new revision is wanted although nothing differs. Called again after a conflict;
     * its failure ends the change. */
    int (*plan)(void *context, const struct json *current, struct json *after, bool *force, struct error *error);
    void *context;
    run_permit *permit; /* may be NULL */
    void *permit_context;
    unsigned seconds; /* for the operation; 0: 900 */
};

struct run_changed {
    struct json *current; /* as it was read last, before the change; NULL: there was none */
    struct json *before, *after;
    char *mask;          /* the fields that differ; "" when none does */
    struct json *status; /* the operation's error, or NULL: then the change is made */
    bool sent;           /* there was something to change, and it was taken */
};
void run_changed_release(struct run_changed *changed);
#define AUTO_CHANGED AUTO(run_changed_release)

/* 0 also when the operation failed: then changed->status says why. ERROR_TEMPORARY after some conflicts. */
int run_change_apply(struct cloud *cloud, const char *path, const struct run_change *change,
                     struct run_changed *changed, struct error *error) MUST_CHECK;
/* Plans, and asks the server to validate what would be sent (validateOnly); changes nothing. */
int run_change_validate(struct cloud *cloud, const char *path, const struct run_change *change,
                        struct run_changed *changed, struct error *error) MUST_CHECK;

#endif
