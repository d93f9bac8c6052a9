/* What the files of local/run share.
 *
 * One lock (run->lock) guards services, revisions, operations and which instance belongs to a revision; run->changed is
 * signalled when any of them changes. Nothing that takes long is done under it. A deleted service stays in memory until
 * the end, because requests may still use it. */
#ifndef LOCAL_RUN_INTERNAL_H
#define LOCAL_RUN_INTERNAL_H

#include "engine/engine.h"
#include "engine/sandbox/sandbox.h"
#include "local/cloud.h"
#include "local/network/network.h"
#include "local/registry/registry.h"
#include "local/run/log.h"
#include "local/run/run.h"
#include "local/run/scaling.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CONTAINERS_MOST = 10 /* of an instance */ };

struct ingress;
struct instance;

struct revision {
    char *name;
    struct json *document; /* the Revision as Google shows it */
    struct instances instances;
    bool starting; /* its rollout is under way */
    bool deleted;  /* stays in memory, because requests may still use it */
};

struct service {
    char *project, *region, *name;
    struct json *document; /* the Service as Google shows it */
    struct json *policy;
    struct json *operations; /* array, newest last */
    unsigned port;
    int64_t revisions_made;
    struct revision **revisions; /* oldest first */
    size_t revision_count;
    unsigned rollouts; /* under way */
    bool deleted;
    struct ingress *ingress;
};

struct launch_job;
struct job;

struct run {
    const struct local_cloud *cloud;
    char *root;
    struct engine engine;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct service **services;
    size_t service_count;
    struct job **jobs;
    size_t job_count;
    unsigned workers; /* threads that must end before run_close goes on */
    pthread_t scaler; /* looks after the instances (scaling.c) whenever `scale` is signalled, and now and then */
    bool is_scaling;
    pthread_cond_t scale;
    struct instance **doomed; /* the scaler stops them */
    size_t doomed_count;
    atomic_bool stopping;
    bool closed;        /* the last container has ended: so may the launcher */
    pthread_t launcher; /* starts every container: the kernel ends a container with the thread that started it */
    struct launch_job *job;
    char *cannot_run; /* why no container can be started on this machine, or NULL */
};

/* ---- run.c ---- */

/* A detached thread that run_close waits for. False when none can be made. */
bool run_work(struct run *run, void *(*work)(void *), void *context);
/* The same with the lock held. */
bool run_work_locked(struct run *run, void *(*work)(void *), void *context);
/* The same for what comes from outside: some threads are kept free for the cloud's own work. */
bool run_work_for_client(struct run *run, void *(*work)(void *), void *context);
void run_work_done(struct run *run);
/* sandbox_start in the launcher thread. */
struct sandbox_process *run_launch(struct run *run, const struct sandbox *sandbox, int output_fd,
                                   struct error *error) MUST_CHECK;
/* With the lock held. NULL when there is none. */
struct service *run_find(const struct run *run, const char *project, const char *region, const char *name);
struct revision *service_find_revision(const struct service *service, const char *name);
void run_add(struct run *run, struct service *service);

/* ---- state.c; with the lock held ---- */

int state_load(struct run *run, struct error *error) MUST_CHECK;
/* A service that cannot be saved is told in the server's log; the change stands in memory. */
void state_save(const struct run *run, const struct service *service);
void state_remove(const struct run *run, const struct service *service);
void service_free(struct service *service);

/* Every ROOT/PROJECT/REGION INNER/NAME.json; -1 ends it. */
struct state_file {
    const char *path, *project, *region, *name;
};
typedef int state_visit(void *context, const struct state_file *file, struct error *error);
int state_each(const char *root, const char *inner, state_visit *visit, void *context, struct error *error) MUST_CHECK;

/* ---- failure.c: why a revision did not become ready ---- */

