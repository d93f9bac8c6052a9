#include "tools/pl-build/labels.h"

#include "common/base/text.h"

#include <string.h>
#include <time.h>

#define PREFIX "org.opencontainers.image."

static bool is_commit(const char *text) {
    size_t length = text ? strspn(text, "0123456789abcdef") : 0;
    return (length == 40 || length == 64) && !text[length];
}

/* A URL that names no user. */
static bool is_source(const char *url) {
    return url && text_starts_with(url, "https://") && !strchr(url, '@') && strlen(url) < 1000;
}

static void set_origin(struct json *labels, const char *url, const char *commit, const char *who,
                       struct progress *progress) {
    if (is_source(url))
        json_set_text(labels, PREFIX "source", url);
    if (is_commit(commit))
        json_set_text(labels, PREFIX "revision", commit);
    if (is_source(url) && is_commit(commit))
        progress_note(progress, "labels from %s: source %s, revision %.12s", who, url, commit);
}

static void set_created(struct json *labels, struct progress *progress) {
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char created[64];
    uint64_t seconds;
    struct tm parts;
    if (text_is_empty(text) || !text_to_u64(text, 253402300799ULL, &seconds))
        return;
    time_t time = (time_t)seconds;
    if (!gmtime_r(&time, &parts) || strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return;
    json_set_text(labels, PREFIX "created", created);
    progress_note(progress, "label from SOURCE_DATE_EPOCH: created %s", created);
}

void labels_of_origin(struct json *labels, struct progress *progress) {
    const char *server = getenv("GITHUB_SERVER_URL"), *repository = getenv("GITHUB_REPOSITORY");
    if (text_equal(getenv("GITHUB_ACTIONS"), "true") && server && repository) {
        AUTO_FREE char *url = text_format("%s/%s", server, repository);
        set_origin(labels, url, getenv("GITHUB_SHA"), "GitHub Actions", progress);
    } else if (text_equal(getenv("GITLAB_CI"), "true")) {
        set_origin(labels, getenv("CI_PROJECT_URL"), getenv("CI_COMMIT_SHA"), "GitLab CI", progress);
    }
    set_created(labels, progress);
}
