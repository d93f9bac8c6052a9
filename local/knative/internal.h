/* What the files of local/knative share: a request and its answers. */
#ifndef LOCAL_KNATIVE_INTERNAL_H
#define LOCAL_KNATIVE_INTERNAL_H

#include "local/knative/job.h"
#include "local/knative/service.h"
#include "local/run/jobs.h"

/* A request. */
struct knative_call {
    struct run *run;
    struct run_path *path; /* region "-": any */
    struct request *request;
    struct reply *reply;
};

/* Handlers take the lock themselves. */
typedef void knative_handler(struct knative_call *call);
knative_handler knative_services;
knative_handler knative_revisions;
knative_handler knative_routes;
knative_handler knative_configurations;
knative_handler knative_operations;
knative_handler knative_locations;
knative_handler knative_jobs;
knative_handler knative_executions;
knative_handler knative_tasks;

/* ---- list.c ---- */

/* {"apiVersion":…,"kind":"ServiceList","items":[…]} of those of `all` (taken) that the query parameter labelSelector
 * chooses, `limit` of them from where `continue` says. */
void reply_list(struct knative_call *call, const char *kind, struct json *all);
/* {"status":"Success"}: of a deletion. */
void reply_success(struct reply *reply);
/* An error "FIELD: why" as Google tells it. */
void reply_refusal(struct reply *reply, struct error *error);
/* 404 in Google's words; `kind` is "SERVICE". */
void reply_nothing(struct knative_call *call, const char *kind);

/* ---- jobs.c; with the lock held ---- */

/* Whether it is in the region of the path, and still there. */
bool job_is_here(const struct knative_call *call, const struct job *job);
struct place job_place(const struct knative_call *call, const struct job *job);

/* ---- services.c; with the lock held ---- */

/* The one that the path names, in its region or, without one, in any. NULL when there is none. */
struct service *find_service(const struct knative_call *call, const char *name);
struct place service_place(const struct knative_call *call, const struct service *service);
/* Whether it is in the region of the path, and still there. */
bool service_is_here(const struct knative_call *call, const struct service *service);

#endif