struct failure {
    char reason[32]; /* of the ErrorInfo that gcp/run/failure.h describes */
    struct json *metadata;
    char text[1024];
    bool is_logged; /* the text is in the service's log already */
};
void failure_set(struct failure *failure, const char *reason, const char *format, ...) PRINTF_LIKE(3, 4);
void failure_detail(struct failure *failure, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
void failure_release(struct failure *failure);
/* The google.rpc.Status of the operation. */
struct json *failure_status(const struct failure *failure, const char *revision);
/* Google's words for a container that does not listen. */
void failure_set_not_listening(struct failure *failure, const char *reason, unsigned port);

/* ---- regions.c ---- */

/* Whether there is such a region, or all are meant ("-"); else it is answered in Google's words. */
bool region_admits(const char *name, struct reply *reply);

/* ---- condition.c ---- */

/* state: "SUCCEEDED", "FAILED", "RECONCILING"; reason_key: "reason" or "revisionReason", or NULL. */
struct json *condition_new(const char *type, const char *state, const char *reason_key, const char *reason,
                           const char *message);
/* Replaces (or appends) the one of the same type in document.conditions. Takes it. */
void condition_put(struct json *document, struct json *condition);

/* ---- instance.c: the running containers of an instance (container.h) ---- */

/* What to run: copies, so that no lock is needed. */
struct launch {
    char *project, *region, *service, *revision;
    struct json *document; /* of the revision; what has its containers and volumes */
    struct text_list task; /* of a job's task: its variables NAME=VALUE in place of $PORT and K_… */
};
struct launch *launch_new(const struct service *service, const struct revision *revision);
void launch_release(struct launch **launch);
#define AUTO_LAUNCH AUTO(launch_release)

/* Starts its containers, each when those that it depends on are ready. NULL with *failure. */
struct instance *instance_begin(struct run *run, const struct launch *launch, struct failure *failure);
/* The same, and waits until all are ready. */
struct instance *instance_start(struct run *run, const struct launch *launch, struct failure *failure);
/* SIGTERM, ten seconds, SIGKILL; frees. */
void instance_stop(struct instance **instance, unsigned grace);
/* "512Mi", "1G", "1.5Gi"; `fallback` for what is none. */
uint64_t memory_bytes(const char *text, uint64_t fallback);
/* One of its containers has ended, or a liveness probe has given it up. */
bool instance_ended(struct instance *instance, int *status, bool *out_of_memory);
/* False while a readiness probe fails. */
bool instance_takes_requests(const struct instance *instance);
/* Borrowed. */
const char *instance_id(const struct instance *instance);
/* A line of the cloud's own in the log of the service. */
void service_log(const struct run *run, const struct service *service, const char *revision, const char *text);
/* Where it can be reached, also by somebody who does not hold the lock. */
struct door {
    int network; /* its network namespace */
    unsigned port;
    bool shared; /* it has the host's network */
};
struct door instance_door(const struct instance *instance);
/* A connection to a port of it (0: the one that requests come to), or -1 with errno. Closes the door. */
int door_connect(struct door *door, unsigned port);

/* ---- rollout.c ---- */

/* With the lock held: makes the revision and starts its rollout. `operation` is finished by it. */
void rollout_begin(struct run *run, struct service *service, const char *operation);
/* With the lock held: what the traffic of the document means now, into trafficStatuses. */
void traffic_settle(struct service *service);
/* With the lock held: which revision (borrowed) a request goes to; tag NULL: by percent. */
struct revision *traffic_choose(const struct service *service, const char *tag);
/* With the lock held: the percentage that a revision has of the traffic, and whether a tag leads to it. */
unsigned traffic_share(const struct service *service, const struct revision *revision, bool *tagged);
/* With the lock held: the service's terminal condition from its revisions. */
void service_conclude(struct service *service);

/* ---- operation.c; with the lock held ---- */

/* Adds one to those of a service or job. `subject` is the Service, Job or Execution as Google shows it. The name is
 * borrowed from the operation. */
const char *operation_new(struct json *operations, const struct json *subject);
/* Done: with the subject as its response, or with a failure (a google.rpc.Status, taken). */
void operation_finish(struct run *run, const char *name, const struct json *subject, struct json *failure);
/* *operations (may be NULL): those among which it was found. */
struct json *operation_find(const struct run *run, const char *name, struct json **operations);
void operation_forget(struct json *operations, const char *name);
/* What was under way when the last process ended did not get done. */
void operations_abandon(struct json *operations);

/* ---- ingress.c ---- */

/* Listens on service->port (0, or taken by others: a free one) and sets it. */
struct ingress *ingress_open(struct run *run, struct service *service, struct error *error) MUST_CHECK;
void ingress_close(struct ingress **ingress);

/* ---- policy.c ---- */

/* Whether anybody may call; else whether the bearer of `token` (NULL: none) may. With the lock held. */
bool policy_is_public(const struct service *service);
bool policy_admits(const struct run *run, const struct service *service, const char *token);
/* With the lock held: of the service or job that a path names; NULL when there is none. */
struct run_path;
const struct json *policy_find(const struct run *run, const struct run_path *path);

/* ---- template.c: what Cloud Run refuses ---- */

/* A normalised service before it is taken; ERROR_DATA with Google's text, ERROR_NO_INPUT for what is not found. */
int service_validate(const struct service *service, const struct json *document, struct error *error) MUST_CHECK;
/* Google's defaults where nothing is said. */
void service_fill(const struct run *run, struct json *document);

/* What services and jobs have in common; ERROR_DATA naming the field by the subject. */
struct subject {
    const char *request;         /* "UpdateServiceRequest.service" */
    const char *template;        /* where the containers are: "template" */
    const char *const *reserved; /* variables that the cloud sets; ends with NULL */
    bool keeps_reserved;         /* labels and annotations of reserved.h may be there: clients of v1 set them */
    bool serves;                 /* requests come to one of its containers */
};
extern const struct subject service_subject;
int subject_refuse(const struct subject *subject, const char *field, struct error *error, const char *why);
/* values: they are held to the rules of labels. */
int subject_check_labels(const struct subject *subject, const struct json *labels, const char *field, bool values,
                         struct error *error) MUST_CHECK;
/* Containers, volumes, mounts. */
int subject_check_template(const struct subject *subject, const struct json *template, struct error *error) MUST_CHECK;
/* What all containers may use together, in thousandths of a CPU. */
int64_t template_processors(const struct json *template);
/* "90s", "1.5s" */
bool seconds_between(const char *text, long least, long most);
void fill_text(struct json *object, const char *key, const char *value);

/* ---- api: services.c, revisions.c; the lock is taken inside ---- */

struct run_path {
    char *project, *region, *collection, *name, *child, *child_name, *grandchild, *grandchild_name, *verb;
};
void services_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply);
void policy_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply);
void operations_handle(struct run *run, const struct run_path *path, struct request *request, struct reply *reply);
/* What a request changes. */
struct service_write {
    const struct run_path *path;
    const char *name;
    const struct request *request; /* who asks */
    bool force;                    /* a new revision, even of the same template */
    bool validate_only;
    struct json **validated; /* what it would be (owned), with validate_only */
};
/* With the lock held: checks `after` (taken: the whole service as v2 has it), and makes it the service of this name, a
 * new one when there is none; then the newest of its operations is the one of this change. ERROR_DATA,
 * ERROR_PERMISSION, ERROR_TEMPORARY, ERROR_NO_INPUT in Google's words. */
int service_put(struct run *run, const struct service_write *write, struct json *after, struct service **service,
                struct error *error) MUST_CHECK;
/* With the lock held, which is given back for a moment. */
void service_delete(struct run *run, struct service *service);
/* With the lock held: what v2 has below a service. */
void revisions_handle(struct run *run, struct service *service, const struct run_path *path,
                      const struct request *request, struct reply *reply);
/* With the lock held. ERROR_DATA when it is the latest one, or traffic or a tag leads to it. */
int service_delete_revision(struct run *run, struct service *service, struct revision *revision,
                            struct error *error) MUST_CHECK;
/* Whether a policy of the project or of the service that the path names permits it. Takes the lock. */
bool run_may(const struct local_cloud *cloud, const struct run_path *path, const struct request *request,
             const char *permission);

/* 404 in Google's words. */
void reply_missing(struct reply *reply, const struct run_path *path, const char *kind, const char *name);
void reply_no_service(struct reply *reply, const struct run_path *path);

#endif
