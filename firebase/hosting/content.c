#include "firebase/hosting/content.h"

#include "firebase/hosting/parallel.h"
#include "gcp/google_error.h"

#include <string.h>

/* populateFiles takes at most 1000 files. Several at once hide the time of the way there and back. */
enum { BATCH = 1000, POPULATE_AT_ONCE = 6, UPLOAD_AT_ONCE = 20, REPLY_LIMIT = 1 << 20 };

struct filling {
    struct hosting *hosting;
    const char *version;
    struct site_files *files;
    size_t next;
    bool is_asked; /* Hosting wants the bytes of some */
    char *upload_url;
    struct content_outcome *outcome;
};

static int refused(const struct filling *filling, const char *what, const struct http_response *response,
                   struct error *error) {
    const struct cloud *cloud = filling->hosting->cloud;
    struct google_subject subject = {.principal = credentials_principal(cloud->credentials), .project = cloud->project};
    return google_error_set(error, what, response, &subject);
}

/* ---- populateFiles ---- */

static int next_batch(void *context, struct parallel_job *job, struct error *error) {
    struct filling *filling = context;
    const struct site_files *files = filling->files;
    (void)error;
    if (filling->next == files->count)
        return 0;
    AUTO_JSON struct json *body = json_new_object();
    struct json *hashes = json_new_object();
    json_set(body, "files", hashes);
    size_t end = files->count - filling->next < BATCH ? files->count : filling->next + BATCH;
    for (; filling->next < end; filling->next++) {
        AUTO_FREE char *path = text_format("/%s", files->items[filling->next].path);
        json_set_text(hashes, path, digest_format_hex(&files->items[filling->next].packed).text);
    }
    job->url = hosting_url(filling->hosting, "/versions/%s:populateFiles", filling->version);
    job->body = json_format(body, JSON_COMPACT_STYLE);
    job->request = (struct http_request){.method = "POST",
                                         .url = job->url,
                                         .content_type = "application/json",
                                         .body = job->body,
                                         .body_length = strlen(job->body),
                                         .idempotent = true,
                                         .response_limit = REPLY_LIMIT};
    return 1;
}

/* The token goes only where Hosting itself is, or where its upload host was said to be. */
static int take_upload_url(struct filling *filling, const char *url, struct error *error) {
    AUTO_FREE char *origin = url_origin(url), *upload = url_origin(endpoint_url(ENDPOINT_FIREBASE_UPLOAD));
    AUTO_FREE char *api = url_origin(endpoint_url(ENDPOINT_FIREBASE_HOSTING));
    if (!origin || (!text_equal(origin, upload) && !text_equal(origin, api)))
        return error_set(error, ERROR_PROTOCOL, "Hosting wants the files at %.200s, which is neither %s nor %s", url,
                         upload, api);
    free(filling->upload_url);
    filling->upload_url = text_copy(url);
    return 0;
}

static int batch_done(void *context, const struct parallel_job *job, const struct http_response *response,
                      struct error *error) {
    struct filling *filling = context;
    (void)job;
    if (response->status != 200)
        return refused(filling, "cannot tell Hosting the files", response, error);
    AUTO_JSON struct json *reply =
        json_parse(buffer_text(&response->body), response->body.length, "Hosting's answer", error);
    if (!reply)
        return -1;
    const struct json *required = json_get(reply, "uploadRequiredHashes");
    const char *url = json_get_text(reply, "uploadUrl", NULL);
    if (url && take_upload_url(filling, url, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(required); i++) {
        struct digest digest;
        const char *hex = json_text(json_at(required, i));
        if (!hex || digest_parse_hex(hex, &digest, NULL) < 0 || !site_files_require(filling->files, &digest))
            return error_set(error, ERROR_PROTOCOL, "Hosting asks for a file with the hash \"%.80s\", which none has",
                             hex ? hex : "");
        filling->is_asked = true;
    }
    return 0;
}

/* ---- uploads ---- */

static int next_upload(void *context, struct parallel_job *job, struct error *error) {
    struct filling *filling = context;
    const struct site_files *files = filling->files;
    (void)error;
    while (filling->next < files->count && !files->items[filling->next].is_required)
        filling->next++;
    if (filling->next == files->count)
        return 0;
    const struct site_file *file = &files->items[filling->next];
    job->subject = filling->next++;
    job->url = text_format("%s/%s", filling->upload_url, digest_format_hex(&file->packed).text);
    job->request = (struct http_request){.method = "POST",
                                         .url = job->url,
                                         .has_body_fd = true,
                                         .body_fd = files->spools[file->spool],
                                         .body_size = file->packed_size,
                                         .body_offset = file->spool_offset,
                                         .idempotent = true,
                                         .response_limit = 65536};
    return 1;
}

/* 409 means that it is there already: an earlier try that seemed lost, or somebody else. */
static int upload_done(void *context, const struct parallel_job *job, const struct http_response *response,
                       struct error *error) {
    struct filling *filling = context;
    struct site_file *file = &filling->files->items[job->subject];
    if (response->status == 409 || (response->status >= 200 && response->status < 300)) {
        file->is_required = false;
        filling->outcome->uploaded++;
        filling->outcome->uploaded_bytes += file->packed_size;
        return 0;
    }
    AUTO_FREE char *what = text_format("cannot upload %s", file->path);
    return refused(filling, what, response, error);
}

static int run(struct filling *filling, bool uploads, struct error *error) {
    filling->next = 0;
    struct parallel parallel = {.cloud = filling->hosting->cloud,
                                .at_once = uploads ? UPLOAD_AT_ONCE : POPULATE_AT_ONCE,
                                .next = uploads ? next_upload : next_batch,
                                .done = uploads ? upload_done : batch_done,
                                .context = filling};
    return parallel_run(&parallel, error);
}

static int upload(struct filling *filling, struct error *error) {
    struct progress *progress = filling->hosting->cloud->progress;
    if (!filling->upload_url)
        return error_set(error, ERROR_PROTOCOL, "Hosting asks for files but does not say where to");
    if (site_files_spool(filling->files, filling->hosting->site, progress, error) < 0)
        return -1;
    size_t count = 0;
    for (size_t i = 0; i < filling->files->count; i++)
        count += filling->files->items[i].is_required;
    int step = progress_begin(progress, "upload %zu file%s", count, count == 1 ? "" : "s");
    int result = run(filling, true, error);
    progress_end(progress, step, result < 0 ? PROGRESS_FAILED : PROGRESS_MADE);
    return result;
}

int content_fill(struct hosting *hosting, const char *version, struct site_files *files,
                 struct content_outcome *outcome, struct error *error) {
    struct filling filling = {.hosting = hosting, .version = version, .files = files, .outcome = outcome};
    for (size_t i = 0; i < files->count; i++)
        files->items[i].is_required = false;
    int result = run(&filling, false, error);
    if (result == 0 && filling.is_asked)
        result = upload(&filling, error);
    free(filling.upload_url);
    return result;
}
