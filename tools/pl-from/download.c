/* Files of web servers, named by their digest: what is in the store is not asked for. */
#include "common/file/file.h"
#include "common/http/http.h"
#include "tools/pl-from/origin.h"

#include <string.h>

enum { DEADLINE = 3600, URL_LIMIT = 4000 };
#define FILE_LIMIT (20ULL << 30)

struct download {
    struct store_writer *writer;
    struct error failure;
};

static int sink(void *context, const char *data, size_t length, struct error *error) {
    struct download *download = context;
    return store_put_write(download->writer, data, length, error);
}

static void restart(void *context) {
    struct download *download = context;
    if (store_put_restart(download->writer, &download->failure) < 0 && download->failure.kind == ERROR_NONE)
        error_set(&download->failure, ERROR_CANNOT_WRITE, "cannot begin the file again");
}

static int check_status(const char *url, long status, struct error *error) {
    if (status >= 200 && status < 300)
        return 0;
    enum error_kind kind = status == 401 || status == 403 ? ERROR_PERMISSION
                           : status >= 500                ? ERROR_UNAVAILABLE
                                                          : ERROR_DATA;
    return error_set(error, kind, "%s answered %ld", url, status);
}

static int fetch(struct http *http, struct store *store, const char *url, const struct digest *digest,
                 struct error *error) {
    struct download download = {.writer = store_put_begin(store, digest, FILE_LIMIT, error)};
    struct http_request request = {.url = url,
                                   .follow_redirects = true,
                                   .sink = sink,
                                   .sink_restart = restart,
                                   .sink_context = &download,
                                   .sink_limit = FILE_LIMIT};
    AUTO_RESPONSE struct http_response response = {0};
    if (!download.writer)
        return -1;
    int result = http_perform(http, &request, &response, error);
    if (result == 0)
        result = check_status(url, response.status, error);
    if (result == 0 && download.failure.kind != ERROR_NONE) {
        *error = download.failure;
        result = -1;
    }
    if (result == 0 && store_put_commit(&download.writer, NULL, NULL, error) < 0) {
        result = error_wrap(error, "%s", url);
        error_next(error, "look whether the file has changed there, and what digest it is to have");
    }
    store_put_abort(&download.writer);
    return result;
}

static int refuse_without_digest(const char *url, struct error *error) {
    error_set(error, ERROR_USAGE, "%s: a file of a web server needs its digest", url);
    return error_next(error, "add it: URL#sha256:HEX (curl -fsSL URL | sha256sum); a git repository is named with git+ "
                             "before the URL");
}

int origin_download(struct origin *origin, const char *source, struct artifact *artifact, struct error *error) {
    const char *hash = strchr(source, '#');
    struct engine *engine = &origin->session.engine;
    struct digest digest;
    AUTO_FREE char *url = text_copy_length(source, hash ? (size_t)(hash - source) : strlen(source));
    if (strlen(url) > URL_LIMIT || !hash || !text_starts_with(hash + 1, "sha256:"))
        return refuse_without_digest(url, error);
    if (digest_parse(hash + 1, &digest, error) < 0)
        return error_wrap(error, "%s", url);
    if (!store_has(engine->store, &digest)) {
        AUTO_HTTP struct http *http =
            http_new(&(struct http_options){.progress = engine->progress, .deadline = DEADLINE});
        int step = progress_begin(engine->progress, "fetch %s", url);
        int result = http ? fetch(http, engine->store, url, &digest, error)
                          : error_set(error, ERROR_CONFIGURATION, "libcurl.so.4 cannot be loaded, which fetches files");
        progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
        if (result < 0)
            return -1;
    }
    store_keep(engine->store, &digest);
    AUTO_FREE char *path = text_copy_length(url, strcspn(url, "?"));
    artifact_set_file(artifact, &digest, *path_base(path) ? path_base(path) : "file", false);
    return 0;
}
