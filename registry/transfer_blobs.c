#include "registry/transfer_blobs.h"

#include <string.h>

enum { AT_ONCE = 4, REFUSALS = 2 };

static void start_more(struct blob_group *group) {
    while (!group->failed && group->running < AT_ONCE && group->started < group->count) {
        struct blob_job *job = &group->jobs[group->started++];
        if (!group->wanted(job))
            continue;
        group->running++;
        group->begin(job);
    }
}

static void end_job(struct blob_job *job, enum progress_outcome outcome) {
    if (job->is_told)
        progress_end(job->group->session->registry->progress, job->progress_step, outcome);
    job->is_told = false;
    job->group->running--;
    start_more(job->group);
}

void blob_job_finish(struct blob_job *job, enum blob_result result) {
    job->result = result;
    end_job(job, PROGRESS_MADE);
}

void blob_job_fail(struct blob_job *job, const struct error *failure) {
    if (!job->group->failed) {
        job->group->failed = true;
        job->group->failure = *failure;
        error_wrap(&job->group->failure, "blob %.19s", digest_format(&job->blob->digest).text);
        http_cancel(job->group->session->registry->http);
    }
    end_job(job, PROGRESS_FAILED);
}

void blob_job_refused(struct blob_job *job, const char *what, const struct http_response *response) {
    struct error error = {0};
    session_refused(job->group->session, what, response, &error);
    blob_job_fail(job, &error);
}

static void start_request(struct blob_job *job);

/* A 401 is answered here, by another token; everything else by the job. */
static void done(void *context, struct http_response *response, const struct error *failure) {
    struct blob_job *job = context;
    struct session *session = job->group->session;
    AUTO_FREE char *origin = url_origin(job->url);
    bool is_refused = !failure && response->status == 401 && text_equal(origin, session->origin);
    if (!is_refused || job->refusals++ >= REFUSALS) {
        job->answered(job, response, failure);
        return;
    }
    struct error error = {0};
    bool is_stale = job->generation != session->generation; /* another job got a new token meanwhile */
    if (!is_stale && session_authorize(session, job->group->scope, response, &error) < 0)
        blob_job_fail(job, &error);
    else
        start_request(job);
}

static void start_request(struct blob_job *job) {
    struct session *session = job->group->session;
    struct error error = {0};
    session_sign(session, job->group->scope, &job->request);
    job->generation = session->generation;
    if (http_start(session->registry->http, &job->request, done, job, &error) < 0)
        blob_job_fail(job, &error);
}

void blob_job_send(struct blob_job *job, const char *method, char *url,
                   void (*answered)(struct blob_job *, struct http_response *, const struct error *)) {
    free(job->url);
    job->url = url;
    job->answered = answered;
    job->request.method = method;
    job->request.url = url;
    AUTO_FREE char *origin = url_origin(url);
    job->request.named_by = text_equal(origin, job->group->session->origin) ? NULL : job->group->session->url;
    job->request.headers = &job->headers;
    job->request.response_limit = 65536;
    start_request(job);
}

int blob_group_run(struct blob_group *group, struct error *error) {
    group->started = group->running = 0;
    start_more(group);
    if (http_run(group->session->registry->http, error) < 0)
        return -1;
    if (group->failed && error)
        *error = group->failure;
    return group->failed ? -1 : 0;
}

void blob_group_release(struct blob_group *group) {
    for (size_t i = 0; i < group->count; i++) {
        cleanup_close(&group->jobs[i].fd);
        free(group->jobs[i].location);
        free(group->jobs[i].url);
        text_list_release(&group->jobs[i].headers);
    }
    free(take_pointer(&group->jobs));
    group->count = 0;
}

/* ---- is it there? ---- */

static void mount_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    if (!failure && response->status == 201) {
        blob_job_finish(job, BLOB_MOUNTED);
        return;
    }
    /* 202: the registry did not mount it and began an upload instead. Any refusal just means that we upload. */
    const char *location = http_header(response, "location");
    if (!failure && response->status == 202 && location)
        job->location = url_resolve(job->url, location);
    blob_job_finish(job, BLOB_MISSING);
}

/* The repository of an origin on the same host, or NULL. The caller frees. */
static char *mountable_repository(const struct blob_job *job) {
    AUTO_REFERENCE struct reference origin = {0};
    if (job->group->no_mounts || !job->blob->origin || reference_parse(job->blob->origin, &origin, NULL) < 0 ||
        !text_equal(origin.host, job->group->session->host) || text_equal(origin.repository, job->group->repository))
        return NULL;
    return take_pointer(&origin.repository);
}

/* What the registry says about a blob that it has must be right. */
static int check_found(const struct blob_job *job, const struct http_response *response, struct error *error) {
    const char *host = job->group->session->host, *length = http_header(response, "content-length");
    const char *claimed = http_header(response, "docker-content-digest");
    uint64_t size = 0;
    if (length && text_to_u64(length, UINT64_MAX / 2, &size) && size != job->blob->size)
        return error_set(error, ERROR_PROTOCOL, "%s has it with %s bytes instead of %llu", host, length,
                         (unsigned long long)job->blob->size);
    if (claimed && text_starts_with(claimed, "sha256:") && !text_equal(claimed, digest_format(&job->blob->digest).text))
        return error_set(error, ERROR_PROTOCOL, "%s has it as %.80s", host, claimed);
    return 0;
}

static void words_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    if (failure)
        blob_job_fail(job, failure);
    else
        blob_job_refused(job, "look for a blob", response);
}

static void try_mount(struct blob_job *job, const char *from) {
    AUTO_FREE char *encoded = url_encode(from);
    AUTO_FREE char *rest =
        text_format("blobs/uploads/?mount=%s&from=%s", digest_format(&job->blob->digest).text, encoded);
    job->refusals = REFUSALS; /* a 401 only means that we may not read there */
    blob_job_send(job, "POST", session_path(job->group->session, job->group->repository, rest), mount_answered);
}

static void head_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    struct error error = {0};
    if (failure) {
        blob_job_fail(job, failure);
    } else if (response->status == 200) {
        if (check_found(job, response, &error) < 0)
            blob_job_fail(job, &error);
        else
            blob_job_finish(job, BLOB_EXISTS);
    } else if (response->status == 404) {
        AUTO_FREE char *from = mountable_repository(job);
        if (from)
            try_mount(job, from);
        else
            blob_job_finish(job, BLOB_MISSING);
    } else if (response->status == 400 || response->status == 403) {
        /* The answer to a HEAD has no words. */
        blob_job_send(job, "GET", text_copy(job->url), words_answered);
    } else {
        blob_job_refused(job, "look for a blob", response);
    }
}

void blob_check(struct blob_job *job) {
    AUTO_FREE char *rest = text_format("blobs/%s", digest_format(&job->blob->digest).text);
    job->request = (struct http_request){.follow_redirects = true};
    blob_job_send(job, "HEAD", session_path(job->group->session, job->group->repository, rest), head_answered);
}
