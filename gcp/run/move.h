/* Moving the traffic of a service between the revisions that it has. */
#ifndef GCP_RUN_MOVE_H
#define GCP_RUN_MOVE_H

#include "gcp/run/change.h"

enum run_move_kind {
    RUN_MOVE_PROMOTE,  /* all to `name`: a tag, a revision, or "latest" */
    RUN_MOVE_ROLLBACK, /* all back to `name`, a revision; NULL: the one that served before, see run_previous; without
                        * that the next older one that is ready */
    RUN_MOVE_SHARES,   /* as `targets` say: "NAME=PERCENT", see run_traffic_parse */
    RUN_MOVE_TAGS,     /* nothing moves: `tags` are given and taken away */
    RUN_MOVE_SHARE,    /* `percent` to the revision `name`, the rest to the others in proportion */
};

struct run_move {
    enum run_move_kind kind;
    const char *service; /* a valid name */
    const char *name;
    const struct text_list *targets;
    const struct text_list *tags, *removed_tags; /* "TAG=NAME", a name as for PROMOTE; "TAG" */
    unsigned percent;
    const char *drop_tag; /* a tag that is no longer needed, or NULL */
    run_permit *permit;   /* see change.h; may be NULL */
    void *permit_context;
};

struct run_moved {
    bool unchanged;       /* the traffic was so already: nothing was sent */
    struct json *service; /* as it is now */
    char *revision;       /* that all the traffic goes to, or NULL when it is divided */
};
void run_moved_release(struct run_moved *moved);
#define AUTO_MOVED AUTO(run_moved_release)

/* After 0 the traffic is as asked for, by what the API says. ERROR_CONFIGURATION when there is no such service, tag or
 * revision; ERROR_ANSWER_NO when the change was taken and the traffic is not so. */
int run_move(struct cloud *cloud, const struct run_move *move, struct run_moved *moved, struct error *error) MUST_CHECK;

#endif
