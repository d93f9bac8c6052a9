/* Uploading one blob. Distribution-spec 1.1, "Pushing blobs".
 *
 *   small     POST ?digest= with the body; a registry that answers 202 gets it by PUT
 *   medium    POST, PUT with the body
 *   large     POST, PATCH with the body, PUT. A connection that breaks is taken up again: GET of the upload says how
 *             much has arrived (Range), PATCH with Content-Range sends the rest
 * When an upload is lost at the registry, it begins again, at most three times. */
#include "registry/transfer_blobs.h"

#include "common/crypto/random.h"

#include <string.h>
#include <unistd.h>

enum {
    TELL_FROM = 1024 * 1024,
    SINGLE_POST = 64 * 1024,
    RESUMABLE = 4 * 1024 * 1024,
    RESTARTS = 3,
    RESUMES = 8,
    LONGEST_DELAY = 30000
};

static void send_content(struct blob_job *job);
static void verify(struct blob_job *job, const struct error *failure);

static bool is_transient(long status) {
    return status == 408 || status == 429 || status >= 500;
}

/* Where the upload goes on. */
static int take_location(struct blob_job *job, const struct http_response *response, struct error *error) {
    const char *location = http_header(response, "location");
    if (!location)
        return job->location ? 0 : error_set(error, ERROR_PROTOCOL, "the registry began an upload without a Location");
    char *resolved = url_resolve(job->url, location);
    if (!resolved)
        return error_set(error, ERROR_PROTOCOL, "the registry gave an upload location that is no URL");
    free(job->location);
    job->location = resolved;
    return 0;
}

static void set_body(struct blob_job *job, uint64_t offset, uint64_t size) {
    text_list_release(&job->headers);
    job->request = (struct http_request){.content_type = "application/octet-stream",
                                         .has_body_fd = true,
                                         .body_fd = job->fd,
                                         .body_offset = offset,
                                         .body_size = size};
}

static void set_no_body(struct blob_job *job) {
    text_list_release(&job->headers);
    job->request = (struct http_request){.idempotent = true};
}

static char *location_with_digest(const struct blob_job *job) {
    return text_format("%s%cdigest=%s", job->location, strchr(job->location, '?') ? '&' : '?',
                       digest_format(&job->blob->digest).text);
}

/* The blob is complete, if the registry means the same one. */
static void accept_blob(struct blob_job *job, const struct http_response *response) {
    const char *claimed = http_header(response, "docker-content-digest");
    struct digest_text own = digest_format(&job->blob->digest);
    if (claimed && text_starts_with(claimed, "sha256:") && !text_equal(claimed, own.text)) {
        struct error error = {0};
        error_set(&error, ERROR_PROTOCOL, "%s stored it as %.80s", job->group->session->host, claimed);
        blob_job_fail(job, &error);
        return;
    }
    blob_job_finish(job, BLOB_UPLOADED);
}

static void begin_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    struct error error = {0};
    bool was_single = job->request.has_body_fd;
    long status = failure ? 0 : response->status;
    if (was_single && status == 201) {
        accept_blob(job, response);
    } else if (status == 202) {
        if (take_location(job, response, &error) < 0)
            blob_job_fail(job, &error);
        else
            send_content(job);
    } else if (was_single && !failure && !is_transient(status) && status != 401 && status != 403) {
        job->no_single_post = true;
        blob_upload(job);
    } else if (failure) {
        blob_job_fail(job, failure);
    } else {
        blob_job_refused(job, "begin an upload", response);
    }
}

static void begin_upload(struct blob_job *job) {
    bool single = !job->no_single_post && job->blob->size <= SINGLE_POST;
    AUTO_FREE char *rest = single ? text_format("blobs/uploads/?digest=%s", digest_format(&job->blob->digest).text)
                                  : text_copy("blobs/uploads/");
    if (single)
        set_body(job, 0, job->blob->size);
    else
        set_no_body(job);
    job->request.idempotent = true; /* what it may leave behind twice is an upload that the registry forgets */
    job->offset = 0;
    blob_job_send(job, "POST", session_path(job->group->session, job->group->repository, rest), begin_answered);
}

static void restart(struct blob_job *job, const struct error *failure) {
    struct error error = {0};
    if (job->restarts++ >= RESTARTS) {
        error_set(&error, ERROR_UNAVAILABLE, "%s lost the upload %d times%s%s", job->group->session->host, RESTARTS,
                  failure ? ": " : "", failure ? failure->text : "");
        blob_job_fail(job, &error);
        return;
    }
    free(take_pointer(&job->location));
    job->no_single_post = true;
    begin_upload(job);
}

static void put_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    long status = failure ? 0 : response->status;
    if (status == 201 || status == 204)
        accept_blob(job, response);
    else if (failure || status == 404 || status == 409 || status == 416 || is_transient(status))
        verify(job, failure);
    else
        blob_job_refused(job, "upload a blob", response);
}

static void put_empty(struct blob_job *job) {
    set_no_body(job);
    job->request.content_type = "application/octet-stream";
    blob_job_send(job, "PUT", location_with_digest(job), put_answered);
}

