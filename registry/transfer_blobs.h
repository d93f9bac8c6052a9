/* Moving blobs to a repository, several at once. Inside registry/ only. */
#ifndef REGISTRY_TRANSFER_BLOBS_H
#define REGISTRY_TRANSFER_BLOBS_H

#include "registry/session.h"

enum blob_result { BLOB_UNKNOWN, BLOB_MISSING, BLOB_EXISTS, BLOB_MOUNTED, BLOB_UPLOADED };

struct blob_job;

/* One blob on its way: a chain of requests, each of which begins the next when it is answered. */
struct blob_job {
    struct blob_group *group;
    const struct push_blob *blob;
    enum blob_result result;
    int fd; /* -1 until there is something to upload */
    char *location;
    uint64_t offset;
    unsigned refusals, restarts, resumes, generation;
    bool no_single_post;
    bool is_told;
    int progress_step;
    /* The request under way and what becomes of its answer; failure is NULL when there is one. */
    struct http_request request;
    char *url;
    struct text_list headers;
    void (*answered)(struct blob_job *job, struct http_response *response, const struct error *failure);
};

struct blob_group {
    struct session *session;
    const char *repository;
    const char *scope;
    bool no_mounts; /* the registry said that it mounted what it does not have */
    struct blob_job *jobs;
    size_t count;
    /* How a job begins; jobs for which `wanted` is false are left alone. */
    void (*begin)(struct blob_job *job);
    bool (*wanted)(const struct blob_job *job);
    size_t started, running;
    bool failed;
    struct error failure;
};

/* Runs `begin` for all jobs that are wanted, a few at a time. */
int blob_group_run(struct blob_group *group, struct error *error) MUST_CHECK;
void blob_group_release(struct blob_group *group);

/* Sends a request of the job; `url` is taken over. */
void blob_job_send(struct blob_job *job, const char *method, char *url,
                   void (*answered)(struct blob_job *, struct http_response *, const struct error *));
void blob_job_finish(struct blob_job *job, enum blob_result result);
void blob_job_fail(struct blob_job *job, const struct error *failure);
/* As session_refused, ending the job. */
void blob_job_refused(struct blob_job *job, const char *what, const struct http_response *response);

/* The two ways to begin a job: look whether the repository has the blob (or can mount it), and upload it. */
void blob_check(struct blob_job *job);
void blob_upload(struct blob_job *job);

#endif
