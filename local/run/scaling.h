/* The instances of a revision: a place in one of them for each request, a queue where none is free, and how many there
 * are.
 *
 * An instance takes `maxInstanceRequestConcurrency` requests at a time. When all are full another one is started, up to
 * the revision's and the service's share of maximum instances; what comes then waits in the order of its arrival, and
 * is refused after the queue's time. One that had no request for the idle time is stopped, down to the minimum; all of
 * a revision that no traffic and no tag leads to are. In manual mode the number is what the service says, divided among
 * its revisions by their traffic; with 0 the service is disabled. */
#ifndef LOCAL_RUN_SCALING_H
#define LOCAL_RUN_SCALING_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instance;
struct revision;
struct run;
struct service;
struct member;
struct waiter;

enum { INSTANCES_HERE = 32 /* of one revision: a laptop is no data centre */ };

/* In a struct revision; guarded by run->lock. */
struct instances {
    struct member **members; /* oldest first: they get requests first */
    size_t count;
    unsigned starting;           /* beside them, starts under way */
    struct waiter *first, *last; /* requests that wait for a place */
    int64_t start_time;          /* milliseconds that the last start took */
    int64_t not_before;          /* after a failed start, of the monotonic clock */
    unsigned failures;           /* one after another */
};

struct slot {
    struct service *service;
    struct revision *revision;
    struct member *member;
};

enum slot_answer {
    SLOT_TAKEN,
    SLOT_NO_REVISION, /* nothing has traffic, or no such tag */
    SLOT_DISABLED,    /* manual scaling to 0 */
    SLOT_FULL,        /* waited in the queue for its time */
    SLOT_FAILED,      /* no instance could be started */
};

/* Chooses a revision by the traffic (or by tag) and waits for a place in one of its instances; `affinity` (or NULL)
 * names the instance to prefer. What was taken is to be given back. */
enum slot_answer slot_take(struct run *run, struct service *service, const char *tag, const char *affinity,
                           struct slot *slot);
void slot_give(struct run *run, struct slot *slot);
/* A connection to its instance's port, or -1. */
int slot_connect(struct run *run, const struct slot *slot);
/* The instance's id, for its affinity. The caller frees. */
char *slot_affinity(struct run *run, const struct slot *slot);

/* ---- with the lock held ---- */

/* Takes one that has just been started. */
void scaling_add(struct run *run, struct revision *revision, struct instance *instance);
/* Starts what is missing of the minimum that the revision's template asks for, and waits for it. */
void scaling_reach_minimum(struct run *run, struct service *service, struct revision *revision);
/* Stops all instances of a service and sends its waiting requests away. */
void scaling_end(struct run *run, struct service *service);
/* Something that decides about the number of instances has changed. */
void scaling_look(struct run *run);

/* ---- without ---- */

/* The thread that looks after all instances: those that ended, that are idle or missing. */
int scaling_open(struct run *run, struct error *error) MUST_CHECK;
/* Ends it, after run->stopping was set, and sends every waiting request away. */
void scaling_close(struct run *run);
/* Stops what still runs, when nothing else runs any more. */
void scaling_stop_all(struct run *run);

#endif
