#include "gcp/operation.h"

#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum { POLL_MILLISECONDS = 500, POLLS_MOST = 240 };

/* "projects/P/locations/R/operations/ID", "operations/ID" */
static bool is_operation(const char *name) {
    bool placed = name && (text_starts_with(name, "operations/") || strstr(name, "/operations/"));
    return placed && !strstr(name, "..") && !strpbrk(name, "?#%\\ :@");
}

int operation_wait(struct cloud *cloud, enum endpoint endpoint, const char *what, struct json **operation,
                   struct error *error) {
    for (int i = 0; !json_get_bool(*operation, "done", false); i++) {
        const char *name = json_get_text(*operation, "name", NULL);
        if (!is_operation(name))
            return error_set(error, ERROR_PROTOCOL, "%s: the answer names no operation to wait for", what);
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "%s: stopped while it was under way", what);
        if (i == POLLS_MOST)
            return error_set(error, ERROR_TIMEOUT, "%s: it is not done after %d s", what,
                             POLLS_MOST * POLL_MILLISECONDS / 1000);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MILLISECONDS * 1000000}, NULL);
        AUTO_FREE char *url = text_format("%s/v1/%s", endpoint_url(endpoint), name);
        struct cloud_request request = {.url = url, .what = what};
        struct json *asked = NULL;
        if (cloud_call(cloud, &request, &asked, NULL, error) < 0)
            return -1;
        json_release(operation);
        *operation = asked;
    }
    const struct json *failure = json_get(*operation, "error");
    const struct google_subject subject = {.project = cloud->project, .region = cloud->region};
    return json_is_null(failure) ? 0 : google_status_set(error, what, failure, &subject);
}