/* After a PUT whose fate is not known: the blob is there, or the upload begins again. */
static void verify_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    if (failure)
        blob_job_fail(job, failure);
    else if (response->status == 200)
        blob_job_finish(job, BLOB_UPLOADED);
    else if (response->status == 404)
        restart(job, NULL);
    else
        blob_job_refused(job, "look for a blob", response);
}

static void verify(struct blob_job *job, const struct error *failure) {
    if (failure && failure->kind != ERROR_UNAVAILABLE && failure->kind != ERROR_TIMEOUT) {
        blob_job_fail(job, failure);
        return;
    }
    AUTO_FREE char *rest = text_format("blobs/%s", digest_format(&job->blob->digest).text);
    set_no_body(job);
    job->request.follow_redirects = true;
    blob_job_send(job, "HEAD", session_path(job->group->session, job->group->repository, rest), verify_answered);
}

/* ---- large blobs ---- */

/* "0-1233" of a Range header: 1234 bytes have arrived. Registries say "0-0" both for none and for one. */
static bool read_range(const char *range, uint64_t size, uint64_t *offset) {
    uint64_t last;
    if (range && text_starts_with(range, "bytes="))
        range += 6;
    if (!range || !text_starts_with(range, "0-") || !text_to_u64(range + 2, size, &last) || last == 0 || last >= size)
        return false;
    *offset = last + 1;
    return true;
}

static void ask_how_far(struct blob_job *job, const struct http_response *response, const struct error *failure);

static void status_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    long status = failure ? 0 : response->status;
    struct error error = {0};
    if (failure) {
        blob_job_fail(job, failure);
    } else if ((status == 204 || status == 200 || status == 202) &&
               read_range(http_header(response, "range"), job->blob->size, &job->offset)) {
        if (take_location(job, response, &error) < 0) {
            blob_job_fail(job, &error);
            return;
        }
        progress_note(job->group->session->registry->progress, "%s: going on with the upload at %.0f %%",
                      job->group->session->host, 100.0 * (double)job->offset / (double)job->blob->size);
        send_content(job);
    } else if (status == 409) { /* the registry still works on what was broken off */
        ask_how_far(job, response, NULL);
    } else if (status == 401 || status == 403) {
        blob_job_refused(job, "go on with an upload", response);
    } else {
        restart(job, NULL);
    }
}

static void ask_how_far(struct blob_job *job, const struct http_response *response, const struct error *failure) {
    if (job->resumes++ >= RESUMES) {
        restart(job, failure);
        return;
    }
    int64_t delay = response ? http_retry_after(response) : -1;
    if (delay < 0) {
        uint32_t random, most = 250u << job->resumes;
        random_bytes(&random, sizeof(random));
        delay = random % (most < LONGEST_DELAY ? most : LONGEST_DELAY);
    }
    set_no_body(job);
    job->request.delay = delay;
    blob_job_send(job, "GET", text_copy(job->location), status_answered);
}

static void patch_answered(struct blob_job *job, struct http_response *response, const struct error *failure) {
    long status = failure ? 0 : response->status;
    struct error error = {0};
    if (failure) {
        bool is_broken = failure->kind == ERROR_UNAVAILABLE || failure->kind == ERROR_TIMEOUT;
        if (is_broken)
            ask_how_far(job, NULL, failure);
        else
            blob_job_fail(job, failure);
    } else if (status == 202 || status == 204 || status == 201) {
        job->offset = job->blob->size;
        if (take_location(job, response, &error) < 0)
            blob_job_fail(job, &error);
        else
            put_empty(job);
    } else if (status == 409 || status == 416 || is_transient(status)) {
        ask_how_far(job, response, NULL);
    } else if (status == 404) {
        restart(job, NULL);
    } else {
        blob_job_refused(job, "upload a blob", response);
    }
}

static void send_content(struct blob_job *job) {
    uint64_t left = job->blob->size - job->offset;
    if (job->blob->size < RESUMABLE) {
        set_body(job, 0, job->blob->size);
        blob_job_send(job, "PUT", location_with_digest(job), put_answered);
    } else if (left == 0) {
        put_empty(job);
    } else {
        set_body(job, job->offset, left);
        job->request.no_retry = true;
        if (job->offset)
            text_list_add_format(&job->headers, "Content-Range: %llu-%llu", (unsigned long long)job->offset,
                                 (unsigned long long)job->blob->size - 1);
        blob_job_send(job, "PATCH", text_copy(job->location), patch_answered);
    }
}

void blob_upload(struct blob_job *job) {
    job->refusals = 0;
    if (job->blob->size >= TELL_FROM && !job->is_told) {
        job->is_told = true;
        job->progress_step = progress_begin(job->group->session->registry->progress, "push %s (%.1f MB)",
                                            job->blob->name ? job->blob->name : "blob", (double)job->blob->size / 1e6);
    }
    if (job->location)
        send_content(job);
    else
        begin_upload(job);
}
